"""Image classification: metrics, sample predictions and the report."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.tasks.image_classification import TASK
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.evaluators.classes import ClassPredictions, reduce_logits
from autotrain_gradio.training.images import Images
from autotrain_gradio.training.sample_selection import balanced_sample
from autotrain_gradio.training.vision import thumbnail

SHOWN = 8
"""Validation images whose predictions are shown at each evaluation."""
MISTAKES = 24


def evaluation(run: Reporter, images: Images | None, names: list[str]) -> Evaluation:
    """Return the evaluation of a classifier of these classes on the validation images; None: there are none."""
    if images is None:
        return Evaluation(run, 0, "images", declared=TASK.metrics)
    shown = balanced_sample(np.asarray(images.targets), SHOWN, run.params.seed)
    return Evaluation(
        run,
        len(images),
        "images",
        make=lambda: ImageEvaluator(run, images, names, shown),
        reduce=reduce_logits,
        declared=TASK.metrics,
    )


class ImageEvaluator:
    """The state of one evaluation on the validation images. shown: rows of the sample predictions."""

    def __init__(self, run: Reporter, images: Images, names: list[str], shown: list[int]) -> None:
        self._run, self._images, self._names, self._shown = run, images, names, shown
        self._predictions = ClassPredictions(np.asarray(images.targets, dtype=np.int64), names, "images")

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Add a batch of what `reduce_logits` returns."""
        self._predictions.update(outputs, targets, rows)

    def compute(self) -> dict[str, float]:
        """Return the metrics of `metrics.classification`."""
        return self._predictions.metrics()

    def sample_panel(self) -> Panel:
        """Show the predictions on the same few images."""
        items = [self._item(row, "samples") for row in self._shown]
        return panels.gallery("Predictions on the same validation images", items)

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics, with a trivial baseline."""
        return self._predictions.results_panel(values, declared)

    def report(self) -> list[Panel]:
        """Return confusion matrix, metrics of each class, and the most confident mistakes."""
        warning = self._predictions.single_class_note()
        if warning:
            self._run.note(warning, level="warning")
        rows, note = self._predictions.mistakes(MISTAKES)
        shutil.rmtree(self._run.directory / "report", ignore_errors=True)
        items = [self._item(row, "report") for row in rows]
        return [
            self._predictions.confusion_panel(),
            self._predictions.classes_panel(),
            panels.gallery("Most confident mistakes", items, note=note),
        ]

    def _item(self, row: int, folder: str) -> dict[str, str]:
        file = self._run.directory / folder / f"{row}.jpg"
        if not file.exists():
            thumbnail(self._images.image(row), file)
        predictions = self._predictions
        predicted, true = int(predictions.predicted[row]), int(predictions.targets[row])
        caption = f"{self._names[predicted]} {predictions.probability[row]:.2f} ({self._names[true]})"
        tone = "good" if predicted == true else "bad"
        return {"file": f"{folder}/{file.name}", "caption": caption, "tone": tone}
