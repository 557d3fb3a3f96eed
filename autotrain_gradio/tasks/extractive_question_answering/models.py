"""Models for extractive question answering: load one with a new head, and the tiny model."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForQuestionAnswering
from transformers.models.auto.modeling_auto import MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES as ALL_TYPES

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.training import distributed, text_models
from autotrain_gradio.training.tiny_tokenizer import TINY_VOCABULARY, tiny_tokenizer

WHAT = "extractive question answering"
OUTPUTS = 2
"""Outputs of the head: logits of the start and of the end."""
TYPES = {k: v for k, v in ALL_TYPES.items() if k not in {"layoutlmv2", "layoutlmv3", "lilt", "lxmert", "markuplm"}}
"""Supported model types: those that read text alone, without images or boxes."""


def open_model(name: str, *, texts: Iterable[str], seed: int, scratch: Path) -> tuple[Any, Any, list[str]]:
    """Return a float32 model, its tokenizer, and the names of modules with new weights.

    name: a Hub id, a folder, or `tiny`. texts, scratch: training texts and an empty folder, for the tiny model.

    Raises:
        UserError: it does not exist, is gated, of another task, needs a package, or its files are damaged.
    """
    torch.manual_seed(seed)
    if name == TINY:
        name = distributed.on_first_rank(lambda: str(tiny_model(scratch, [], texts=texts, seed=seed)))
    return text_models.open_text_model(
        AutoModelForQuestionAnswering, name, types=TYPES, what=WHAT, outputs=OUTPUTS, change_config=two_outputs
    )


def two_outputs(config: Any) -> None:
    """Set the number of outputs of the head, which an earlier task of the model may have changed."""
    text_models.set_labels(config, ["LABEL_0", "LABEL_1"])


def tiny_model(
    folder: Path, labels: Iterable[str], *, texts: Iterable[str] = (), seed: int = 42, vocabulary: int = TINY_VOCABULARY
) -> Path:
    """Write a small ModernBERT with random weights (under a million) and a tokenizer trained on the texts.

    labels: not used. Returns the folder.
    """
    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer(texts, vocabulary=vocabulary)
    config = text_models.tiny_config(len(tokenizer))
    two_outputs(config)
    AutoModelForQuestionAnswering.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Path(folder)
