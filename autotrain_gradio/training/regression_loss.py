"""Text regression: the loss function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

FUNCTIONS: dict[str, Callable[..., torch.Tensor]] = {
    "mse": torch.nn.functional.mse_loss,
    "huber": torch.nn.functional.huber_loss,
    "mae": torch.nn.functional.l1_loss,
}


def loss_function(name: str) -> Callable[..., torch.Tensor]:
    """Return the loss between outputs and standardized targets (batch, targets), as `params.loss_function` names it.

    It is the mean over all texts and targets of an optimizer step, accumulated batches included.
    """
    function = FUNCTIONS[name]

    def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        total = function(outputs.logits.float().reshape(labels.shape), labels, reduction="sum")
        return total / (labels.numel() if num_items_in_batch is None else num_items_in_batch)

    return loss
