"""Lengths in tokens: of prompts, and of completions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def prompt_limit(most: int | None, params: Any) -> int:
    """Return the maximum length of prompts in tokens, with room for the completion. most: that of the model."""
    limit: int = params.max_prompt_length
    return limit if most is None else max(1, min(limit, most - params.max_completion_length))


def token_counter(tokenizer: Any) -> Callable[[str], int]:
    """Return a function that counts the tokens of a text, without special tokens around it."""
    return lambda text: len(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
