"""The Trainer of all families: batches grouped by length, and evaluation on generated labels."""

from __future__ import annotations

from typing import Any

import torch

from autotrain_gradio.tasks.automatic_speech_recognition import decoding
from autotrain_gradio.tasks.automatic_speech_recognition.models import Recognizer
from autotrain_gradio.training import trainer_internals


class SpeechTrainer(trainer_internals.LengthGroupedTrainer):
    """A Trainer with batches of `Collator`, whose predictions are label ids, not logits.

    longest: maximum number of generated labels of an utterance.
    """

    def __init__(self, recognizer: Recognizer, *, longest: int, **settings: Any) -> None:
        super().__init__(**settings)
        self._recognizer, self._longest = recognizer, longest
        # The losses of these models are means over the batch; otherwise a Trainer would sum those of accumulated
        # batches.
        self.model_accepts_loss_kwargs = False

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, **more: Any) -> Any:
        """Remove `samples`, which is not a model input, and compute the loss."""
        inputs = {k: v for k, v in inputs.items() if k != "samples"}
        return super().compute_loss(model, inputs, return_outputs=return_outputs, **more)

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
        """Return the loss of a batch, the generated labels (batch, labels), and the target labels."""
        inputs = trainer_internals.prepare_inputs(self, inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            loss, outputs = self.compute_loss(model, inputs, return_outputs=True)
            if prediction_loss_only:
                return loss.detach().mean(), None, None
            if self._recognizer.family == "ctc":
                ctc = self._recognizer.model
                generated = decoding.best_path(outputs.logits, decoding.frames(ctc, inputs), ctc.config.pad_token_id)
            else:
                features = {k: v for k, v in inputs.items() if k not in ("labels", "decoder_input_ids")}
                bare = self.accelerator.unwrap_model(model)
                generated = decoding.generate(bare, features, self._recognizer.family, self._longest)
        return loss.detach().mean(), generated, inputs["labels"]
