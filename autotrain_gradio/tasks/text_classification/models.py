"""Models for text classification: load one with a new classification head, the tiny model, and freezing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, ModernBertConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES as TYPES

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.tasks.text_classification.tiny import TINY_TOKENS, TINY_VOCABULARY, tiny_tokenizer
from autotrain_gradio.training import distributed, loaded_weights, plausibility, pretrained
from autotrain_gradio.training.meta_device import count_parameters, meta_model
from autotrain_gradio.training.tokens import longest, open_tokenizer

WHAT = "text classification"


def open_model(
    name: str, labels: Sequence[str], *, multi_label: bool, texts: Iterable[str], seed: int, scratch: Path
) -> tuple[Any, Any, list[str]]:
    """Return a float32 model with a new classification head, its tokenizer, and the names of modules with new weights.

    name: a Hub id, a folder, or `tiny`. multi_label: a text may have any number of labels. texts, scratch: training
    texts and an empty folder, for the tiny model.

    Raises:
        UserError: it does not exist, is gated, of another task, needs a package, or its files are damaged.
    """
    torch.manual_seed(seed)
    if name == TINY:
        name = distributed.on_first_rank(lambda: str(tiny_model(scratch, labels, texts=texts, seed=seed)))
    config = open_config(name)
    tokenizer = open_tokenizer(name)
    with pretrained.translated_errors(name):
        config.num_labels = len(labels)
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: i for i, label in enumerate(labels)}
        config.problem_type = "multi_label_classification" if multi_label else "single_label_classification"
        config.pad_token_id = tokenizer.pad_token_id
        plausibility.require_weights(name, lambda: count_parameters(AutoModelForSequenceClassification, config))
        # Train in float32 even if the weights are saved in 16 bits; mixed precision is a separate setting.
        model, info = AutoModelForSequenceClassification.from_pretrained(
            name, config=config, ignore_mismatched_sizes=True, dtype=torch.float32, output_loading_info=True
        )
    loaded_weights.require_match(name, model, info, outputs=len(labels))
    embeddings = model.get_input_embeddings().num_embeddings
    if len(tokenizer) > embeddings:
        message = (
            f"The tokenizer of '{name}' has {len(tokenizer):,} tokens, but the model only {embeddings:,} embeddings."
        )
        raise pretrained.ModelError(message, "Choose another one.", "model", "model-broken")
    missing = [*info["missing_keys"], *(key[0] for key in info["mismatched_keys"])]
    return model, tokenizer, sorted({key.rpartition(".")[0] for key in missing})


def open_config(name: str) -> Any:
    """Return the configuration of a model that can be trained for this task.

    Raises:
        UserError: it does not exist, is gated, of another task, or needs a package.
    """
    pretrained.require_type(pretrained.fetch_config(name), name, TYPES, WHAT)
    with pretrained.translated_errors(name):
        return AutoConfig.from_pretrained(name, trust_remote_code=False)


def limit(config: Any, tokenizer: Any) -> int | None:
    """Return the maximum sequence length of a model with this configuration, without allocating weights."""
    return longest(config, tokenizer, meta_model(AutoModelForSequenceClassification, config))


def tiny_model(
    folder: Path, labels: Sequence[str], *, texts: Iterable[str] = (), seed: int = 42, vocabulary: int = TINY_VOCABULARY
) -> Path:
    """Write a small ModernBERT with random weights (under a million) and a tokenizer trained on the texts.

    It classifies by mean pooling, which learns from few rows. Returns the folder.
    """
    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer(texts, vocabulary=vocabulary)
    config = tiny_config(labels, len(tokenizer))
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Path(folder)


def tiny_config(labels: Sequence[str], vocabulary: int = TINY_VOCABULARY) -> ModernBertConfig:
    """Return the configuration of the tiny model."""
    return ModernBertConfig(
        vocab_size=vocabulary,
        hidden_size=96,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=TINY_TOKENS,
        pad_token_id=0,
        cls_token_id=2,
        sep_token_id=3,
        bos_token_id=2,
        eos_token_id=3,
        classifier_pooling="mean",
        embedding_dropout=0.1,
        initializer_range=0.1,
        reference_compile=False,
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )


def head_of(model: Any, fresh: Iterable[str]) -> list[str]:
    """Return the names of modules that are trained when the backbone is frozen: the head, and modules with new weights.

    Raises:
        UserError: the head of the model cannot be identified.
    """
    body = model.base_model
    last = (
        []
        if body is model
        else [n for n, m in model.named_children() if m is not body and next(m.parameters(), None) is not None]
    )
    if not last:
        message = f"The classification head of {type(model).__name__} cannot be identified."
        raise UserError(message, "Switch freeze_backbone and peft off.", "params", "no-head")
    return last + [f for f in fresh if not any(f == n or f.startswith(n + ".") for n in last)]


def freeze_backbone(model: Any, fresh: Iterable[str]) -> None:
    """Freeze all weights except the head and new weights.

    Raises:
        UserError: the head of the model cannot be identified.
    """
    trained = head_of(model, fresh)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(any(name.startswith(place + ".") for place in trained))
