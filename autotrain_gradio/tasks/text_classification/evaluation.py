"""Text classification: metrics, sample predictions and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import one_line
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.tasks.text_classification import TASK
from autotrain_gradio.training import metrics
from autotrain_gradio.training.class_labels import Labels, groups
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.evaluators import classes, labels
from autotrain_gradio.training.evaluators.classes import ClassPredictions
from autotrain_gradio.training.evaluators.labels import LabelPredictions
from autotrain_gradio.training.sample_selection import balanced_sample
from autotrain_gradio.training.text import Texts

SHOWN = 8
"""Validation texts whose predictions are shown at each evaluation."""
MISTAKES = 24
CHARACTERS = 240
"""Maximum number of displayed characters of a text."""
MISTAKES_TITLE = "Most confident mistakes"


def evaluation(run: Reporter, texts: Sequence[str], rows: Texts | None, names: Labels) -> Evaluation:
    """Return the evaluation of a classifier on the validation texts.

    texts: the validation texts; rows: the same, tokenized; None: there is no validation split.
    """
    if rows is None:
        return Evaluation(run, 0, "texts", declared=TASK.metrics)
    same_labels = groups(rows.targets)
    shown = balanced_sample(same_labels, SHOWN, run.params.seed)
    evaluator = LabelEvaluator if names.multi_label else ClassEvaluator
    return Evaluation(
        run,
        len(texts),
        "texts",
        make=lambda: evaluator(run, texts, same_labels, names, shown),
        reduce=labels.reduce_logits if names.multi_label else classes.reduce_logits,
        order=rows.rows,
        declared=TASK.metrics,
    )


class ClassEvaluator:
    """The state of one evaluation with one class per text. shown: rows of the sample predictions."""

    def __init__(
        self, run: Reporter, texts: Sequence[str], targets: np.ndarray, names: Labels, shown: list[int]
    ) -> None:
        self._run, self._texts, self._names, self._shown = run, texts, names.names, shown
        self._predictions = ClassPredictions(targets, names.names, "texts")

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Add a batch of outputs of `classes.reduce_logits`."""
        self._predictions.update(outputs, targets, rows)

    def compute(self) -> dict[str, float]:
        """Return the metrics of `metrics.classification`."""
        return self._predictions.metrics()

    def sample_panel(self) -> Panel:
        """Show the predictions on the same few texts."""
        rows = []
        for row in self._shown:
            name, probability, true = self._prediction(row)
            rows.append([shortened(self._texts[row]), mark(name == true), f"{name} {probability:.2f}", true])
        return samples_panel(rows)

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics, with a trivial baseline."""
        return self._predictions.results_panel(values, declared)

    def report(self) -> list[Panel]:
        """Return confusion matrix, metrics of each class, and the most confident mistakes."""
        warning = self._predictions.single_class_note()
        if warning:
            self._run.note(warning, level="warning")
        mistakes, note = self._predictions.mistakes(MISTAKES)
        rows: list[list[Any]] = []
        for row in mistakes:
            name, probability, true = self._prediction(row)
            rows.append([shortened(self._texts[row]), name, round(probability, 4), true])
        return [
            self._predictions.confusion_panel(),
            self._predictions.classes_panel(),
            panels.table(MISTAKES_TITLE, ["text", "predicted", "score", "true"], rows, note=note),
        ]

    def _prediction(self, row: int) -> tuple[str, float, str]:
        """Return the predicted class of a row, its probability, and the true class."""
        predictions = self._predictions
        name, true = (self._names[int(values[row])] for values in (predictions.predicted, predictions.targets))
        return name, float(predictions.probability[row]), true


class LabelEvaluator:
    """The state of one multi-label evaluation.

    same_labels: a group id of each text, equal for texts with the same labels. shown: rows of the sample predictions.
    """

    def __init__(
        self, run: Reporter, texts: Sequence[str], same_labels: np.ndarray, names: Labels, shown: list[int]
    ) -> None:
        params = run.params
        self._params, self._texts, self._names, self._shown = params, texts, names, shown
        self._predictions = LabelPredictions(
            same_labels,
            names.names,
            "texts",
            threshold=params.threshold,
            tune=params.tune_thresholds,
            seed=params.seed,
            shown=shown,
            folder=run.directory,
        )

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Add a batch of outputs of `labels.reduce_logits`."""
        self._predictions.update(outputs, targets, rows)

    def compute(self) -> dict[str, float]:
        """Return the metrics of `LabelPredictions`."""
        return self._predictions.metrics()

    def thresholds(self) -> np.ndarray:
        """Return the threshold of each label (labels,)."""
        return self._predictions.thresholds()

    def sample_panel(self) -> Panel:
        """Show the predictions on the same few texts."""
        rows, names = [], self._names.names
        for row in self._shown:
            scores, true_ids = self._predictions.shown_row(row)
            predicted = self._names.predicted(scores, self.thresholds())
            true = [names[i] for i in true_ids]
            shown = [f"{name} {scores[names.index(name)]:.2f}" for name in predicted]
            right = mark(set(predicted) == set(true))
            rows.append([shortened(self._texts[row]), right, listed(shown), listed(true)])
        return samples_panel(rows)

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics."""
        note = f"On {len(self._texts):,} validation texts. Accuracy: the share of texts whose labels are all right."
        return panels.numbers("Results", metrics.formatted(values, declared), note=note)

    def report(self) -> list[Panel]:
        """Return the metrics of each label, and the most confident wrong labels."""
        mistakes, note = self._predictions.mistakes()
        rows = [
            [
                shortened(self._texts[m.row]),
                self._names.names[m.label],
                round(m.score, 4),
                "assigned, but not true" if m.assigned else "true, but not assigned",
            ]
            for m in mistakes
        ]
        return [
            self._predictions.labels_panel(labels.threshold_note(self._params, "texts", evaluated=True)),
            panels.table(MISTAKES_TITLE, ["text", "label", "score", ""], rows, note=note),
        ]


def samples_panel(rows: list[list[str]]) -> Panel:
    """Return the table of sample predictions; its texts are examples for trying the model."""
    return panels.table(
        "Predictions on the same validation texts",
        ["text", "", "predicted", "true"],
        rows,
        id="samples",
        examples={"text": [row[0].removesuffix("…") for row in rows]},
    )


def mark(right: bool) -> str:
    """Return a check mark or a cross."""
    return "✓" if right else "✗"


def shortened(text: str) -> str:
    """Return a text on one line, truncated where it is long."""
    return one_line(text, CHARACTERS)


def listed(names: Sequence[str]) -> str:
    """Return names separated by commas; a dash if there is none."""
    return ", ".join(names) or "–"
