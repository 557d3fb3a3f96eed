"""Metrics in the output of a script."""

from __future__ import annotations

import math
from typing import Any

import pytest

from autotrain_gradio.tasks.custom_script.metric_charts import charts_of
from autotrain_gradio.tasks.custom_script.script_metrics import (
    FREE_EVENTS,
    MAX_NAMES,
    Measured,
    MetricRecorder,
    Progressed,
    parse_line,
)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('{"step": 3, "loss": 0.5}', Measured({"loss": 0.5}, 3)),
        ('  {"loss": 1, "epoch": 0.5}  ', Measured({"loss": 1.0}, None, 0.5)),
        ("@metrics step=3 loss=0.5 acc=.9", Measured({"loss": 0.5, "acc": 0.9}, 3)),
        ('@metrics {"loss": 0.5}', Measured({"loss": 0.5})),
        ("{'loss': 0.5, 'epoch': 1.0}", Measured({"loss": 0.5}, None, 1.0)),
        ("{'loss': '0.5', 'learning_rate': '5e-05'}", Measured({"loss": 0.5, "learning_rate": 5e-05})),
        ("@progress step=3 total=10", Progressed(3, 10)),
        ('{"level": "info", "time": 12.5}', None),
        ('{"loss": true}', None),
        ('{"a": {"loss": 1}}', None),
        ('{"step": 3}', None),
        ("{}", None),
        ("{not json}", None),
        ("[1, 2]", None),
        ("@someone said loss=3", None),
        ("loss=0.5", None),
        ('{"n": 1' + "0" * 400 + "}", None),
        ("[" * 5000, None),
        ("{" * 5000 + "}" * 5000, None),
        ("{'a': __import__('os').system('true')}", None),
    ],
)
def test_only_lines_of_numbers_are_metrics(line: str, found: Any) -> None:
    assert parse_line(line.encode()) == found


@pytest.mark.parametrize("line", ["@metrics", "@metrics loss=high", "@progress 3/10", "@progress step=11 total=10"])
def test_an_invalid_tagged_line_says_what_is_expected(line: str) -> None:
    assert "expected '@" in str(parse_line(line.encode()))


def test_a_value_that_is_not_finite_is_kept_as_nan() -> None:
    found = parse_line(b'{"loss": NaN, "other": null}')
    assert isinstance(found, Measured) and all(math.isnan(v) for v in found.values.values())
    assert isinstance(parse_line(b'{"loss": Infinity}'), Measured)


class Run:
    """Records what is reported."""

    def __init__(self) -> None:
        self.events: list[tuple[float, dict[str, float]]] = []
        self.notes: list[str] = []

    def metrics(self, step: float, epoch: float, values: dict[str, float], *, own_steps: bool) -> None:
        assert own_steps
        self.events.append((step, dict(values)))

    def note(self, message: str, *, level: str, hint: str = "") -> None:
        self.notes.append(message)


def test_a_line_without_a_step_is_at_the_last_step_or_counted() -> None:
    run: Any = Run()
    recorder = MetricRecorder(run)
    for line in (b'{"loss": 3}', b'{"loss": 2}', b'{"loss": 1, "step": 50}', b'{"acc": 0.5}'):
        recorder.line(line)
    assert [step for step, _ in run.events] == [1, 2, 50, 50]
    assert recorder.summary["loss"] == {"first": 3, "lowest": 1, "highest": 3, "last": 1, "step": 50}


def test_a_flood_of_metrics_is_thinned_but_the_last_values_are_recorded() -> None:
    run: Any = Run()
    recorder = MetricRecorder(run)
    for step in range(FREE_EVENTS + 5000):
        recorder.line(b'{"loss": %d, "step": %d}' % (step, step))
    recorder.close()
    assert FREE_EVENTS <= len(run.events) < FREE_EVENTS + 100
    assert run.events[-1] == (FREE_EVENTS + 4999, {"loss": FREE_EVENTS + 4999})
    assert "were not recorded" in run.notes[0]


def test_names_are_limited_and_reported() -> None:
    run: Any = Run()
    recorder = MetricRecorder(run)
    for step in range(MAX_NAMES + 7):
        recorder.line(f'{{"loss_of_{step}": 1}}'.encode())
    recorder.line(b"@metrics broken")
    recorder.close()
    assert len(recorder.summary) == MAX_NAMES and recorder.unnamed == 7
    assert any(f"first {MAX_NAMES} names" in note for note in run.notes)
    assert any(note.startswith("1 tagged line of the output") for note in run.notes)


def test_metrics_of_one_quantity_share_a_chart() -> None:
    names = ["train_loss", "val/loss", "acc", "loss", "acc_test", "validity", "eval_"]
    charts = charts_of(names)
    assert [list(chart.series) for chart in charts] == [
        ["train_loss", "val/loss", "loss"],
        ["acc", "acc_test"],
        ["validity"],
        ["eval_"],
    ]
    assert [chart.title for chart in charts] == ["loss", "acc", "validity", "eval_"]
