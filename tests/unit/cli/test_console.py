"""What a terminal shows of findings, panels and a training."""

from __future__ import annotations

from typing import Any

import pytest

from autotrain_gradio.cli import commands
from autotrain_gradio.cli.console import Bar, duration, findings_text, panel_text, say, table, training_line
from autotrain_gradio.core import panels

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
    "tokens": panels.tokens(
        "Read", [{"label": "row 1: good", "read": ["[CLS]", "we", "##ll"], "cut": ["done"], "more": 7}]
    ),
    "markdown": panels.markdown("Well done.", title="Said"),
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
    "tokens": "  row 1: good\n    [CLS]|we|##ll ✂ done … and 7 more",
    "markdown": "Well done.",
}


@pytest.mark.parametrize("kind", panels.KINDS)
def test_every_kind_of_panel_can_be_written(kind: str) -> None:
    text = panel_text(PANELS[kind])
    assert EXPECTED[kind] in text and PANELS[kind]["title"] in text


def test_a_long_table_says_how_much_is_left_out() -> None:
    text = panel_text(panels.table("T", ["n"], [[i] for i in range(50)]), rows=20)
    assert "… and 30 more" in text and "\n  19" in text and "\n  20" not in text


def test_findings_come_errors_first_with_where_and_hint() -> None:
    text = findings_text(
        [
            {"level": "info", "message": "Hidden files.", "where": "", "hint": ""},
            {"level": "error", "message": "Too large.", "where": "params.lr", "hint": "Choose less."},
        ],
        {"params.lr": "--lr"},
    )
    assert text == "error: Too large.\n  where: --lr\n  Choose less.\ninfo: Hidden files."


def test_control_characters_of_data_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("label \x1b]0;owned\x07 end")
    assert "\x1b" not in capsys.readouterr().out


def test_numbers_stand_right_and_words_left() -> None:
    assert table(["name", "n"], [["a", 5], ["bbbbb", 12]]) == "name    n\n-----  --\na       5\nbbbbb  12"


@pytest.mark.parametrize(("seconds", "said"), [(4.7, "4 s"), (60, "1 min"), (125, "2 min 5 s"), (7800, "2 h 10 min")])
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def _snapshot(**changes: Any) -> dict[str, Any]:
    progress = {
        "step": 50,
        "total": 100,
        "unit": "step",
        "epoch": 1.0,
        "epochs": 2.0,
        "fraction": 0.5,
        "eta_seconds": 65.0,
    }
    found: dict[str, Any] = {
        "state": "running",
        "title": "Training",
        "detail": "",
        "progress": progress,
        "metrics": {"loss": 0.25},
        "series": {},
        "notes": [],
        "best": None,
        "queue_position": None,
    }
    return {**found, **changes}


def test_the_line_of_a_training_says_how_far_it_is() -> None:
    line = training_line(_snapshot())
    assert "50%" in line and "step 50 of 100" in line and "loss 0.25" in line and "1 min 5 s left" in line
    assert training_line(_snapshot(state="queued", queue_position=2)) == "Waiting in the queue, number 2"


def test_each_note_and_each_evaluation_is_written_once(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Bar()
    note = {"level": "warning", "message": "Slow disk.", "hint": "Wait."}
    series = {"eval_loss": [[10, 0.5]], "eval_accuracy": [[10, 0.75]]}
    shown = _snapshot(notes=[note], series=series, best={"name": "accuracy", "value": 0.75})
    bar.training(shown)
    bar.training(shown)
    said = capsys.readouterr().err
    assert said.count("Slow disk.") == 1
    assert said.count("validation at step 10: loss 0.5, accuracy 0.75") == 1
    bar.training({**shown, "series": {"eval_loss": [[10, 0.5], [20, 0.4]]}})
    assert "validation at step 20: loss 0.4" in capsys.readouterr().err


def test_predictions_are_said_with_what_is_to_be_known_about_them() -> None:
    scores = {"late": 0.9, "price": 0.4, "praise": 0.1}
    assert commands._said({"label": "late", "scores": scores, "note": "Cut."}) == (
        "late 90.0%, price 40.0%, praise 10.0% (Cut.)"
    )
    assert commands._said({"labels": ["late", "price"], "scores": scores}) == "late 90.0%, price 40.0%"
    assert commands._said({"labels": [], "scores": scores}) == "no label"
    assert commands._said({"text": "hello"}) == "text hello"


def test_long_names_do_not_push_the_bars_away() -> None:
    drawn = panel_text(panels.bars("Classes", ["cat", "a long\nstory " * 400], {"rows": [1, 2]}))
    assert max(map(len, drawn.splitlines())) < 100 and "a long story a long" in drawn and "…" in drawn
