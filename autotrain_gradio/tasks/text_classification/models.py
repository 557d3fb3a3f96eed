"""Models for text classification: opening one with a new last layer, a tiny one, and freezing."""

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
from autotrain_gradio.training import distributed, pretrained
from autotrain_gradio.training.tokens import longest, open_tokenizer

WHAT = "text classification"


def open_model(
    name: str, labels: Sequence[str], *, multi_label: bool, texts: Iterable[str], seed: int, scratch: Path
) -> tuple[Any, Any, list[str]]:
    """Return a model with a new last layer for the labels, in 32 bits, its tokenizer, and the places of new weights.

    name: a Hub id, a folder, or `tiny`. multi_label: a text may have any number of labels. texts, scratch: training
    texts and an empty folder, for the tiny one.

    Raises:
        UserError: it does not exist, is gated, of another task, needs a package, or its files are damaged.
    """
    torch.manual_seed(seed)
    if name == TINY:
        name = distributed.on_first_rank(lambda: str(tiny_model(scratch, labels, texts=texts, seed=seed)))
    config = open_config(name)
    tokenizer = open_tokenizer(name)
    with pretrained.named(name):
        config.num_labels = len(labels)
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: i for i, label in enumerate(labels)}
        config.problem_type = "multi_label_classification" if multi_label else "single_label_classification"
        config.pad_token_id = tokenizer.pad_token_id
        # Weights saved in 16 bits do not train well in them: 16-bit computing is mixed precision's business.
        model, info = AutoModelForSequenceClassification.from_pretrained(
            name, config=config, ignore_mismatched_sizes=True, dtype=torch.float32, output_loading_info=True
        )
    places = model.get_input_embeddings().num_embeddings
    if len(tokenizer) > places:
        message = f"The tokenizer of '{name}' knows {len(tokenizer):,} tokens, and the model only {places:,}."
        raise pretrained.ModelError(message, "Choose another one.", "model", "model-broken")
    missing = [*info["missing_keys"], *(key[0] for key in info["mismatched_keys"])]
    return model, tokenizer, sorted({key.rpartition(".")[0] for key in missing})


def open_config(name: str) -> Any:
    """Return the configuration of a model that can be trained for this task.

    Raises:
        UserError: it does not exist, is gated, of another task, or needs a package.
    """
    pretrained.require(pretrained.fetch_config(name), name, TYPES, WHAT)
    with pretrained.named(name):
        return AutoConfig.from_pretrained(name, trust_remote_code=False)


def limit(config: Any, tokenizer: Any) -> int | None:
    """Return how many tokens a model with this configuration can read at once, without making its weights."""
    return longest(config, tokenizer, _hollow(config))


def count_parameters(config: Any) -> int:
    """Return the number of weights of a model with this configuration, without making them."""
    return sum(p.numel() for p in _hollow(config).parameters())


def _hollow(config: Any) -> Any:
    with torch.device("meta"):
        return AutoModelForSequenceClassification.from_config(config)


def tiny_model(
    folder: Path, labels: Sequence[str], *, texts: Iterable[str] = (), seed: int = 42, vocabulary: int = TINY_VOCABULARY
) -> Path:
    """Write a small ModernBERT with random weights (under a million) and a tokenizer made from the texts.

    Texts are read as the mean of their tokens, which learns from few rows. Returns the folder.
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
    """Return the places of what is trained also where the rest is kept: the last layers, and all new weights.

    Raises:
        UserError: the model does not keep its last layers apart.
    """
    body = model.base_model
    last = (
        []
        if body is model
        else [n for n, m in model.named_children() if m is not body and next(m.parameters(), None) is not None]
    )
    if not last:
        message = f"A {type(model).__name__} does not keep its last layers apart from the rest."
        raise UserError(message, "Switch freeze_backbone and peft off.", "params", "no-head")
    return last + [f for f in fresh if not any(f == n or f.startswith(n + ".") for n in last)]


def freeze_backbone(model: Any, fresh: Iterable[str]) -> None:
    """Leave only the last layers to be trained, and weights that the model came without.

    Raises:
        UserError: the model does not keep its last layers apart.
    """
    kept = head_of(model, fresh)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(any(name.startswith(place + ".") for place in kept))
