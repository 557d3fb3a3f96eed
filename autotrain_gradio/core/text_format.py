"""Wording of numbers and lists in messages: plural forms and shortened lists. One home for every layer."""

from __future__ import annotations

from collections.abc import Sequence


def join_examples(items: Sequence[str], total: int | None = None, *, limit: int = 5) -> str:
    """Return the first items as text: "a, b and 3 more".

    total: number of items where `items` holds only the first of them; limit: most items to name.
    """
    count = len(items) if total is None else total
    text = ", ".join(items[:limit])
    more = count - min(limit, len(items))
    return f"{text} and {more:,} more" if more > 0 else text


def pluralize(number: int, singular: str, plural: str = "") -> str:
    """Return a count with its noun: "1 image", "3,000 images". plural: where it is not the singular and an s."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
