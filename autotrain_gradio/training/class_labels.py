"""Labels of rows and their scores from logits: one class per row, or multi-label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from datasets import ClassLabel, Dataset

from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import DataError
from autotrain_gradio.training import metrics
from autotrain_gradio.training.label_sets import LabelSets

THRESHOLDS = "label_thresholds"
"""Key of a multi-label model's config.json: label → decision threshold."""


@dataclass(frozen=True)
class Labels:
    """The labels of a data set. multi_label: a row may have any number of them."""

    names: tuple[str, ...]
    multi_label: bool

    @classmethod
    def of(cls, rows: Dataset, noun: str = "texts") -> Labels:
        """Return the labels of the column `target`. noun: name of the rows in the plural.

        Raises:
            DataError: there is only one class.
        """
        feature = rows.features["target"]
        multi_label = not isinstance(feature, ClassLabel)
        names = tuple((feature.feature if multi_label else feature).names)
        if len(names) < (1 if multi_label else 2):
            raise DataError("There is only one class.", f"Add {noun} of at least one other.", "data", "one-class")
        return cls(names, multi_label)

    @classmethod
    def of_config(cls, config: Any) -> Labels:
        """Return the labels of a trained model."""
        names = tuple(config.id2label[i] for i in range(config.num_labels))
        return cls(names, config.problem_type == "multi_label_classification")

    def targets(self, rows: Dataset) -> np.ndarray | LabelSets:
        """Return the classes int64 (rows,), or the label sets of multi-label rows."""
        if self.multi_label:
            return LabelSets.of_column(rows, "target", len(self.names))
        return np.asarray(rows["target"], dtype=np.int64)

    def of_row(self, rows: Dataset, row: int) -> str:
        """Return the names of the class or the labels of a row, separated by commas."""
        target = rows[row]["target"]
        return ", ".join(self.names[int(i)] for i in (target if self.multi_label else [target])) or "no label"

    def scores(self, logits: np.ndarray) -> np.ndarray:
        """Return probabilities of logits (rows, labels): softmax of classes, sigmoid of each label."""
        return metrics.sigmoid(logits) if self.multi_label else metrics.softmax(logits)

    def predicted(self, scores: np.ndarray, thresholds: np.ndarray | float = 0.5) -> list[str]:
        """Return the predicted labels of a row for scores (labels,), the highest score first."""
        order = np.argsort(-scores, kind="stable")
        if not self.multi_label:
            return [self.names[order[0]]]
        assigned = np.broadcast_to(scores >= thresholds, scores.shape)
        return [self.names[i] for i in order if assigned[i]]

    def prediction(self, scores: np.ndarray, thresholds: np.ndarray, note: str = "") -> dict[str, Any]:
        """Return the answer for the scores (labels,) of a row, the highest first, with the panel that shows it.

        thresholds: of each label (labels,), for multi-label answers.
        """
        order = np.argsort(-scores, kind="stable")
        named = {self.names[i]: float(scores[i]) for i in order}
        noted = {"note": note} if note else {}
        if not self.multi_label:
            panel = panels.scores("Prediction", named, note=note)
            return {"label": next(iter(named)), "scores": named, **noted, "panels": [panel]}
        limits = {self.names[i]: float(thresholds[i]) for i in order}
        labels = self.predicted(scores, thresholds)
        panel = panels.scores("Prediction", named, predicted=labels, thresholds=limits, note=note)
        return {"labels": labels, "scores": named, "thresholds": limits, **noted, "panels": [panel]}


def thresholds_of(config: Any, labels: Labels) -> np.ndarray:
    """Return the decision threshold of each label (labels,) of a trained model: 0.5 where none is stored."""
    limits = getattr(config, THRESHOLDS, None) or {}
    return np.asarray([limits.get(name, 0.5) for name in labels.names])


def groups(targets: np.ndarray | LabelSets) -> np.ndarray:
    """Return a group id for each row (rows,), equal for rows with the same class or the same labels."""
    return targets.groups() if isinstance(targets, LabelSets) else targets
