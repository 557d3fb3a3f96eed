"""Metrics of one label from its scores, sorted once: area under the ROC curve, average precision, best threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RankedScores:
    """The scores of a label, in ascending order: of the rows that have it, and of the others; both (rows,)."""

    positives: np.ndarray
    negatives: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray, targets: np.ndarray) -> RankedScores:
        """Sort scores (rows,) by targets, 0 or 1 or bool (rows,)."""
        true = targets > 0
        return cls(np.sort(scores[true]), np.sort(scores[~true]))

    def auc(self) -> float | None:
        """Return the area under the ROC curve; None if all rows have the label, or none has.

        It is the share of the pairs of a positive and a negative in which the positive has the higher score; ties count
        half (Mann-Whitney U).
        """
        pairs = len(self.positives) * len(self.negatives)
        if not pairs:
            return None
        below = np.searchsorted(self.negatives, self.positives, side="left").sum(dtype=np.int64)
        not_above = np.searchsorted(self.negatives, self.positives, side="right").sum(dtype=np.int64)
        return float(int(below) + int(not_above)) / 2 / pairs

    def average_precision(self) -> float | None:
        """Return the average precision; None if no row has the label.

        It is the mean over the positives of the precision at their score: as scikit-learn's `average_precision_score`.
        """
        if not len(self.positives):
            return None
        limits, first, counts = np.unique(self.positives, return_index=True, return_counts=True)
        true_positives = len(self.positives) - first
        false_positives = len(self.negatives) - np.searchsorted(self.negatives, limits, side="left")
        precision = true_positives / (true_positives + false_positives)
        return float((counts * precision).sum() / len(self.positives))

    def threshold_for_f1(self) -> float:
        """Return the threshold with the best F1; 0.5 where no row has the label.

        The scores are from 0 to 1. Ties are resolved towards 0.5; each threshold lies half-way between two scores that
        occur, so that rounding does not matter.
        """
        if not len(self.positives):
            return 0.5
        # Only the score of a positive can be the best limit: any other adds false positives alone.
        limits, first = np.unique(self.positives, return_index=True)
        true_positives = len(self.positives) - first
        smaller = np.searchsorted(self.negatives, limits, side="left")
        assigned = true_positives + len(self.negatives) - smaller
        f1 = 2 * true_positives / (assigned + len(self.positives))
        below = np.concatenate([[0.0], limits[:-1]])
        if len(self.negatives):
            below = np.maximum(below, np.where(smaller > 0, self.negatives[np.maximum(smaller, 1) - 1], 0.0))
        between = (below + limits) / 2
        best = np.flatnonzero(f1 >= f1.max() - 1e-12)
        chosen = best[np.abs(between[best] - 0.5).argmin()]
        # Between two neighbouring scores all thresholds are equivalent: 0.5 itself, where it lies there.
        return 0.5 if below[chosen] < 0.5 <= limits[chosen] else float(between[chosen])
