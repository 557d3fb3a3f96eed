"""Labels as a classifier learns them, and what its logits mean: one class a text, or any number of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from datasets import ClassLabel, Dataset

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.training import metrics


@dataclass(frozen=True)
class Labels:
    """The labels of a data set. several: a text may have any number of them."""

    names: tuple[str, ...]
    several: bool

    @classmethod
    def of(cls, rows: Dataset) -> Labels:
        """Read them off the column `target`.

        Raises:
            DataError: there is nothing to tell apart.
        """
        feature = rows.features["target"]
        several = not isinstance(feature, ClassLabel)
        names = tuple((feature.feature if several else feature).names)
        if len(names) < (1 if several else 2):
            raise DataError("There is only one class.", "Add texts of at least one other.", "data", "one-class")
        return cls(names, several)

    def targets(self, rows: Dataset) -> np.ndarray:
        """Return the classes int64 (texts,), or 0 and 1 for each label, float32 (texts, labels)."""
        given = rows["target"]
        if not self.several:
            return np.asarray(given, dtype=np.int64)
        found = np.zeros((len(given), len(self.names)), dtype=np.float32)
        for row, indices in enumerate(given):
            found[row, indices] = 1
        return found

    def scores(self, logits: np.ndarray) -> np.ndarray:
        """Return scores from 0 to 1 of logits (texts, labels): shares of 1, or each label for itself."""
        if not self.several:
            return metrics.softmax(logits)
        return 0.5 * (1 + np.tanh(0.5 * logits.astype(np.float64)))

    def figures(
        self, logits: np.ndarray, targets: np.ndarray, thresholds: np.ndarray | float = 0.5
    ) -> dict[str, float]:
        """Measure logits (texts, labels) against targets."""
        if not self.several:
            return metrics.classification(logits, targets)
        return metrics.multi_label(self.scores(logits), targets, thresholds)

    def said(self, scores: np.ndarray, thresholds: np.ndarray | float = 0.5) -> list[str]:
        """Return the labels that scores (labels,) give to one text, the likeliest first."""
        order = np.argsort(-scores, kind="stable")
        if not self.several:
            return [self.names[order[0]]]
        given = np.broadcast_to(scores >= thresholds, scores.shape)
        return [self.names[i] for i in order if given[i]]

    def true(self, target: Any) -> list[str]:
        """Return the names of one text's own labels."""
        return [self.names[i] for i in (np.flatnonzero(target) if self.several else [int(target)])]

    def groups(self, targets: np.ndarray) -> np.ndarray:
        """Return a number (texts,) for each text, the same for those with the same labels."""
        return np.unique(targets, axis=0, return_inverse=True)[1].reshape(-1) if self.several else targets
