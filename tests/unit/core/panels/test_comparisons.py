from __future__ import annotations

from autotrain_gradio.core.panels import comparisons, render_html, render_text

ITEM = {
    "lines": [("prompt", "<b>Why?</b>"), ("base model", ""), ("this model", "Because.\nReally.")],
    "caption": "row 3",
}


def test_texts_are_escaped_and_empty_ones_are_named() -> None:
    page = render_html(comparisons("Answers", [ITEM]))
    assert "&lt;b&gt;Why?&lt;/b&gt;" in page and "(empty)" in page and "row 3" in page
    assert "<dt>this model</dt><dd dir='auto'>Because.\nReally.</dd>" in page


def test_as_text_each_text_follows_its_title() -> None:
    shown = render_text(comparisons("Answers", [ITEM, ITEM]))
    assert "  prompt: <b>Why?</b>\n  base model: \n  this model: Because. Really.\n  row 3\n\n  prompt:" in shown
