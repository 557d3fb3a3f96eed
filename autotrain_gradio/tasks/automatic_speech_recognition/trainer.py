"""The Trainer of all three families: batches by length, and transcripts instead of logits at evaluations."""

from __future__ import annotations

from typing import Any

import torch
from transformers import Trainer

from autotrain_gradio.tasks.automatic_speech_recognition import decoding
from autotrain_gradio.tasks.automatic_speech_recognition.models import Recogniser
from autotrain_gradio.training.audio import Speech
from autotrain_gradio.training.lengths import LengthSampler


class SpeechTrainer(Trainer):
    """A Trainer whose batches are made by `Collator` and whose predictions are labels, not logits.

    longest: most labels that are written for one utterance at an evaluation.
    """

    def __init__(self, made: Recogniser, *, longest: int, by_length: bool = True, **settings: Any) -> None:
        super().__init__(**settings)
        self._made, self._longest, self._by_length = made, longest, by_length
        # The losses of these models are means over the batch; told otherwise, a Trainer would add up those of
        # accumulated batches.
        self.model_accepts_loss_kwargs = False

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        speech = self.train_dataset if train_dataset is None else train_dataset
        if not self._by_length or not isinstance(speech, Speech):
            return super()._get_train_sampler(train_dataset)
        return LengthSampler(speech.lengths, self._train_batch_size, seed=self.args.seed)

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, **more: Any) -> Any:
        """Leave out of a batch what no model takes."""
        inputs = {k: v for k, v in inputs.items() if k != "samples"}
        return super().compute_loss(model, inputs, return_outputs=return_outputs, **more)

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
        """Return the loss of a batch, the labels that the model writes (batch, labels), and those that it should."""
        inputs = self._prepare_inputs(inputs)
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
