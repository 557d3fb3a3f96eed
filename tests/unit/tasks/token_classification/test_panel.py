"""The panel of entities."""

from __future__ import annotations

from autotrain_gradio.core.panels import render_html, render_summary, render_text
from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.tasks.token_classification.entities_panel import CONTEXT, MOST_CHARACTERS, entities_panel

registry()  # registers the kind
TEXT = "Anna <b>lives</b> in Graz."
SPANS = [{"start": 0, "end": 4, "label": "PER"}, {"start": 21, "end": 25, "label": "LOC", "score": 0.5, "wrong": True}]


def test_entities_are_marked_with_their_type_and_everything_is_escaped() -> None:
    panel = entities_panel("Entities", [{"text": TEXT, "lines": [{"spans": SPANS}], "caption": "row <1>"}])
    shown = render_html(panel)
    assert "<bdi>Anna</bdi><b>PER</b></mark> &lt;b&gt;lives" in shown and "<b>LOC 0.50</b>" in shown
    assert "at-wrong" in shown and "row &lt;1&gt;" in shown
    assert "[Anna](PER) <b>lives</b> in [Graz](LOC 0.50) ✗." in render_text(panel)
    assert render_summary(panel) == "Anna (PER), Graz (LOC)"
    empty = entities_panel("Entities", [{"text": "nothing", "lines": [{"spans": []}]}])
    assert render_summary(empty) == "no entities" and "nothing" in render_text(empty)


def test_annotated_and_predicted_lines_have_their_titles() -> None:
    lines = [{"title": "annotated", "spans": SPANS}, {"title": "predicted", "spans": []}]
    panel = entities_panel("Mistakes", [{"text": TEXT, "lines": lines}])
    assert "<dt>annotated</dt>" in render_html(panel) and "predicted: Anna" in render_text(panel)


def test_long_texts_are_shown_around_their_entities() -> None:
    text = "word " * 1000 + "Anna lives " + "word " * 1000
    panel = entities_panel("E", [{"text": text, "lines": [{"spans": [{"start": 5000, "end": 5004, "label": "PER"}]}]}])
    (item,) = panel["items"]
    (found,) = item["lines"][0]["spans"]
    assert item["text"][found["start"] : found["end"]] == "Anna" and len(item["text"]) < 3 * CONTEXT
    assert item["text"].startswith("… word") and item["text"].endswith("word …")
    far = [{"start": n, "end": n + 4, "label": "X"} for n in (0, 9000)]
    (item,) = entities_panel("E", [{"text": text, "lines": [{"spans": far}]}])["items"]
    assert len(item["text"]) <= MOST_CHARACTERS + 4 and len(item["lines"][0]["spans"]) == 1
