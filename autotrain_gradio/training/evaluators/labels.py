"""Evaluation of multi-label classifiers: exact for any number of labels, and memory does not grow with rows × labels.

The scores of an evaluation are stored by label (`score_store`), in a temporary file if there are many, and read once,
label by label, when all rows are there. Then the store is closed: only sums, thresholds and a few rows are kept.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.training import metrics
from autotrain_gradio.training.evaluators.classes import first_output
from autotrain_gradio.training.evaluators.score_store import ScoreStore

MISTAKES = 24
"""Maximum number of mistakes that are kept."""


def reduce_logits(logits: Any, labels: torch.Tensor) -> torch.Tensor:
    """Return the logits float32 (batch, labels); other outputs of a model are dropped."""
    return first_output(logits).float()


def threshold_note(params: Any, noun: str, *, evaluated: bool) -> str:
    """Describe the thresholds, and how the metrics were computed. noun: name of the rows in the plural."""
    if not evaluated or not params.tune_thresholds:
        return f"A label is assigned if its score is at least {params.threshold:g}."
    return (
        "A label is assigned if its score is at least its threshold, which was tuned for the best F1 on the validation "
        f"{noun}. The metrics are cross-fitted: those of each half of these {noun} use thresholds tuned on the other "
        "half."
    )


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
    def zeros(cls, rows: int, labels: int) -> LabelCounts:
        """Return counts of nothing."""
        right, excess, missed = np.zeros((3, labels), dtype=np.int64)
        return cls(right, excess, missed, np.zeros(rows, dtype=np.int32))

    def add(self, label: int, assigned: np.ndarray, true: np.ndarray) -> None:
        """Count a label: whether it is assigned to each row and whether it is true, bool (rows,)."""
        right = int(np.count_nonzero(assigned & true))
        self.true_positives[label] = right
        self.false_positives[label] = np.count_nonzero(assigned) - right
        self.false_negatives[label] = np.count_nonzero(true) - right
        np.add(self.wrong, assigned != true, out=self.wrong)

    def metrics(self) -> dict[str, float]:
        """Return accuracy (all labels of a row right), Hamming loss, and F1, precision and recall with averages."""
        return metrics.multi_label_from_counts(
            self.true_positives, self.false_positives, self.false_negatives, self.wrong
        )


@dataclass(frozen=True)
class Mistake:
    """A wrong label of a row. score: from 0 to 1. assigned: the label is assigned and not true, or the opposite."""

    row: int
    label: int
    score: float
    assigned: bool

    @property
    def confidence(self) -> float:
        """The probability that the model gave to the wrong decision."""
        return self.score if self.assigned else 1 - self.score


class LabelPredictions:
    """The predictions of one evaluation of a multi-label classifier, with fixed or tuned thresholds.

    Tuned thresholds have the best F1 on the validation rows. Metrics are then computed by cross-fitting: the rows are
    halved, rows with the same labels evenly, and each half gets the thresholds that are best on the other half.

    Everything but `update` needs all rows.
    """

    def __init__(
        self,
        groups: np.ndarray,
        names: Sequence[str],
        noun: str,
        *,
        threshold: float,
        tune: bool,
        seed: int,
        shown: Sequence[int] = (),
        folder: Path | None = None,
    ) -> None:
        """Prepare an evaluation.

        Args:
            groups: a group id for each row (rows,), equal for rows with the same labels.
            names: the names of the labels.
            noun: name of the rows in the plural.
            threshold: the fixed threshold, also of labels without a positive row.
            tune: whether thresholds are tuned.
            seed: seed of the halves.
            shown: rows whose scores are kept.
            folder: where the temporary file is.
        """
        self.names, self.noun = list(names), noun
        self._rows, self._threshold, self._tune, self._folder = len(groups), threshold, tune, folder
        drawn = np.random.default_rng(seed).permutation(len(groups))
        self._half = np.zeros(len(groups), dtype=np.uint8)
        self._half[drawn[np.argsort(groups[drawn], kind="stable")][1::2]] = 1
        self._shown = {row: (np.zeros(len(names)), np.zeros(len(names), dtype=bool)) for row in shown}
        self._store: ScoreStore | None = ScoreStore(len(groups), len(names), folder)
        self._computed: _Computed | None = None

    def update(self, logits: np.ndarray, targets: np.ndarray, rows: np.ndarray) -> None:
        """Add a batch: outputs of `reduce_logits`, and the targets, 0 or 1 (batch, labels)."""
        assert self._store is not None, "the evaluation is complete"
        self._store.add(logits, targets, rows)
        for place, row in enumerate(rows.tolist()):
            if row in self._shown:
                self._shown[row] = metrics.sigmoid(logits[place]), targets[place] > 0

    def shown_row(self, row: int) -> tuple[np.ndarray, list[int]]:
        """Return the scores (labels,) and the ids of the true labels of a row of `shown`."""
        scores, true = self._shown[row]
        return scores, np.flatnonzero(true).tolist()

    def thresholds(self) -> np.ndarray:
        """Return the threshold of each label (labels,) for use on new rows."""
        return self._results().thresholds

    def metrics(self) -> dict[str, float]:
        """Return the metrics with cross-fitted thresholds; auc and map: means over the labels that have one."""
        found = self._results()
        values = found.counts.metrics()
        for name, each in (("auc", found.areas), ("map", found.precisions)):
            if defined := [value for value in each if value is not None]:
                values[name] = float(np.mean(defined))
        return values

    def labels_panel(self, note: str) -> Panel:
        """Return the table of threshold, precision, recall, F1, AUC and average precision of each label."""
        found = self._results()
        counts = np.stack(
            [found.counts.true_positives, found.counts.false_positives, found.counts.false_negatives], axis=1
        ).tolist()
        rows: list[list[Any]] = []
        ranked = [
            [None if v is None else round(v, 4) for v in pair]
            for pair in zip(found.areas, found.precisions, strict=True)
        ]
        for name, limit, pair, values in zip(self.names, found.thresholds, ranked, counts, strict=True):
            support = values[0] + values[2]
            scores = [round(s, 4) if support else None for s in metrics.precision_recall_f1(*values)]
            rows.append([name, round(float(limit), 4), *scores, *pair, support])
        if self._tune:
            plain = found.fixed.metrics()["f1_macro"]
            note += f" With the threshold {self._threshold:g} for all labels, F1 (macro) is {plain:.4f}."
        head = ["label", "threshold", "precision", "recall", "F1", "AUC", "AP", self.noun]
        return panels.table("Each label", head, rows, note=note)

    def mistakes(self) -> tuple[list[Mistake], str]:
        """Return the most confident wrong labels, at most `MISTAKES`, and a note with the number of all."""
        found = self._results()
        wrong, rows = found.counts.wrong, self._rows
        if not (total := int(wrong.sum())):
            return [], f"None: all labels of all {rows:,} validation {self.noun} are right."
        of = f"{np.count_nonzero(wrong):,} of {rows:,} validation {self.noun}"
        return found.mistakes, f"{total:,} labels of {of} are wrong."

    def _results(self) -> _Computed:
        if self._computed is None:
            assert self._store is not None
            self._computed = self._compute(self._store)
            self._store.close()
            self._store = None
        return self._computed

    def _compute(self, store: ScoreStore) -> _Computed:
        labels = len(self.names)
        half = self._half[store.row_numbers]
        thresholds = np.full(labels, self._threshold)
        crossed = np.full((2, labels), self._threshold)
        counts, fixed = (LabelCounts.zeros(self._rows, labels) for _ in range(2))
        areas: list[float | None] = []
        precisions: list[float | None] = []
        mistakes: list[Mistake] = []
        for label, (logits, true) in enumerate(store.columns()):
            scores = metrics.sigmoid(logits)
            ranked = metrics.RankedScores.of(scores, true)
            areas.append(ranked.auc())
            precisions.append(ranked.average_precision())
            if self._tune and len(ranked.positives):
                thresholds[label] = ranked.threshold_for_f1()
                for number in (0, 1):
                    others = half != number
                    if true[others].any():
                        crossed[number, label] = metrics.RankedScores.of(
                            scores[others], true[others]
                        ).threshold_for_f1()
            assigned = scores >= crossed[half, label]
            counts.add(label, assigned, true)
            if self._tune:
                fixed.add(label, scores >= self._threshold, true)
            least = mistakes[-1].confidence if len(mistakes) == MISTAKES else -1.0
            found = _mistakes(label, scores, assigned, true, store.row_numbers, least)
            mistakes = heapq.nsmallest(MISTAKES, [*mistakes, *found], key=lambda m: (-m.confidence, m.row, m.label))
        return _Computed(thresholds, counts, fixed if self._tune else counts, areas, precisions, mistakes)


@dataclass(frozen=True)
class _Computed:
    """What is kept of an evaluation. fixed: with the fixed threshold. wrong labels are in the order of the store."""

    thresholds: np.ndarray
    counts: LabelCounts
    fixed: LabelCounts
    areas: list[float | None]
    precisions: list[float | None]
    mistakes: list[Mistake]


def _mistakes(
    label: int, scores: np.ndarray, assigned: np.ndarray, true: np.ndarray, row_numbers: np.ndarray, least: float
) -> Iterator[Mistake]:
    """Yield the most confident mistakes of a label whose confidence is at least `least`, at most `MISTAKES`."""
    wrong = np.flatnonzero(assigned != true)
    confidence = np.where(assigned[wrong], scores[wrong], 1 - scores[wrong])
    wrong, confidence = wrong[confidence >= least], confidence[confidence >= least]
    for place in wrong[np.lexsort((row_numbers[wrong], -confidence))[:MISTAKES]]:
        yield Mistake(int(row_numbers[place]), label, float(scores[place]), bool(assigned[place]))
