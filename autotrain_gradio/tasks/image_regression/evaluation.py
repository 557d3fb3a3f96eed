"""Image regression: sample predictions and the report."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.tasks.image_regression import TASK
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.evaluators import numbers
from autotrain_gradio.training.evaluators.numbers import NumberPredictions
from autotrain_gradio.training.images import Images
from autotrain_gradio.training.number_targets import Targets
from autotrain_gradio.training.sample_selection import evenly_by_value
from autotrain_gradio.training.scaling import Scaling
from autotrain_gradio.training.vision import thumbnail

SHOWN = 8
"""Validation images whose predictions are shown at each evaluation."""
MISTAKES = 24


def evaluation(
    run: Reporter, images: Images | None, values: np.ndarray, targets: Targets, scaling: Scaling
) -> Evaluation:
    """Return the evaluation of a regression model on the validation images; None: there are none.

    values: their targets (images, targets).
    """
    if images is None:
        return Evaluation(run, 0, "images", declared=TASK.metrics)
    return Evaluation(
        run,
        len(images),
        "images",
        make=lambda: ImageNumberEvaluator(run, images, values, targets, scaling),
        reduce=numbers.reduce_outputs,
        declared=TASK.metrics,
    )


class ImageNumberEvaluator:
    """The state of one evaluation. values: the true numbers (images, targets)."""

    def __init__(self, run: Reporter, images: Images, values: np.ndarray, targets: Targets, scaling: Scaling) -> None:
        self._run, self._images, self._targets = run, images, targets
        self._predictions = NumberPredictions(values, targets.names, targets.units, scaling, "images")
        self._shown = evenly_by_value(scaling.scale(values).mean(axis=1), SHOWN).tolist()

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Add a batch of outputs of `numbers.reduce_outputs`."""
        self._predictions.update(outputs, targets, rows)

    def compute(self) -> dict[str, float]:
        """Return the metrics of `NumberPredictions`."""
        return self._predictions.metrics()

    def sample_panel(self) -> Panel:
        """Show the predictions on the same few images, from the smallest to the largest number."""
        items = [self._item(row, range(len(self._targets.names)), "samples") for row in self._shown]
        return panels.gallery("Predictions on the same validation images", items, note="Predicted (true).")

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics, with the error of always predicting the mean."""
        return self._predictions.results_panel(values, declared)

    def target_note(self) -> str:
        """Return the metrics of each target in a sentence; empty for a single one."""
        return self._predictions.target_note()

    def report(self) -> list[Panel]:
        """Return the metrics of each target, plots of predictions and residuals, and the images of largest error."""
        shutil.rmtree(self._run.directory / "report", ignore_errors=True)
        items = [self._item(row, [number], "report") for row, number in self._predictions.worst(MISTAKES)]
        note = "Predicted (true)."
        if len(self._targets.names) > 1:
            note += " Compared in standard deviations of each target."
        return [
            *self._predictions.targets_panel(TASK.metrics),
            *self._predictions.plots(),
            panels.gallery("Largest errors", items, note=note),
        ]

    def largest_errors(self, count: int) -> list[tuple[int, int, str]]:
        """Return row, target and caption of the largest errors, at most `count`."""
        return [(row, number, self._caption(row, [number])) for row, number in self._predictions.worst(count)]

    def _item(self, row: int, columns: Sequence[int], folder: str) -> dict[str, str]:
        """Return an image with the predicted and true numbers of some of its targets."""
        file = self._run.directory / folder / f"{row}.jpg"
        if not file.exists():
            thumbnail(self._images.image(row), file)
        return {"file": f"{folder}/{file.name}", "caption": self._caption(row, columns)}

    def _caption(self, row: int, columns: Sequence[int]) -> str:
        """Return the predicted and true numbers of some targets of an image."""
        several, predictions, parts = len(self._targets.names) > 1, self._predictions, []
        for number in columns:
            name = self._targets.names[number]
            predicted, true = (
                self._targets.shown(float(v[row, number]), name) for v in (predictions.predicted, predictions.targets)
            )
            parts.append(f"{name} {predicted} ({true})" if several else f"{predicted} ({true})")
        return ", ".join(parts)
