"""Evaluation of classifiers with one class per row: 8 bytes a row, whatever the number of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.training import metrics

MATRIX_CLASSES = 40
"""Maximum number of classes of a confusion matrix; with more, the most frequent confusions are listed."""
TABLE_CLASSES = 200


def reduce_logits(logits: Any, labels: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Reduce logits (batch, classes) to the predicted class int32 (batch,) and its probability float32 (batch,).

    With two classes also the difference of their logits float32 (batch,), from which the AUC is computed. Other outputs
    of a model are dropped.
    """
    values = first_output(logits)
    probability, predicted = values.float().softmax(dim=-1).max(dim=-1)
    reduced = (predicted.to(torch.int32), probability)
    return reduced if values.shape[-1] != 2 else (*reduced, (values[:, 1] - values[:, 0]).float())


def first_output(outputs: Any) -> torch.Tensor:
    """Return the logits; some models return a tuple with hidden states."""
    found: torch.Tensor = outputs[0] if isinstance(outputs, tuple | list) else outputs
    return found


class ClassPredictions:
    """The predictions of one evaluation, updated with outputs of `reduce_logits`.

    Attributes:
        predicted: int32 (rows,). probability: of the predicted class, float32 (rows,). targets: int64 (rows,).
    """

    def __init__(self, targets: np.ndarray, names: Sequence[str], noun: str) -> None:
        self.targets, self.names, self.noun = targets, list(names), noun
        self.predicted = np.zeros(len(targets), dtype=np.int32)
        self.probability = np.zeros(len(targets), dtype=np.float32)
        self._difference = np.zeros(len(targets), dtype=np.float32) if len(self.names) == 2 else None

    def update(self, outputs: tuple[np.ndarray, ...], targets: np.ndarray, rows: np.ndarray) -> None:
        """Add a batch.

        Raises:
            RuntimeError: the labels of the batch are not those of the rows, so the order of the rows is wrong.
        """
        if not np.array_equal(targets, self.targets[rows]):
            raise RuntimeError("the batches of the evaluation are not in the order of the validation rows")
        self.predicted[rows], self.probability[rows] = outputs[0], outputs[1]
        if self._difference is not None:
            self._difference[rows] = outputs[2]

    def metrics(self) -> dict[str, float]:
        """Return the metrics of `metrics.classification`."""
        return metrics.classification(self.predicted, self.targets, len(self.names), self._difference)

    def mistakes(self, count: int) -> tuple[list[int], str]:
        """Return the rows of the most confident mistakes, at most `count`, and a note with their total number."""
        wrong = np.flatnonzero(self.predicted != self.targets)
        order = np.argsort(-self.probability[wrong], kind="stable")[:count]
        of = f"of {len(self.targets):,} validation {self.noun}"
        return wrong[order].tolist(), f"{len(wrong):,} {of} are wrong." if len(wrong) else f"None {of} is wrong."

    def single_class_note(self) -> str:
        """Return a warning if only one of two classes occurs; else empty."""
        if len(self.names) == 2 and len(np.unique(self.targets)) == 1:
            return f"All validation {self.noun} have the same class, so there is no AUC."
        return ""

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics, with the accuracy of always predicting the most frequent class."""
        note = metrics.compare_with_majority_class(self.predicted, self.targets, self.names, f"validation {self.noun}")
        return panels.numbers("Results", metrics.formatted(values, declared, one_class=True), note=note)

    def confusion_panel(self) -> Panel:
        """Return the confusion matrix, or with many classes a table of the most frequent confusions."""
        if len(self.names) <= MATRIX_CLASSES:
            counts = metrics.confusion_matrix(self.predicted, self.targets, len(self.names))
            return panels.matrix("Confusion matrix", self.names, counts.tolist(), rows="true", columns="predicted")
        pairs = metrics.most_frequent_confusions(self.predicted, self.targets, MATRIX_CLASSES)
        rows = [[self.names[true], self.names[predicted], count] for true, predicted, count in pairs]
        return panels.table("Most frequent confusions", ["true", "predicted", self.noun], rows)

    def classes_panel(self) -> Panel:
        """List precision, recall and F1 of each class; with very many, of those with the lowest F1."""
        rows = metrics.per_class(self.predicted, self.targets, self.names)
        note = ""
        if len(rows) > TABLE_CLASSES:
            rows.sort(key=lambda r: (r[3] is None, r[3] or 0.0))
            note = f"The {TABLE_CLASSES} of {len(rows):,} classes with the lowest F1."
        head = ["class", "precision", "recall", "F1", self.noun]
        return panels.table("Each class", head, rows[:TABLE_CLASSES], note=note)
