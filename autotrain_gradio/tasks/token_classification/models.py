"""Models for token classification: load one with a new head, and the tiny model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForTokenClassification
from transformers.models.auto.modeling_auto import MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES as TYPES

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.tasks.token_classification.windows import prepare_tokenizer
from autotrain_gradio.training import distributed, text_models
from autotrain_gradio.training.tiny_tokenizer import TINY_VOCABULARY, tiny_tokenizer

WHAT = "token classification"


def open_model(
    name: str, labels: Sequence[str], *, texts: Iterable[str], seed: int, scratch: Path
) -> tuple[Any, Any, list[str]]:
    """Return a float32 model with a new head, its tokenizer, and the names of modules with new weights.

    name: a Hub id, a folder, or `tiny`. texts, scratch: training texts and an empty folder, for the tiny model.

    Raises:
        UserError: as `text_models.open_text_model`, or the tokenizer has no offsets.
    """
    torch.manual_seed(seed)
    if name == TINY:
        name = distributed.on_first_rank(lambda: str(tiny_model(scratch, labels, texts=texts, seed=seed)))
    model, tokenizer, fresh = text_models.open_text_model(
        AutoModelForTokenClassification,
        name,
        types=TYPES,
        what=WHAT,
        outputs=len(labels),
        change_config=lambda config: text_models.set_labels(config, labels),
    )
    prepare_tokenizer(tokenizer, name)
    return model, tokenizer, fresh


def tiny_model(
    folder: Path, labels: Sequence[str], *, texts: Iterable[str] = (), seed: int = 42, vocabulary: int = TINY_VOCABULARY
) -> Path:
    """Write a small ModernBERT with random weights (under a million) and a tokenizer trained on the texts.

    Returns the folder.
    """
    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer(texts, vocabulary=vocabulary)
    config = text_models.tiny_config(len(tokenizer))
    text_models.set_labels(config, labels)
    AutoModelForTokenClassification.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Path(folder)
