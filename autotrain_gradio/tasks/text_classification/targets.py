"""Labels as a classifier learns them, and what its logits mean: one class a text, or any number of labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from datasets import ClassLabel, Dataset

from autotrain_gradio.errors import DataError
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


def loss_function(params: Any, targets: np.ndarray) -> Callable[..., torch.Tensor]:
    """Return the loss with the class weights and the smoothing asked for.

    One class a text: cross-entropy, with balanced weights texts / (classes that occur × texts of the class), as
    scikit-learn's `class_weight="balanced"`. Several labels: binary cross-entropy of each, the texts that have it
    weighted by those that have not / those that have; smoothing moves 0 and 1 towards a half. The loss is the mean over
    all texts (and labels) of an optimizer step, accumulated batches included.
    """
    several, balanced = targets.ndim == 2, params.class_weights == "balanced"
    counts = targets.sum(axis=0) if several else np.bincount(targets)
    there = counts > 0
    weights = None
    if balanced and several:
        weights = torch.tensor(np.where(there, (len(targets) - counts) / np.maximum(counts, 1), 1.0))
        weights = weights.clamp(min=1 / len(targets))  # a label that all texts have is still to be learned
    elif balanced:
        weights = torch.tensor(np.where(there, len(targets) / (there.sum() * np.maximum(counts, 1)), 0.0))

    def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        logits = outputs.logits
        scale = None if weights is None else weights.to(logits)
        if several:
            wanted = labels.to(logits) * (1 - params.label_smoothing) + params.label_smoothing / 2
            total = torch.nn.functional.binary_cross_entropy_with_logits(
                logits, wanted, pos_weight=scale, reduction="sum"
            )
        else:
            if scale is not None and len(scale) < logits.shape[-1]:
                scale = torch.nn.functional.pad(scale, (0, logits.shape[-1] - len(scale)))
            total = torch.nn.functional.cross_entropy(
                logits, labels, weight=scale, label_smoothing=params.label_smoothing, reduction="sum"
            )
        return total / (labels.numel() if num_items_in_batch is None else num_items_in_batch)

    return loss
