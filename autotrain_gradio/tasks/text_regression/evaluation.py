"""Text regression: sample predictions and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import one_line
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.tasks.text_regression import TASK
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.evaluators import numbers
from autotrain_gradio.training.evaluators.numbers import NumberPredictions
from autotrain_gradio.training.number_targets import Targets
from autotrain_gradio.training.sample_selection import evenly_by_value
from autotrain_gradio.training.scaling import Scaling

SHOWN = 8
"""Validation texts whose predictions are shown at each evaluation."""
MISTAKES = 24
CHARACTERS = 240
"""Maximum number of displayed characters of a text."""


def evaluation(
    run: Reporter,
    texts: Sequence[str],
    values: np.ndarray,
    targets: Targets,
    scaling: Scaling,
    order: np.ndarray | None,
) -> Evaluation:
    """Return the evaluation of a regression model on the validation texts.

    values: their targets (texts, targets). order: row number of each item of the validation data set; None: there is
    no validation split.
    """
    if order is None:
        return Evaluation(run, 0, "texts", declared=TASK.metrics)
    return Evaluation(
        run,
        len(texts),
        "texts",
        make=lambda: NumberEvaluator(texts, values, targets, scaling),
        reduce=numbers.reduce_outputs,
        order=order,
        declared=TASK.metrics,
    )


class NumberEvaluator:
    """The state of one evaluation. values: the true numbers (texts, targets)."""

    def __init__(self, texts: Sequence[str], values: np.ndarray, targets: Targets, scaling: Scaling) -> None:
        self._texts, self._targets = texts, targets
        self._predictions = NumberPredictions(values, targets.names, targets.units, scaling, "texts")
        mean = scaling.scale(values).mean(axis=1)
        self._shown = evenly_by_value(mean, SHOWN).tolist()

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Add a batch of outputs of `numbers.reduce_outputs`."""
        self._predictions.update(outputs, targets, rows)

    def compute(self) -> dict[str, float]:
        """Return the metrics of `NumberPredictions`."""
        return self._predictions.metrics()

    def sample_panel(self) -> Panel:
        """Show the predictions on the same few texts, from the smallest to the largest number."""
        texts = [one_line(self._texts[row], CHARACTERS) for row in self._shown]
        if len(self._targets.names) == 1:
            head: list[str] = self._head()
            rows: list[list[Any]] = [[text, *self._cells(row, 0)] for text, row in zip(texts, self._shown, strict=True)]
        else:
            head = ["text", *(f"{name}: predicted (true)" for name in self._targets.names)]
            rows = [[text, *self._pairs(row)] for text, row in zip(texts, self._shown, strict=True)]
        return panels.table(
            "Predictions on the same validation texts",
            head,
            rows,
            id="samples",
            examples={"text": [text.removesuffix("…") for text in texts]},
        )

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics, with the error of always predicting the mean."""
        return self._predictions.results_panel(values, declared)

    def target_note(self) -> str:
        """Return the metrics of each target in a sentence; empty for a single one."""
        return self._predictions.target_note()

    def report(self) -> list[Panel]:
        """Return the metrics of each target, plots of predictions and residuals, and the largest errors."""
        several = len(self._targets.names) > 1
        rows = [
            [
                one_line(self._texts[row], CHARACTERS),
                *([self._targets.names[number]] if several else []),
                *self._cells(row, number),
            ]
            for row, number in self._predictions.worst(MISTAKES)
        ]
        note = "Compared in standard deviations of each target." if several else ""
        return [
            *self._predictions.targets_panel(TASK.metrics),
            *self._predictions.plots(),
            panels.table("Largest errors", self._head(), rows, note=note),
        ]

    def _head(self) -> list[str]:
        """Return the head of a table with a prediction in each row."""
        unit = self._targets.units.get(self._targets.names[0]) if len(self._targets.names) == 1 else ""
        behind = f" ({unit})" if unit else ""
        columns = [f"predicted{behind}", f"true{behind}", "difference"]
        return ["text", *(["target"] if len(self._targets.names) > 1 else []), *columns]

    def _cells(self, row: int, number: int) -> list[float]:
        """Return the predicted and true number of a text, and their difference."""
        predicted, true = (values[row, number] for values in (self._predictions.predicted, self._predictions.targets))
        return [float(f"{value:.5g}") for value in (predicted, true, predicted - true)]

    def _pairs(self, row: int) -> list[str]:
        """Return the predicted number of each target, and the true one in brackets."""
        predictions = self._predictions
        pairs = zip(predictions.predicted[row], predictions.targets[row], strict=True)
        return [f"{predicted:,.4g} ({true:,.4g})" for predicted, true in pairs]
