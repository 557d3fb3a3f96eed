"""Wording of numbers and lists in messages: plural forms and shortened lists. One home for every layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


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


def format_value(value: Any) -> str:
    """Return a value for people: 0.9333, 1,234, 5.0e-05, yes, no; "–" for None and numbers that are not finite."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e15:
            return f"{int(value):,}"
        if abs(value) >= 1e-3:
            return f"{value:,.4g}" if abs(value) < 1e6 else f"{value:,.0f}"
        return f"{value:.2g}" if abs(value) >= 1e-4 else f"{value:.1e}"
    return str(value)
