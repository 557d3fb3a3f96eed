"""Text classification: what is measured, shown on the way, and reported at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.text_classification.targets import Labels
from autotrain_gradio.training import metrics
from autotrain_gradio.training.evaluator import Judge, class_results, classes_panel, confusion_panel
from autotrain_gradio.training.sample_selection import spread
from autotrain_gradio.training.text import Texts

SHOWN = 8
"""Validation texts whose predictions are shown at each evaluation."""
MISTAKES = 24
CHARACTERS = 240
"""Of a text that is shown, at most."""


class View:
    """The validation texts, and how logits (texts, labels) look on them.

    texts, rows: as they are, and tokenised; empty and None where there are none.
    """

    def __init__(self, run: Reporter, texts: Sequence[str], rows: Texts | None, labels: Labels) -> None:
        self._run, self._texts, self._rows, self._labels = run, texts, rows, labels
        self._targets = rows.targets if rows is not None else np.empty(0, dtype=np.int64)
        self._groups = labels.groups(self._targets) if rows is not None else self._targets
        self._chosen = spread(self._groups, SHOWN, run.params.seed)

    def judge(self) -> Judge:
        """Return the judge that asks this view."""
        order = self._rows.restored if self._rows is not None else np.asarray
        return Judge(
            self._run,
            self._rows,
            "texts",
            measure=self.measure,
            show=self.sample,
            report=self.report,
            order=order,
            results=self._results,
        )

    def _results(self, found: dict[str, float], logits: np.ndarray) -> Panel:
        if not self._labels.several:
            return class_results(found, logits, self._targets, self._labels.names, "texts")
        note = f"On {len(logits):,} validation texts. Accuracy: the share of texts whose labels are all right."
        return panels.numbers("Results", metrics.shown(found), note=note)

    def thresholds(self, logits: np.ndarray | None) -> np.ndarray:
        """Return for each label the score from which on it is given; chosen on these texts, where that is wanted."""
        if logits is None:
            return np.full(len(self._labels.names), self._run.params.threshold)
        return self._chosen_on(self._labels.scores(logits), self._targets)

    def _chosen_on(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        usual = np.full(len(self._labels.names), self._run.params.threshold)
        if not self._run.params.tune_thresholds:
            return usual
        return np.where(targets.any(axis=0), metrics.thresholds_for_f1(scores, targets), usual)

    def thresholds_of_others(self, scores: np.ndarray) -> np.ndarray:
        """Return thresholds (texts, labels) chosen without the texts that they are measured on.

        The texts are halved, those with the same labels evenly; each half has the thresholds that are best on the
        other one (cross-fitting).
        """
        drawn = np.random.default_rng(self._run.params.seed).permutation(len(scores))
        order = drawn[np.argsort(self._groups[drawn], kind="stable")]
        found = np.empty(scores.shape)
        for half, others in ((order[::2], order[1::2]), (order[1::2], order[::2])):
            found[half] = self._chosen_on(scores[others], self._targets[others])
        return found

    def measure(self, logits: np.ndarray) -> dict[str, float]:
        """Return the figures; of several labels with thresholds that were chosen on other texts."""
        limits = self.thresholds_of_others(self._labels.scores(logits)) if self._labels.several else 0.5
        return self._labels.figures(logits, self._targets, limits)

    def note(self, logits: np.ndarray | None) -> str:
        """Say from which score on labels are given, and what that means for the figures; of one label nothing."""
        if not self._labels.several:
            return ""
        if logits is None or not self._run.params.tune_thresholds:
            return f"A label is given from a score of {self._run.params.threshold:g} on."
        return (
            "A label is given from its threshold on, which was chosen for the best F1 on the validation texts. The "
            "figures are of each half of these texts with thresholds chosen on the other half."
        )

    def sample(self, logits: np.ndarray) -> Panel:
        """Show what is said of the same few texts."""
        limits = self.thresholds(logits) if self._labels.several else 0.5
        scores = self._labels.scores(logits[self._chosen])
        rows = []
        for place, row in enumerate(self._chosen):
            said, true = self._labels.said(scores[place], limits), self._labels.true(self._targets[row])
            right = "✓" if set(said) == set(true) else "✗"
            rows.append([shortened(self._texts[row]), right, self._told(said, scores[place]), listed(true)])
        return panels.table(
            "Predictions on the same validation texts",
            ["text", "", "predicted", "true"],
            rows,
            id="samples",
            examples={"text": [row[0].removesuffix("…") for row in rows]},
        )

    def report(self, logits: np.ndarray) -> list[Panel]:
        """Return the panels of the results."""
        if self._labels.several:
            return [self._each_label(logits), self._wrong_labels(logits)]
        names = self._labels.names
        if len(names) == 2 and len(np.unique(self._targets)) == 1:
            self._run.note("The validation texts are all of one class: there is no AUC.", level="warning")
        return [
            confusion_panel(logits, self._targets, names, "texts"),
            classes_panel(logits, self._targets, names, "texts"),
            self._mistakes(logits),
        ]

    def _told(self, said: list[str], scores: np.ndarray) -> str:
        return listed([f"{name} {scores[self._labels.names.index(name)]:.2f}" for name in said])

    def _mistakes(self, logits: np.ndarray) -> Panel:
        shares = metrics.softmax(logits)
        wrong = np.flatnonzero(shares.argmax(axis=1) != self._targets)
        worst = wrong[np.argsort(-shares[wrong].max(axis=1), kind="stable")][:MISTAKES]
        names = self._labels.names
        rows = [
            [
                shortened(self._texts[row]),
                names[int(shares[row].argmax())],
                round(float(shares[row].max()), 4),
                names[int(self._targets[row])],
            ]
            for row in map(int, worst)
        ]
        of = f"of {len(self._targets):,} validation texts"
        note = f"{len(wrong):,} {of} are wrong." if len(wrong) else f"None {of} is wrong."
        return panels.table("Most confident mistakes", ["text", "predicted", "score", "true"], rows, note=note)

    def _each_label(self, logits: np.ndarray) -> Panel:
        scores, params = self._labels.scores(logits), self._run.params
        given, note = scores >= self.thresholds_of_others(scores), self.note(logits)
        names = list(self._labels.names)
        rows = metrics.per_label(scores, self._targets, names, self.thresholds(logits), given=given)
        if params.tune_thresholds:
            plain = metrics.multi_label(scores, self._targets, params.threshold)["f1_macro"]
            note += f" With {params.threshold:g} for all, F1 (macro) is {plain:.4f}."
        head = ["label", "threshold", "precision", "recall", "F1", "AUC", "texts"]
        return panels.table("Each label", head, rows, note=note)

    def _wrong_labels(self, logits: np.ndarray) -> Panel:
        scores = self._labels.scores(logits)
        given, wanted = scores >= self.thresholds_of_others(scores), self._targets > 0
        sure = np.where(given, scores, 1 - scores) * (given != wanted)
        order = np.argsort(-sure, axis=None, kind="stable")[:MISTAKES]
        rows: list[list[Any]] = []
        for row, label in zip(*np.unravel_index(order, sure.shape), strict=True):
            if given[row, label] == wanted[row, label]:
                break
            what = "given, but not true" if given[row, label] else "true, but not given"
            score = round(float(scores[row, label]), 4)
            rows.append([shortened(self._texts[int(row)]), self._labels.names[label], score, what])
        total, texts = int((given != wanted).sum()), int((given != wanted).any(axis=1).sum())
        note = f"{total:,} labels of {texts:,} texts are wrong; there are {len(given):,} validation texts."
        if not total:
            note = f"None: all labels of all {len(given):,} validation texts are right."
        return panels.table("Most confident mistakes", ["text", "label", "score", ""], rows, note=note)


def shortened(text: str) -> str:
    """Return a text on one line, cut where it is long."""
    line = " ".join(text[: 2 * CHARACTERS].split())
    return line if len(line) <= CHARACTERS else line[: CHARACTERS - 1] + "…"


def listed(names: Sequence[str]) -> str:
    """Return names with commas between; of no name a dash."""
    return ", ".join(names) or "–"
