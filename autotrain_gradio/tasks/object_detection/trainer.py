"""The Trainer of object detection: outputs become boxes batch by batch, so that memory does not grow with the rows."""

from __future__ import annotations

from typing import Any

import torch
from transformers import Trainer

from autotrain_gradio.tasks.object_detection.average_precision import MOST_DETECTIONS
from autotrain_gradio.tasks.object_detection.batches import ROWS
from autotrain_gradio.training import trainer_internals


class DetectionTrainer(Trainer):
    """A Trainer that evaluates boxes. processor: of the model, which decodes its outputs."""

    def __init__(self, *args: Any, processor: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._processor = processor

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Return the loss of the model, which is a mean over the objects of the batch."""
        inputs = {name: value for name, value in inputs.items() if name != ROWS}
        return super().compute_loss(model, inputs, *args, **kwargs)

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
        """Return the loss, the boxes (batch, detections, 6) of `decode`, and row, height and width (batch, 3)."""
        inputs = trainer_internals.prepare_inputs(self, inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            loss, outputs = self.compute_loss(model, inputs, return_outputs=True)
        if prediction_loss_only:
            return loss.detach().mean(), None, None
        rows = inputs[ROWS]
        return loss.detach().mean(), decode(self._processor, outputs, len(rows)), rows


def decode(processor: Any, outputs: Any, size: int) -> torch.Tensor:
    """Return boxes (batch, detections, 6) of a model's outputs, the best first: score, class, corners from 0 to 1.

    Unused places have the class -1. size: of the batch.
    """
    found = processor.post_process_object_detection(outputs, threshold=0.0, target_sizes=[(1, 1)] * size)
    made = torch.full((size, MOST_DETECTIONS, 6), -1.0)
    for image, one in enumerate(found):
        order = one["scores"].argsort(descending=True)[:MOST_DETECTIONS].cpu()
        parts = [one["scores"].cpu()[order, None], one["labels"].cpu()[order, None], one["boxes"].cpu()[order]]
        made[image, : len(order)] = torch.cat([part.float() for part in parts], dim=1)
    return made.to(outputs.logits.device)
