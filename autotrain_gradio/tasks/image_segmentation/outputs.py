"""From the outputs of a model to class numbers of pixels, as the post-processing of transformers does it."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812

MOST_NUMBERS = 32_000_000
"""Scores that are upsampled at a time: 128 MB, whatever the number of classes and pixels."""
MASK2FORMER_SIDE = 384
"""Size to which transformers resizes the masks of Mask2Former before they are combined."""


def scores_of(outputs: Any, model_type: str) -> torch.Tensor:
    """Return the scores of classes, float32 (batch, classes, height, width), smaller than the image."""
    if getattr(outputs, "logits", None) is not None:
        return outputs.logits.float()
    masks = outputs.masks_queries_logits.float()
    if model_type == "mask2former":
        masks = F.interpolate(masks, size=(MASK2FORMER_SIDE,) * 2, mode="bilinear", align_corners=False)
    # The last class is "no mask".
    classes = outputs.class_queries_logits.float().softmax(dim=-1)[..., :-1]
    return torch.einsum("bqc,bqhw->bchw", classes, masks.sigmoid())


def label_map(scores: torch.Tensor, size: tuple[int, ...]) -> torch.Tensor:
    """Return the class numbers uint8 (height, width) of one image.

    scores: (classes, height, width). Classes are upsampled a few at a time, and the best one is kept: the result is
    that of all at once.
    """
    step = max(1, MOST_NUMBERS // (size[0] * size[1]))
    best: torch.Tensor | None = None
    found = torch.zeros(size, dtype=torch.uint8, device=scores.device)
    for first in range(0, len(scores), step):
        wide = F.interpolate(scores[None, first : first + step], size=size, mode="bilinear", align_corners=False)[0]
        value, number = wide.max(dim=0)
        if best is None:
            best, found = value, number.to(torch.uint8)
            continue
        better = value > best
        best = torch.where(better, value, best)
        found = torch.where(better, (number + first).to(torch.uint8), found)
    return found


def confusion(true: torch.Tensor, predicted: torch.Tensor, classes: int, ignore: int) -> torch.Tensor:
    """Return the number of pixels of each true class (rows) and predicted class (columns), int64 (classes, classes)."""
    kept = true != ignore
    pairs = true[kept].long() * classes + predicted[kept].long()
    return torch.bincount(pairs, minlength=classes * classes).reshape(classes, classes)
