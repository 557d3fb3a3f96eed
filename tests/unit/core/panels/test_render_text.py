"""Panels as text of a terminal."""

from __future__ import annotations

import json
import math

import pytest

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import RenderContext, render_html, render_text
from autotrain_gradio.core.panels.text_table import text_table

PANELS = {
    "numbers": panels.numbers("Overview", {"Images": 1200}),
    "bars": panels.bars("Classes", ["cat", "dog"], {"train": [6, 2], "validation": [2, 1]}, unit="rows"),
    "lines": panels.lines("Loss", {"training": [(1, 2.0), (2, 0.5)], "never": []}),
    "scatter": panels.scatter("Predictions", [(1, 2.0), (2, 4.5), (3, 6.0)], x="true", y="predicted"),
    "matrix": panels.matrix("Confusion", ["cat", "dog"], [[5, 1], [0, 7]], rows="true", columns="predicted"),
    "table": panels.table("Figures", ["name", "value"], [["accuracy", 0.91234567]]),
    "gallery": panels.gallery("Mistakes", [{"file": "report/1.jpg", "caption": "cat, not dog"}]),
    "transcripts": panels.transcripts(
        "Heard",
        [{"reference": "one two three", "prediction": "one tow three four", "wer": 2 / 3, "file": "report/1.wav"}],
    ),
    "comparisons": panels.comparisons("Answers", [{"lines": [("prompt", "Why?"), ("this model", "So.")]}]),
    "tokens": panels.tokens(
        "Read", [{"label": "row 1: good", "read": ["[CLS]", "we", "##ll"], "cut": ["done"], "more": 7}]
    ),
    "markdown": panels.markdown("Well done.", title="Said"),
    "scores": panels.scores("Prediction", {"cat": 0.75, "dog": 0.25}),
    "text": panels.text_block("Transcript", "one two", note="3 s of audio."),
    "download": panels.download("Rows", "/tmp/out.csv", rows=1200, columns=["a"], preview=[["x"], ["y"]]),
}
EXPECTED = {
    "numbers": "1,200",
    "bars": "6 + 2 rows",
    "lines": "0.5",
    "scatter": "correlation 0.990, 3 points",
    "matrix": "cat    5    1",
    "table": "0.9123",
    "gallery": "report/1.jpg: cat, not dog",
    "transcripts": "  one [-two-]{+tow+} three {+four+}\n    report/1.wav · WER 67%",
    "comparisons": "  prompt: Why?\n  this model: So.",
    "tokens": "  row 1: good\n    [CLS]|we|##ll ✂ done … and 7 more",
    "markdown": "Well done.",
    "scores": "  ✓ cat  ██████████████████ 75.0%\n    dog  ██████ 25.0%",
    "text": "  one two\n  3 s of audio.",
    "download": "  1,200 rows in /tmp/out.csv\n  The first 2 rows:\n  a\n",
}


@pytest.mark.parametrize("kind", [k.name for k in panels.KINDS if k.module.startswith(panels.__name__)])
def test_every_kind_of_panel_is_rendered_as_text(kind: str) -> None:
    text = render_text(PANELS[kind])
    assert EXPECTED[kind] in text and PANELS[kind]["title"] in text


def test_a_truncated_table_has_the_number_of_omitted_rows() -> None:
    text = render_text(panels.table("T", ["n"], [[i] for i in range(50)]), RenderContext(rows=20))
    assert "… and 30 more" in text and "\n  19" in text and "\n  20" not in text


def test_numbers_are_right_aligned_and_text_left_aligned() -> None:
    assert text_table(["name", "n"], [["a", 5], ["bbbbb", 12]]) == "name    n\n-----  --\na       5\nbbbbb  12"


def test_long_labels_of_bars_are_truncated() -> None:
    drawn = render_text(panels.bars("Classes", ["cat", "a long\nstory " * 400], {"rows": [1, 2]}))
    assert max(map(len, drawn.splitlines())) < 100 and "a long story a long" in drawn and "…" in drawn


MISSING = {
    "bars": panels.bars("Classes", ["cat", "dog"], {"train": [6, None], "test": [None, math.nan]}),
    "lines": panels.lines("Loss", {"a": [(1, None), (2, 0.5), (None, 9.0), (3, math.inf)], "b": [(1, None)]}),
    "scatter": panels.scatter("Predictions", [(1, 2.0), (None, 7.5), (3, None), (4, 3.0)], x="true", y="predicted"),
    "matrix": panels.matrix("Confusion", ["cat", "dog"], [[5, None], [None, None]], rows="true", columns="predicted"),
    "table": panels.table("Table", ["name", "value"], [["accuracy", None]]),
    "numbers": panels.numbers("Overview", {"rows": None}),
    "scores": panels.scores("Prediction", {"cat": None, "dog": 0.25}, thresholds={"dog": None}),
    "transcripts": panels.transcripts("Heard", [{"reference": "one", "prediction": "one", "wer": None}]),
}


@pytest.mark.parametrize("name", MISSING)
def test_missing_values_are_skipped(name: str) -> None:
    panel = json.loads(json.dumps(MISSING[name]).replace("NaN", "null").replace("Infinity", "null"))
    for stored in (panel, MISSING[name]):
        html = render_html(stored, RenderContext())
        text = render_text(stored, RenderContext())
        assert "None" not in html + text and "nan" not in html + text, "null is not a value"
        if name == "bars":
            assert "cat  ████" in text and "6 + –" in text and "– + –" in text and "width:100.00%" in html
        if name == "lines":
            assert text.splitlines()[3].split() == ["a", "0.5", "0.5", "0.5", "0.5"] and html.count("<circle") == 1
        if name == "scatter":
            assert text.splitlines()[3].split() == ["true", "1", "2.5", "4"] and html.count("<circle") == 2
        if name == "scores":
            assert text.split()[1:] == ["✓", "dog", "██████", "25.0%"] and "cat" not in html
