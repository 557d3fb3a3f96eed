"""Cross-encoders: open a model with one output, the tiny model, and tokenized pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES as TYPES

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.tasks.text_reranking.pairs import Pairs
from autotrain_gradio.tasks.text_reranking.tiny import tiny_pair_tokenizer
from autotrain_gradio.training import distributed, text_models
from autotrain_gradio.training.tiny_tokenizer import TINY_VOCABULARY
from autotrain_gradio.training.tokens import CHUNK, Tokens

WHAT = "text reranking"


def open_model(name: str, *, texts: Iterable[str], seed: int, scratch: Path) -> tuple[Any, Any, list[str]]:
    """Return a float32 model with one output, its tokenizer, and the names of modules with new weights.

    name: a Hub id, a folder, or `tiny`. texts, scratch: training texts and an empty folder, for the tiny model.

    Raises:
        UserError: it does not exist, is gated, of another task, needs a package, or its files are damaged.
    """
    torch.manual_seed(seed)
    if name == TINY:
        name = distributed.on_first_rank(lambda: str(tiny_model(scratch, texts=texts, seed=seed)))
    return text_models.open_text_model(
        AutoModelForSequenceClassification, name, types=TYPES, what=WHAT, outputs=1, change_config=_one_output
    )


def _one_output(config: Any) -> None:
    text_models.set_labels(config, ["relevance"])


def tiny_model(
    folder: Path,
    labels: Iterable[str] = (),
    *,
    texts: Iterable[str] = (),
    seed: int = 42,
    vocabulary: int = TINY_VOCABULARY,
) -> Path:
    """Write a small ModernBERT with random weights and one output, and a tokenizer trained on the texts.

    labels: not used. Returns the folder.
    """
    torch.manual_seed(seed)
    tokenizer = tiny_pair_tokenizer(texts, vocabulary)
    config = text_models.tiny_config(len(tokenizer), classifier_pooling="mean")
    _one_output(config)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Path(folder)


def tokenize_pairs(
    tokenizer: Any, pairs: Pairs, limit: int, *, should_continue: Callable[[int], bool] = lambda done: True
) -> Tokens | None:
    """Tokenize pairs, truncated to `limit` tokens as the library's CrossEncoder truncates them: the longer text first.

    should_continue: called after each batch with the number of tokenized pairs; False cancels, and None is returned.
    """
    ids: list[np.ndarray] = []
    kinds: list[np.ndarray] = []
    full: list[int] = []
    for start in range(0, len(pairs), CHUNK):
        given = pairs.queries[start : start + CHUNK], pairs.passages[start : start + CHUNK]
        options = {"return_attention_mask": False, "verbose": False}
        made = tokenizer(*given, truncation="longest_first", max_length=limit, **options)
        lengths = [len(sequence) for sequence in made["input_ids"]]
        if cut := [i for i, length in enumerate(lengths) if length >= limit]:
            whole = tokenizer(*([texts[i] for i in cut] for texts in given), **options)["input_ids"]
            for i, sequence in zip(cut, whole, strict=True):
                lengths[i] = len(sequence)
        full += lengths
        ids += [np.asarray(sequence, dtype=np.int32) for sequence in made["input_ids"]]
        if "token_type_ids" in made:
            kinds += [np.asarray(sequence, dtype=np.int32) for sequence in made["token_type_ids"]]
        if not should_continue(len(full)):
            return None
    starts = np.concatenate([[0], np.cumsum([len(s) for s in ids], dtype=np.int64)]).astype(np.int64)
    types = np.concatenate(kinds) if kinds else None
    joined = np.concatenate(ids) if ids else np.empty(0, dtype=np.int32)
    return Tokens(joined, starts, types, np.asarray(full, dtype=np.int64))
