"""The Trainer of image segmentation: masks become counts image by image, so that memory does not grow with the rows."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812
from transformers import Trainer

from autotrain_gradio.tasks.image_segmentation.batches import ROWS, TRUE
from autotrain_gradio.tasks.image_segmentation.mask_classes import IGNORE
from autotrain_gradio.tasks.image_segmentation.models import QUERIES
from autotrain_gradio.tasks.image_segmentation.outputs import confusion, label_map, scores_of
from autotrain_gradio.training import trainer_internals

POOLING = ("upernet", "mobilenet_v2", "mobilevit", "mobilevitv2")
"""Types with a batch norm of the mean of an image, which cannot train on a batch of one image."""
MAP = 320
"""Side of the square of predicted classes that are kept for display."""


class SegmentationTrainer(Trainer):
    """A Trainer that evaluates masks.

    class_weights: float32 (classes,), or None.
    """

    def __init__(self, *args: Any, class_weights: torch.Tensor | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._weights = class_weights
        self._type: str = self.model.config.model_type
        self._classes: int = self.model.config.num_labels

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the loss of the model, or with class weights the weighted mean cross entropy of the pixels."""
        pixels, labels = inputs["pixel_values"], inputs["labels"]
        if model.training and len(pixels) == 1 and self._type in POOLING:
            pixels, labels = pixels.repeat(2, 1, 1, 1), labels.repeat(2, 1, 1)
        if self._type in QUERIES:
            targets = [_masks_of(one) for one in labels]
            numbers, masks = [n for n, _ in targets], [m for _, m in targets]
            outputs = model(pixel_values=pixels, mask_labels=masks, class_labels=numbers)
            loss = outputs.loss.mean()
        elif not (labels != IGNORE).any():
            outputs = model(pixel_values=pixels)
            loss = outputs.logits.sum() * 0.0  # the mean over no pixel would be NaN, and end all learning
        elif self._weights is None:
            outputs = model(pixel_values=pixels, labels=labels)
            loss = outputs.loss.mean()
        else:
            outputs = model(pixel_values=pixels)
            wide = F.interpolate(outputs.logits, size=labels.shape[-2:], mode="bilinear", align_corners=False)
            weights = self._weights.to(wide.device, wide.dtype)
            loss = F.cross_entropy(wide, labels, weight=weights, ignore_index=IGNORE)
        return (loss, outputs) if return_outputs else loss

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[Any, Any, Any]:
        """Return the loss, (counts (batch, classes²), maps uint8 (batch, `MAP`, `MAP`)), and the row numbers (batch,).

        Scores are upsampled to the size of each image, and compared with its mask there.
        """
        inputs = trainer_internals.prepare_inputs(self, inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            loss, outputs = self.compute_loss(model, inputs, return_outputs=True)
        if prediction_loss_only:
            return loss.detach().mean(), None, None
        scores, counts, maps = scores_of(outputs, self._type), [], []
        for one, true in zip(scores, inputs[TRUE], strict=True):
            predicted = label_map(one, tuple(true.shape))
            counts.append(confusion(true, predicted, self._classes, IGNORE).reshape(-1))
            small = F.interpolate(predicted[None, None].float(), size=(MAP, MAP), mode="nearest-exact")
            maps.append(small[0, 0].to(torch.uint8))
        return loss.detach().mean(), (torch.stack(counts), torch.stack(maps)), inputs[ROWS]


def _masks_of(labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the classes (n,) in a mask, and a mask float32 (n, height, width) of each."""
    numbers = labels.unique()
    numbers = numbers[numbers != IGNORE]
    return numbers, (labels[None] == numbers[:, None, None]).float()
