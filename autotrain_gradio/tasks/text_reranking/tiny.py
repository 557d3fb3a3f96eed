"""The tokenizer of the tiny reranker."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tokenizers import processors

from autotrain_gradio.training.tiny_tokenizer import END, START, TINY_VOCABULARY, tiny_tokenizer


def tiny_pair_tokenizer(texts: Iterable[str], vocabulary: int = TINY_VOCABULARY) -> Any:
    """Return the tokenizer of the tiny models, for pairs of texts."""
    tokenizer = tiny_tokenizer(texts, vocabulary=vocabulary)
    special = [(token, tokenizer.convert_tokens_to_ids(token)) for token in (START, END)]
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", pair=f"{START} $A {END} $B {END}", special_tokens=special
    )
    return tokenizer
