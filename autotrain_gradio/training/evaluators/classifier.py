"""Evaluation of a classifier, with one class per row or multi-label: metrics, sample predictions and the report.

How rows are shown is the task's: see `RowView`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.training import metrics
from autotrain_gradio.training.class_labels import THRESHOLDS, Labels, groups
from autotrain_gradio.training.evaluator import Evaluation, Evaluator
from autotrain_gradio.training.evaluators import classes, labels
from autotrain_gradio.training.evaluators.classes import ClassPredictions
from autotrain_gradio.training.evaluators.labels import LabelPredictions, threshold_note
from autotrain_gradio.training.label_sets import LabelSets
from autotrain_gradio.training.sample_selection import balanced_sample

SHOWN = 8
"""Validation rows whose predictions are shown at each evaluation."""
MISTAKES = 24
MISTAKES_TITLE = "Most confident mistakes"


@dataclass(frozen=True)
class SamplePrediction:
    """The prediction of a row. predicted: the class or the labels, each with its score. true: the names."""

    row: int
    predicted: str
    true: str
    right: bool


@dataclass(frozen=True)
class WrongPrediction:
    """A wrong prediction. label: id of the predicted class, or of the wrong label. truth: the true class; or whether
    the label is true."""

    row: int
    label: int
    name: str
    score: float
    truth: str


class RowView(Protocol):
    """Shows rows of the validation split."""

    def samples_panel(self, samples: Sequence[SamplePrediction]) -> Panel:
        """Show the predictions on the same few rows."""

    def mistakes_panel(self, mistakes: Sequence[WrongPrediction], note: str, *, multi_label: bool) -> Panel:
        """Show the most confident mistakes, with the title `MISTAKES_TITLE`."""


class ClassifierEvaluator(Evaluator, Protocol):
    """The state of one evaluation of a classifier."""

    def mistakes(self) -> tuple[list[WrongPrediction], str]:
        """Return the most confident mistakes, at most `MISTAKES`, and a note with the number of all."""


def best_metric(params: Any, names: Labels) -> str:
    """Return the name of the metric that selects the checkpoint; f1 is the macro average, unless there are two classes.

    params: with `metric_for_best_model`.
    """
    best = str(params.metric_for_best_model)
    return "f1_macro" if best == "f1" and (names.multi_label or len(names.names) > 2) else best


def classifier_evaluation(
    run: Reporter,
    targets: np.ndarray | LabelSets | None,
    names: Labels,
    view: RowView | None,
    *,
    noun: str,
    declared: Sequence[Metric],
    order: np.ndarray | None = None,
) -> Evaluation:
    """Return the evaluation of a classifier on the validation rows.

    targets, view: of the validation rows; None: there are none. noun: name of the rows in the plural. declared: the
    metrics of the task. order: row number of each item of the Trainer's validation data set (rows,); None: 0, 1, 2, …
    """
    if targets is None or view is None:
        return Evaluation(run, 0, noun, declared=declared)
    same_labels = groups(targets)
    shown = balanced_sample(same_labels, SHOWN, run.params.seed)
    evaluator = LabelEvaluator if names.multi_label else ClassEvaluator
    return Evaluation(
        run,
        len(targets),
        noun,
        make=lambda: evaluator(run, same_labels, names, view, shown, noun),
        reduce=labels.reduce_logits if names.multi_label else classes.reduce_logits,
        order=order,
        declared=declared,
    )


def store_thresholds(config: Any, names: Labels, params: Any, evaluator: Evaluator | None, noun: str) -> str:
    """Store the decision thresholds of a multi-label model in its config; return a note about them for the card.

    params: with `threshold` and `tune_thresholds`. evaluator: of the final weights, if they were evaluated.
    """
    if not names.multi_label:
        return ""
    limits = np.full(len(names.names), params.threshold)
    if isinstance(evaluator, LabelEvaluator):
        limits = evaluator.thresholds()
    setattr(config, THRESHOLDS, {n: float(t) for n, t in zip(names.names, limits, strict=True)})
    return threshold_note(params, noun, evaluated=evaluator is not None)


class ClassEvaluator:
    """The state of one evaluation with one class per row. targets: (rows,). shown: rows of the sample predictions."""

    def __init__(
        self, run: Reporter, targets: np.ndarray, names: Labels, view: RowView, shown: list[int], noun: str
    ) -> None:
        self._run, self._names, self._view, self._shown = run, names.names, view, shown
        self._predictions = ClassPredictions(targets, names.names, noun)

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Add a batch of outputs of `classes.reduce_logits`."""
        self._predictions.update(outputs, targets, rows)

    def compute(self) -> dict[str, float]:
        """Return the metrics of `metrics.classification`."""
        return self._predictions.metrics()

    def sample_panel(self) -> Panel:
        """Show the predictions on the same few rows."""
        found = [self._prediction(row) for row in self._shown]
        samples = [SamplePrediction(p.row, f"{p.name} {p.score:.2f}", p.truth, p.name == p.truth) for p in found]
        return self._view.samples_panel(samples)

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics, with a trivial baseline."""
        return self._predictions.results_panel(values, declared)

    def mistakes(self) -> tuple[list[WrongPrediction], str]:
        """Return the most confident mistakes, and a note with the number of all."""
        rows, note = self._predictions.mistakes(MISTAKES)
        return [self._prediction(row) for row in rows], note

    def report(self) -> list[Panel]:
        """Return confusion matrix, metrics of each class, and the most confident mistakes."""
        warning = self._predictions.single_class_note()
        if warning:
            self._run.note(warning, level="warning")
        mistakes, note = self.mistakes()
        return [
            self._predictions.confusion_panel(),
            self._predictions.classes_panel(),
            self._view.mistakes_panel(mistakes, note, multi_label=False),
        ]

    def _prediction(self, row: int) -> WrongPrediction:
        """Return the prediction of a row, right or wrong."""
        predictions = self._predictions
        predicted, true = int(predictions.predicted[row]), int(predictions.targets[row])
        score = float(predictions.probability[row])
        return WrongPrediction(row, predicted, self._names[predicted], score, self._names[true])


class LabelEvaluator:
    """The state of one multi-label evaluation.

    same_labels: a group id of each row, equal for rows with the same labels. shown: rows of the sample predictions.
    """

    def __init__(
        self, run: Reporter, same_labels: np.ndarray, names: Labels, view: RowView, shown: list[int], noun: str
    ) -> None:
        self._params, self._rows, self._names, self._view = run.params, len(same_labels), names, view
        self._shown, self._noun = shown, noun
        self._predictions = LabelPredictions(
            same_labels,
            names.names,
            noun,
            threshold=run.params.threshold,
            tune=run.params.tune_thresholds,
            seed=run.params.seed,
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
        """Show the predictions on the same few rows."""
        samples, names = [], self._names.names
        for row in self._shown:
            scores, true_ids = self._predictions.shown_row(row)
            predicted = self._names.predicted(scores, self.thresholds())
            true = [names[i] for i in true_ids]
            shown = [f"{name} {scores[names.index(name)]:.2f}" for name in predicted]
            samples.append(SamplePrediction(row, _listed(shown), _listed(true), set(predicted) == set(true)))
        return self._view.samples_panel(samples)

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics."""
        noun = self._noun
        note = f"On {self._rows:,} validation {noun}. Accuracy: the share of {noun} whose labels are all right."
        return panels.numbers("Results", metrics.formatted(values, declared), note=note)

    def mistakes(self) -> tuple[list[WrongPrediction], str]:
        """Return the most confident wrong labels, and a note with the number of all."""
        found, note = self._predictions.mistakes()
        return [
            WrongPrediction(
                m.row,
                m.label,
                self._names.names[m.label],
                m.score,
                "assigned, but not true" if m.assigned else "true, but not assigned",
            )
            for m in found
        ], note

    def report(self) -> list[Panel]:
        """Return the metrics of each label, and the most confident wrong labels."""
        mistakes, note = self.mistakes()
        return [
            self._predictions.labels_panel(threshold_note(self._params, self._noun, evaluated=True)),
            self._view.mistakes_panel(mistakes, note, multi_label=True),
        ]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "no label"
