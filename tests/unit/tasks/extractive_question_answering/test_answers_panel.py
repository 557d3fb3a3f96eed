"""The panel of answers: marked contexts in HTML and text."""

from __future__ import annotations

from autotrain_gradio.core.panels import render_html, render_text
from autotrain_gradio.tasks.extractive_question_answering.answers_panel import answers_panel, marked_parts
from autotrain_gradio.tasks.registry import registry

CONTEXT = "It was <b>built</b> by Ada in 1902."


def test_gold_and_predicted_parts_are_marked() -> None:
    registry()  # registers the kind
    begin = CONTEXT.index("Ada")
    item = {"question": "Who & when?", "context": CONTEXT, "gold": [[begin, begin + 3]], "gold_text": ["Ada"]}
    panel = answers_panel(
        "Answers", [{**item, "predicted": [begin, begin + 11], "answer": "Ada in 1902", "score": 0.5}]
    )
    html, text = render_html(panel), render_text(panel)
    assert "Marked: " in html and "[-" not in html
    assert "<b>built" not in html and "&lt;b&gt;built&lt;/b&gt;" in html and "Who &amp; when?" in html
    assert "title='true and predicted'>Ada</mark>" in html and "title='predicted'> in 1902</mark>" in html
    assert "by [Ada]{+ in 1902+}." in text and "predicted: Ada in 1902 (0.50)" in text and "true: Ada" in text


def test_no_answer_is_said() -> None:
    registry()
    panel = answers_panel(
        "Answers", [{"question": "q", "context": "c", "gold_text": [], "predicted": None, "answer": ""}]
    )
    assert render_html(panel).count("(no answer)") == 2 and render_text(panel).count("(no answer)") == 2


def test_long_contexts_are_shortened_around_the_marks() -> None:
    context = "a" * 5000 + " here " + "b" * 5000 + " there " + "c" * 5000
    here, there = context.index("here"), context.index("there")
    parts = marked_parts(context, [[here, here + 4]], [there, there + 5])
    assert [t for t, mark in parts if mark] == ["here", "there"] and sum(len(t) for t, _ in parts) < 600
    assert marked_parts(context, [], None)[0][0].endswith(" …") and len(marked_parts(context, [], None)[0][0]) < 1000
    assert marked_parts("short", [[2, 900]], None) == [["sh", ""], ["ort", "gold"]]
