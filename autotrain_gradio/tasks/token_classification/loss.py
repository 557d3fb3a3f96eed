"""Token classification: the loss function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from autotrain_gradio.tasks.token_classification.windows import IGNORED


def loss_function(label_smoothing: float) -> Callable[..., torch.Tensor]:
    """Return the cross-entropy of the scored tokens: the mean over all of an optimizer step, accumulated batches
    included.
    """

    def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        total = torch.nn.functional.cross_entropy(
            outputs.logits.flatten(0, 1),
            labels.flatten(),
            ignore_index=IGNORED,
            label_smoothing=label_smoothing,
            reduction="sum",
        )
        scored = (labels != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        return total / (scored.clamp(min=1) if isinstance(scored, torch.Tensor) else max(1, scored))

    return loss
