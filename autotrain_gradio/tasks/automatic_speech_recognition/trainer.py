"""The Trainer of all three families: batches by length, and transcripts instead of logits at evaluations."""

from __future__ import annotations

from typing import Any

import torch

from autotrain_gradio.tasks.automatic_speech_recognition import decoding
from autotrain_gradio.tasks.automatic_speech_recognition.models import Recognizer
from autotrain_gradio.training import trainer_internals


class SpeechTrainer(trainer_internals.LengthGroupedTrainer):
    """A Trainer whose batches are made by `Collator` and whose predictions are labels, not logits.

    longest: most labels that are written for one utterance at an evaluation.
    """

    def __init__(self, made: Recognizer, *, longest: int, **settings: Any) -> None:
        super().__init__(**settings)
        self._made, self._longest = made, longest
        # The losses of these models are means over the batch; told otherwise, a Trainer would add up those of
        # accumulated batches.
        self.model_accepts_loss_kwargs = False

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, **more: Any) -> Any:
        """Leave out of a batch what no model takes."""
        inputs = {k: v for k, v in inputs.items() if k != "samples"}
        return super().compute_loss(model, inputs, return_outputs=return_outputs, **more)

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
        """Return the loss of a batch, the labels that the model writes (batch, labels), and those that it should."""
        inputs = trainer_internals.prepare_inputs(self, inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            loss, outputs = self.compute_loss(model, inputs, return_outputs=True)
            if prediction_loss_only:
                return loss.detach().mean(), None, None
            if self._made.family == "ctc":
                made = self._made.model
                written = decoding.best_path(outputs.logits, decoding.frames(made, inputs), made.config.pad_token_id)
            else:
                features = {k: v for k, v in inputs.items() if k not in ("labels", "decoder_input_ids")}
                bare = self.accelerator.unwrap_model(model)
                written = decoding.write(bare, features, self._made.family, self._longest)
        return loss.detach().mean(), written, inputs["labels"]
