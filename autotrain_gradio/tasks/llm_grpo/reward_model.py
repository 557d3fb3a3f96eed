"""A reward model: a sequence classifier with one output, which scores a conversation with its answer."""

from __future__ import annotations

import math
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES as TYPES

from autotrain_gradio.core.errors import Finding, SpecError, UserError
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.tasks.llm_grpo.rewards import Batch, Score
from autotrain_gradio.training import chat_templates, plausibility, pretrained, text_models
from autotrain_gradio.training.arguments import device
from autotrain_gradio.training.meta_device import count_parameters
from autotrain_gradio.training.tokens import longest, open_tokenizer

WHERE = "params.reward_model"
WHAT = "scoring answers"
BATCH_SIZE = 8


def model_findings(name: str) -> list[Finding]:
    """Return what is wrong with a reward model, from its configuration alone."""
    try:
        _require_one_output(name, text_models.open_config(name, TYPES, WHAT))
    except UserError as error:
        return [Finding(f.level, f.code, f"Reward model: {f.message}", f.hint, WHERE) for f in error.findings]
    return []


def parameters(name: str) -> int:
    """Return the number of parameters of a reward model without findings."""
    return count_parameters(AutoModelForSequenceClassification, text_models.open_config(name, TYPES, WHAT))


def _require_one_output(name: str, config: Any) -> None:
    if config.num_labels != 1:
        message = f"'{name}' has {config.num_labels} classes, and a reward model has one output."
        raise SpecError(message, "Choose a model that was trained as a reward model.", WHERE, "reward-model-classes")


class RewardModel:
    """The model's output for each conversation, which is rendered by the chat template of its tokenizer.

    Without a chat template, the texts of the messages are joined by line breaks. Conversations above the model's
    maximum length lose their first tokens.

    Raises:
        UserError: it cannot be loaded, or has several outputs.
    """

    _model: Any

    def __init__(self, name: str) -> None:
        try:
            config = text_models.open_config(name, TYPES, WHAT)
            _require_one_output(name, config)
            self._tokenizer = open_tokenizer(name)
            with pretrained.translated_errors(name):
                plausibility.require_weights(name, lambda: count_parameters(AutoModelForSequenceClassification, config))
                self._model, info = AutoModelForSequenceClassification.from_pretrained(
                    name, config=config, dtype=torch.float32, output_loading_info=True
                )
        except pretrained.ModelError as error:
            raise SpecError(f"Reward model: {error.message}", error.hint, WHERE, error.code) from error
        if missing := sorted(map(str, info["missing_keys"])):
            message = f"'{name}' was not trained as a reward model: its file has no values of {join_examples(missing)}."
            raise SpecError(message, "Choose a model that was trained as one.", WHERE, "reward-model-untrained")
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        # The last token that is not padding is scored.
        self._model.config.get_text_config().pad_token_id = self._tokenizer.pad_token_id
        self._tokenizer.padding_side, self._tokenizer.truncation_side = "right", "left"
        self._limit = longest(self._model.config, self._tokenizer, self._model)
        self._model.to(device()).eval()

    @torch.inference_mode()
    def __call__(self, batch: Batch) -> list[Score]:
        """Return the reward of each completion.

        Raises:
            UserError: an output is not finite.
        """
        pairs = zip(batch.prompts, batch.completions, strict=True)
        texts = [self._render([*prompt, {"role": "assistant", "content": text}]) for prompt, text in pairs]
        found: list[Score] = []
        for start in range(0, len(texts), BATCH_SIZE):
            inputs = self._tokenizer(
                texts[start : start + BATCH_SIZE],
                return_tensors="pt",
                padding=True,
                truncation=self._limit is not None,
                max_length=self._limit,
                add_special_tokens=not self._tokenizer.chat_template,
            )
            logits = self._model(**inputs.to(self._model.device)).logits[:, 0].float().tolist()
            if not all(map(math.isfinite, logits)):
                message = "The reward model gave a reward that is not a finite number."
                raise UserError(message, "Choose another reward model.", WHERE, "reward-failed")
            found += logits
        return found

    def _render(self, messages: list[Any]) -> str:
        template = self._tokenizer.chat_template
        if not template:
            return "\n".join(str(message["content"]) for message in messages)
        return chat_templates.render(self._tokenizer, template, messages)
