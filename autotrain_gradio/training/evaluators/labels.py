"""Evaluation of multi-label classifiers: at most 32 scores a row, whatever the number of labels.

Up to 32 labels everything is exact. With more, a row stores the scores of its true labels and the highest others. A
score that is not stored counts as below every threshold and every stored score; this can only change the AUC.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.training import metrics
from autotrain_gradio.training.evaluators.classes import first_output

MAX_SCORES = 32
"""Maximum number of stored scores per row."""


def reduce_logits(logits: Any, labels: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Reduce logits (batch, labels) to at most `MAX_SCORES` a row: logits float32, label ids int32, and whether true.

    labels: 0 or 1 (batch, labels).
    """
    values = first_output(logits).float()
    count = min(MAX_SCORES, values.shape[-1])
    if count == values.shape[-1]:
        numbers = torch.arange(count, device=values.device).expand_as(values)
    else:
        # True labels come first: a probability is at most 1.
        numbers = (values.sigmoid() + 2 * (labels > 0)).topk(count, dim=-1).indices
    return values.gather(-1, numbers), numbers.to(torch.int32), (labels > 0).gather(-1, numbers)


@dataclass(frozen=True)
class LabelColumn:
    """The scores of one label: rows int64, scores float64 from 0 to 1, and whether the label is true, each (stored,).

    others: number of rows whose score of this label is not stored; the label is false in them.
    """

    rows: np.ndarray
    scores: np.ndarray
    true: np.ndarray
    others: int

    def auc(self) -> float | None:
        """Return the area under the ROC curve; None where the label is true in all rows or in none."""
        positive = int(self.true.sum())
        negative = len(self.true) - positive
        if not positive or not negative + self.others:
            return None
        stored = metrics.area_under_curve(self.scores, self.true) if negative else 0.0
        # Every pair with a row that is not stored is in the right order.
        return ((stored or 0.0) * negative + self.others) / (negative + self.others)


class LabelScores:
    """The scores of one evaluation, updated with outputs of `reduce_logits`."""

    def __init__(self, rows: int, labels: int) -> None:
        self.rows, self.labels = rows, labels
        width = min(MAX_SCORES, labels)
        self._logits = np.zeros((rows, width), dtype=np.float32)
        self._true = np.zeros((rows, width), dtype=bool)
        self._numbers = np.zeros((rows, width), dtype=np.int32) if labels > MAX_SCORES else None
        self._order: tuple[np.ndarray, np.ndarray] | None = None

    def update(self, outputs: tuple[np.ndarray, ...], targets: np.ndarray, rows: np.ndarray) -> None:
        """Add a batch."""
        self._logits[rows], self._true[rows] = outputs[0], outputs[2]
        if self._numbers is not None:
            self._numbers[rows] = outputs[1]

    def row(self, row: int) -> np.ndarray:
        """Return the scores of a row (labels,); 0 where they are not stored."""
        scores = np.zeros(self.labels)
        scores[slice(None) if self._numbers is None else self._numbers[row]] = metrics.sigmoid(self._logits[row])
        return scores

    def true_labels(self, row: int) -> list[int]:
        """Return the ids of the true labels of a row."""
        found = np.flatnonzero(self._true[row])
        return (found if self._numbers is None else np.sort(self._numbers[row][found])).tolist()

    def column(self, label: int) -> LabelColumn:
        """Return the scores of one label."""
        if self._numbers is None:
            return LabelColumn(
                np.arange(self.rows), metrics.sigmoid(self._logits[:, label]), self._true[:, label].astype(np.int8), 0
            )
        order, starts = self._by_label()
        places = order[starts[label] : starts[label + 1]]
        rows = places // MAX_SCORES
        scores, true = metrics.sigmoid(self._logits.reshape(-1)[places]), self._true.reshape(-1)[places].astype(np.int8)
        return LabelColumn(rows, scores, true, self.rows - len(rows))

    def columns(self) -> Iterator[LabelColumn]:
        """Yield the scores of each label."""
        return (self.column(label) for label in range(self.labels))

    def _by_label(self) -> tuple[np.ndarray, np.ndarray]:
        if self._order is None:
            assert self._numbers is not None
            flat = self._numbers.reshape(-1)
            order = np.argsort(flat, kind="stable").astype(np.int32 if flat.size < 2**31 else np.int64)
            counts = np.bincount(flat, minlength=self.labels)
            self._order = order, np.concatenate([[0], np.cumsum(counts)])
        return self._order


@dataclass(frozen=True)
class LabelCounts:
    """True and false positives and false negatives, int64 (labels,) each, at some thresholds.

    wrong: number of wrong labels of each row (rows,).
    """

    true_positives: np.ndarray
    false_positives: np.ndarray
    false_negatives: np.ndarray
    wrong: np.ndarray

    @classmethod
    def of(cls, scores: LabelScores, thresholds: Thresholds) -> LabelCounts:
        """Count; a score that reaches its threshold assigns the label."""
        counts = np.zeros((3, scores.labels), dtype=np.int64)
        wrong = np.zeros(scores.rows, dtype=np.int32)
        for label, column in enumerate(scores.columns()):
            assigned, true = thresholds.assigned(label, column), column.true > 0
            counts[:, label] = (assigned & true).sum(), (assigned & ~true).sum(), (~assigned & true).sum()
            wrong[column.rows[assigned != true]] += 1
        return cls(counts[0], counts[1], counts[2], wrong)

    def metrics(self) -> dict[str, float]:
        """Return accuracy (all labels of a row right), Hamming loss, and F1, precision and recall with averages."""
        return metrics.multi_label_from_counts(
            self.true_positives, self.false_positives, self.false_negatives, self.wrong
        )


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of each label, which may differ between subsets of the rows.

    values: (subsets, labels). part: the subset of each row, uint8 (rows,).
    """

    values: np.ndarray
    part: np.ndarray

    @classmethod
    def same(cls, values: np.ndarray, rows: int) -> Thresholds:
        """Return the same thresholds (labels,) for all rows."""
        return cls(values[None], np.zeros(rows, dtype=np.uint8))

    def assigned(self, label: int, column: LabelColumn) -> np.ndarray:
        """Return whether the label is assigned to each of the column's rows, bool (stored,)."""
        reached: np.ndarray = column.scores >= self.values[self.part[column.rows], label]
        return reached


class LabelPredictions:
    """The predictions of one evaluation of a multi-label classifier, with fixed or tuned thresholds.

    Tuned thresholds have the best F1 on the validation rows. Metrics are then computed by cross-fitting: the rows are
    halved, rows with the same labels evenly, and each half gets the thresholds that are best on the other half.

    Attributes:
        scores: the scores of all rows.
    """

    def __init__(
        self, groups: np.ndarray, names: Sequence[str], noun: str, *, threshold: float, tune: bool, seed: int
    ) -> None:
        """Prepare an evaluation.

        Args:
            groups: a group id for each row (rows,), equal for rows with the same labels.
            names: the names of the labels.
            noun: name of the rows in the plural.
            threshold: the fixed threshold, also of labels without a positive row.
            tune: whether thresholds are tuned.
            seed: seed of the halves.
        """
        self.scores = LabelScores(len(groups), len(names))
        self.names, self.noun = list(names), noun
        self._threshold, self._tune = threshold, tune
        drawn = np.random.default_rng(seed).permutation(len(groups))
        self._half = np.zeros(len(groups), dtype=np.uint8)
        self._half[drawn[np.argsort(groups[drawn], kind="stable")][1::2]] = 1
        self._final: np.ndarray | None = None
        self._crossed: Thresholds | None = None

    def update(self, outputs: tuple[np.ndarray, ...], targets: np.ndarray, rows: np.ndarray) -> None:
        """Add a batch of outputs of `reduce_logits`."""
        self.scores.update(outputs, targets, rows)

    def thresholds(self) -> np.ndarray:
        """Return the threshold of each label (labels,) for use on new rows."""
        if self._final is None:
            self._final = self._tuned(None) if self._tune else np.full(self.scores.labels, self._threshold)
        return self._final

    def cross_fitted(self) -> Thresholds:
        """Return thresholds that were not chosen on the rows to which they apply."""
        if self._crossed is None:
            if self._tune:
                self._crossed = Thresholds(np.stack([self._tuned(1), self._tuned(0)]), self._half)
            else:
                self._crossed = Thresholds.same(self.thresholds(), self.scores.rows)
        return self._crossed

    def metrics(self) -> dict[str, float]:
        """Return the metrics with cross-fitted thresholds; auc: mean over the labels that have one."""
        values = LabelCounts.of(self.scores, self.cross_fitted()).metrics()
        areas = [area for column in self.scores.columns() if (area := column.auc()) is not None]
        return {**values, "auc": float(np.mean(areas))} if areas else values

    def labels_panel(self, note: str) -> Panel:
        """Return the table of threshold, precision, recall, F1 and AUC of each label."""
        counts, limits = LabelCounts.of(self.scores, self.cross_fitted()), self.thresholds()
        rows: list[list[Any]] = []
        for label, column in enumerate(self.scores.columns()):
            found = [int(c[label]) for c in (counts.true_positives, counts.false_positives, counts.false_negatives)]
            support, area = found[0] + found[2], column.auc()
            scores = [round(s, 4) if support else None for s in metrics.precision_recall_f1(*found)]
            auc = None if area is None else round(area, 4)
            rows.append([self.names[label], round(float(limits[label]), 4), *scores, auc, support])
        if self._tune:
            fixed = Thresholds.same(np.full(self.scores.labels, self._threshold), self.scores.rows)
            plain = LabelCounts.of(self.scores, fixed).metrics()["f1_macro"]
            note += f" With the threshold {self._threshold:g} for all labels, F1 (macro) is {plain:.4f}."
        head = ["label", "threshold", "precision", "recall", "F1", "AUC", self.noun]
        return panels.table("Each label", head, rows, note=note)

    def mistakes(self, count: int) -> tuple[list[tuple[int, int, float, bool]], str]:
        """Return the most confident wrong labels as `(row, label, score, assigned)`, and a note with their number."""
        found: list[tuple[float, int, int, float, bool]] = []
        thresholds, total = self.cross_fitted(), 0
        wrong_rows = np.zeros(self.scores.rows, dtype=bool)
        for label, column in enumerate(self.scores.columns()):
            assigned = thresholds.assigned(label, column)
            wrong = np.flatnonzero(assigned != (column.true > 0))
            total += len(wrong)
            wrong_rows[column.rows[wrong]] = True
            sure = np.where(assigned, column.scores, 1 - column.scores)[wrong]
            for place in wrong[np.argsort(-sure, kind="stable")[:count]]:
                score, given = float(column.scores[place]), bool(assigned[place])
                found.append((-(score if given else 1 - score), int(column.rows[place]), label, score, given))
        found.sort(key=lambda one: one[:3])
        rows = self.scores.rows
        note = f"None: all labels of all {rows:,} validation {self.noun} are right."
        if total:
            note = f"{total:,} labels of {int(wrong_rows.sum()):,} of {rows:,} validation {self.noun} are wrong."
        return [one[1:] for one in found[:count]], note

    def _tuned(self, half: int | None) -> np.ndarray:
        """Return the thresholds (labels,) with the best F1 on all rows, or on one half."""
        found = np.full(self.scores.labels, self._threshold)
        for label, column in enumerate(self.scores.columns()):
            chosen = slice(None) if half is None else self._half[column.rows] == half
            true = column.true[chosen]
            if true.any():
                found[label] = metrics.threshold_for_f1(column.scores[chosen], true)
        return found
