"""Labels of texts and their scores from logits: one class per text, or multi-label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from datasets import ClassLabel, Dataset

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.training import metrics
from autotrain_gradio.training.label_sets import LabelSets


@dataclass(frozen=True)
class Labels:
    """The labels of a data set. multi_label: a text may have any number of them."""

    names: tuple[str, ...]
    multi_label: bool

    @classmethod
    def of(cls, rows: Dataset) -> Labels:
        """Return the labels of the column `target`.

        Raises:
            DataError: there is only one class.
        """
        feature = rows.features["target"]
        multi_label = not isinstance(feature, ClassLabel)
        names = tuple((feature.feature if multi_label else feature).names)
        if len(names) < (1 if multi_label else 2):
            raise DataError("There is only one class.", "Add texts of at least one other.", "data", "one-class")
        return cls(names, multi_label)

    def targets(self, rows: Dataset) -> np.ndarray | LabelSets:
        """Return the classes int64 (texts,), or the label sets of multi-label texts."""
        if self.multi_label:
            return LabelSets.of_column(rows, "target", len(self.names))
        return np.asarray(rows["target"], dtype=np.int64)

    def scores(self, logits: np.ndarray) -> np.ndarray:
        """Return probabilities of logits (texts, labels): softmax of classes, sigmoid of each label."""
        return metrics.sigmoid(logits) if self.multi_label else metrics.softmax(logits)

    def predicted(self, scores: np.ndarray, thresholds: np.ndarray | float = 0.5) -> list[str]:
        """Return the predicted labels of a text for scores (labels,), the highest score first."""
        order = np.argsort(-scores, kind="stable")
        if not self.multi_label:
            return [self.names[order[0]]]
        assigned = np.broadcast_to(scores >= thresholds, scores.shape)
        return [self.names[i] for i in order if assigned[i]]


def groups(targets: np.ndarray | LabelSets) -> np.ndarray:
    """Return a group id for each text (texts,), equal for texts with the same class or the same labels."""
    return targets.groups() if isinstance(targets, LabelSets) else targets
