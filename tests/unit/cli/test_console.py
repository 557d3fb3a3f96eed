"""What a terminal shows of findings, panels and a training."""

from __future__ import annotations

from typing import Any

import pytest

from autotrain_gradio.cli.console import ProgressBar, echo, findings_text, training_line
from autotrain_gradio.core.text_format import format_duration


def test_findings_are_printed_by_severity_with_location_and_hint() -> None:
    text = findings_text(
        [
            {"level": "info", "message": "Hidden files.", "where": "", "hint": ""},
            {"level": "error", "message": "Too large.", "where": "params.lr", "hint": "Choose less."},
        ],
        {"params.lr": "--lr"},
    )
    assert text == "error: Too large.\n  where: --lr\n  Choose less.\ninfo: Hidden files."


def test_control_characters_of_data_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    echo("label \x1b]0;owned\x07 end")
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(("seconds", "said"), [(4.7, "5 s"), (60, "1 min"), (125, "2 min 5 s"), (7800, "2 h 10 min")])
def test_duration_formatting(seconds: float, said: str) -> None:
    assert format_duration(seconds) == said


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


def test_the_training_line_has_progress_and_remaining_time() -> None:
    line = training_line(_snapshot())
    assert "50%" in line and "step 50 of 100" in line and "loss 0.25" in line and "1 min 5 s left" in line
    assert training_line(_snapshot(state="queued", queue_position=2)) == "Queued at position 2"


def test_each_note_and_each_evaluation_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    bar = ProgressBar()
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
