"""Reward models: a language model with a head of one output, and the tiny one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, LlamaForSequenceClassification
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training import distributed, language_models, quantization, text_models
from autotrain_gradio.training.language_models import LanguageModel
from autotrain_gradio.training.tokens import longest

WHAT = "training reward models"
TYPES = {
    kind: name
    for kind, name in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES.items()
    if kind in language_models.TYPES
}
"""Decoder models that can have a head of one output."""


def open_reward_model(run: Reporter, texts: Iterable[str], scratch: Path) -> tuple[LanguageModel, list[str]]:
    """Return a model that is ready for the training, float32 unless quantized, and the names of its new modules.

    texts: on which the tokenizer of the tiny model is trained. scratch: an empty folder, for the tiny model.

    Raises:
        UserError: as `language_models.open_language_model`.
    """
    params, name = run.params, run.spec.model
    torch.manual_seed(params.seed)
    if name == TINY:
        name = distributed.on_first_rank(lambda: str(tiny_model(scratch, texts=texts, seed=params.seed)))
    loading = quantization.loading_settings(run)
    if loading:
        loading["quantization_config"].llm_int8_skip_modules = ["score"]  # the head is trained completely
    model, tokenizer, fresh = text_models.open_text_model(
        AutoModelForSequenceClassification,
        name,
        types=TYPES,
        what=WHAT,
        outputs=1,
        change_config=lambda config: text_models.set_labels(config, ["reward"]),
        loading=loading,
    )
    if loading:
        from peft import prepare_model_for_kbit_training

        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=params.gradient_checkpointing)
    found = LanguageModel(model, tokenizer, longest(model.config, tokenizer, model))
    language_models.set_pad_token(found)
    return found, fresh


def tiny_model(folder: Path, labels: Sequence[str] = (), *, texts: Iterable[str] = (), seed: int = 42) -> Path:
    """Write a small Llama with random weights, a head of one output, and a ChatML tokenizer trained on the texts.

    labels: not used. Returns the folder.
    """
    torch.manual_seed(seed)
    tokenizer = language_models.tiny_chat_tokenizer(texts)
    config: Any = language_models.tiny_config(len(tokenizer), tokenizer)
    text_models.set_labels(config, ["reward"])
    LlamaForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Path(folder)
