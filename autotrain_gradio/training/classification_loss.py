"""The loss of classifiers: one class per row, or multi-label."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from autotrain_gradio.training.label_sets import LabelSets


def loss_function(params: Any, targets: np.ndarray | LabelSets) -> Callable[..., torch.Tensor]:
    """Return the loss with class weights and label smoothing.

    One class a row: cross-entropy, with balanced weights rows / (classes that occur × rows of the class), as
    scikit-learn's `class_weight="balanced"`. Multi-label: binary cross-entropy, with negatives / positives as weight of
    the positives of each label; smoothing moves 0 and 1 towards 0.5. The loss is the mean over
    all rows (and labels) of an optimizer step, accumulated batches included.
    """
    multi_label, balanced = isinstance(targets, LabelSets), params.class_weights == "balanced"
    counts = targets.counts() if isinstance(targets, LabelSets) else np.bincount(targets)
    there = counts > 0
    weights = None
    if balanced and multi_label:
        weights = torch.tensor(np.where(there, (len(targets) - counts) / np.maximum(counts, 1), 1.0))
        weights = weights.clamp(min=1 / len(targets))  # a label of all rows must still be learned
    elif balanced:
        weights = torch.tensor(np.where(there, len(targets) / (there.sum() * np.maximum(counts, 1)), 0.0))

    def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        logits = outputs.logits
        scale = None if weights is None else weights.to(logits)
        if multi_label:
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
