"""Apply a trained model to texts, tokenized and truncated as in the training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.training.text import Collate
from autotrain_gradio.training.tokens import tokenize

BATCH_SIZE = 32


def texts_of(inputs: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    """Return the text of each input. name: its key.

    Raises:
        UserError: a text is missing or empty.
    """
    texts = [given.get(name) for given in inputs]
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise UserError("The text is empty.", "Enter a text.", name, "no-text")
    return [str(text) for text in texts]


@torch.inference_mode()
def predict_logits(model: Any, tokenizer: Any, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, str]]:
    """Yield the logits float32 (outputs,) of each text, and a note if it was truncated; else empty."""
    limit, collate = int(tokenizer.model_max_length), Collate(tokenizer)
    tokens = tokenize(tokenizer, texts, limit)
    assert tokens is not None
    for start in range(0, len(texts), BATCH_SIZE):
        part = range(start, min(start + BATCH_SIZE, len(texts)))
        items = [{"input_ids": tokens.ids[tokens.starts[i] : tokens.starts[i + 1]]} for i in part]
        if tokens.types is not None:
            for item, i in zip(items, part, strict=True):
                item["token_type_ids"] = tokens.types[tokens.starts[i] : tokens.starts[i + 1]]
        batch = {k: v.to(model.device) for k, v in collate(items).items()}
        logits = model(**batch).logits.float().cpu().numpy()
        for i, row in zip(part, logits, strict=True):
            note = ""
            if tokens.full[i] > limit:
                note = f"The text has {tokens.full[i]:,} tokens and was truncated to the first {limit:,}."
            yield row, note
