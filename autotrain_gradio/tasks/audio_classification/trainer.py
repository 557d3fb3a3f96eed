"""The Trainer of clips: batches of similar length, and evaluation on windows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch

from autotrain_gradio.tasks.audio_classification.windows import clip_logits
from autotrain_gradio.training import trainer_internals


class ClipTrainer(trainer_internals.LengthGroupedTrainer):
    """A Trainer with batches of `ClipCollator`, which averages the scores of the windows of a clip."""

    def __init__(self, *, multi_label: bool, **settings: Any) -> None:
        super().__init__(**settings)
        self._multi_label = multi_label

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
        """Return the loss of a batch, the logits (clips, labels), and the labels."""
        inputs = trainer_internals.prepare_inputs(self, inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            logits = clip_logits(model, inputs, multi_label=self._multi_label)
        assert self.compute_loss_func is not None
        loss = self.compute_loss_func(SimpleNamespace(logits=logits), inputs["labels"])
        return loss.detach(), None if prediction_loss_only else logits, inputs["labels"]
