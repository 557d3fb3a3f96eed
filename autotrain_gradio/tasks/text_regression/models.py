"""Models for text regression: load one with a new regression head, and the tiny model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES as TYPES

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.training import distributed, text_models
from autotrain_gradio.training.tiny_tokenizer import TINY_VOCABULARY, tiny_tokenizer

WHAT = "text regression"
PROBLEM_TYPE = "regression"
"""Problem type of the model's config: with it, transformers' pipeline returns the outputs as they are."""


def open_model(
    name: str, targets: Sequence[str], *, texts: Iterable[str], seed: int, scratch: Path
) -> tuple[Any, Any, list[str]]:
    """Return a float32 model with a new regression head, its tokenizer, and the names of modules with new weights.

    name: a Hub id, a folder, or `tiny`. texts, scratch: training texts and an empty folder, for the tiny model.

    Raises:
        UserError: it does not exist, is gated, of another task, needs a package, or its files are damaged.
    """
    torch.manual_seed(seed)
    if name == TINY:
        name = distributed.on_first_rank(lambda: str(tiny_model(scratch, targets, texts=texts, seed=seed)))

    def change(config: Any) -> None:
        text_models.set_labels(config, targets)
        config.problem_type = PROBLEM_TYPE

    return text_models.open_text_model(
        AutoModelForSequenceClassification, name, types=TYPES, what=WHAT, outputs=len(targets), change_config=change
    )


def tiny_model(
    folder: Path,
    targets: Sequence[str],
    *,
    texts: Iterable[str] = (),
    seed: int = 42,
    vocabulary: int = TINY_VOCABULARY,
) -> Path:
    """Write a small ModernBERT with random weights (under a million) and a tokenizer trained on the texts.

    It predicts by mean pooling, which learns from few rows. Returns the folder.
    """
    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer(texts, vocabulary=vocabulary)
    config = text_models.tiny_config(len(tokenizer), classifier_pooling="mean")
    text_models.set_labels(config, targets)
    config.problem_type = PROBLEM_TYPE
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Path(folder)
