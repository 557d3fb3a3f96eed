"""Models for text classification: load one with a new classification head, and the tiny model."""

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

    def change(config: Any) -> None:
        text_models.set_labels(config, labels)
        config.problem_type = "multi_label_classification" if multi_label else "single_label_classification"

    return text_models.open_text_model(
        AutoModelForSequenceClassification, name, types=TYPES, what=WHAT, outputs=len(labels), change_config=change
    )


def open_config(name: str) -> Any:
    """Return the configuration of a model that can be trained for this task, as `text_models.open_config`."""
    return text_models.open_config(name, TYPES, WHAT)


def tiny_model(
    folder: Path, labels: Sequence[str], *, texts: Iterable[str] = (), seed: int = 42, vocabulary: int = TINY_VOCABULARY
) -> Path:
    """Write a small ModernBERT with random weights (under a million) and a tokenizer trained on the texts.

    It classifies by mean pooling, which learns from few rows. Returns the folder.
    """
    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer(texts, vocabulary=vocabulary)
    config = text_models.tiny_config(len(tokenizer), classifier_pooling="mean")
    text_models.set_labels(config, labels)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Path(folder)
