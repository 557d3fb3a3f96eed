"""Words of a text, the units that are tagged: their pattern, texts of tokens, and spans at the borders of words."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cache
from typing import Any

import regex

_SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Scripts without spaces between words: there each character is a word."""
WORD_PATTERN = (
    rf"(?V1)[{_SPACELESS}]\p{{M}}*"
    rf"|[[\p{{L}}\p{{N}}]--[{_SPACELESS}]][[\p{{L}}\p{{N}}\p{{M}}\u200c\u200d]--[{_SPACELESS}]]*"
    r"|(?!\s)\X"
)
"""A word: letters and digits with their marks, or any other character (an emoji with its modifiers is one). It is saved
with the model, and must be a pattern of the package `regex`."""
_JOINS = regex.compile(rf"[{_SPACELESS}\u3000-\u303f\uff00-\uffef]")
"""Characters that are written next to each other without a space."""


@cache
def pattern(text: str = WORD_PATTERN) -> Any:
    """Return the compiled pattern of words."""
    return regex.compile(text)


def word_borders(text: str) -> tuple[list[int], list[int]]:
    """Return where the words of a text start and end."""
    found = [word.span() for word in pattern().finditer(text)]
    return [start for start, _ in found], [end for _, end in found]


def join_tokens(tokens: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Return the text of tokens and the span of each: with spaces between, except in scripts without spaces."""
    parts: list[str] = []
    spans: list[tuple[int, int]] = []
    place = 0
    for token in tokens:
        if parts and token and not (_is_joined(parts[-1][-1]) and _is_joined(token[0])):
            parts.append(" ")
            place += 1
        spans.append((place, place + len(token)))
        if token:
            parts.append(token)
        place += len(token)
    return "".join(parts), spans


def _is_joined(character: str) -> bool:
    return character > "\u0dff" and _JOINS.match(character) is not None  # no such script is below


def snap(start: int, end: int, borders: tuple[Sequence[int], Sequence[int]]) -> tuple[int, int] | None:
    """Return the span of the words that a span touches; None: it touches none."""
    starts, ends = borders
    first, last = bisect_right(ends, start), bisect_left(starts, end) - 1
    return (starts[first], ends[last]) if first <= last else None
