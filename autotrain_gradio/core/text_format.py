"""Formatting of numbers, durations, sizes and lists in messages, and parsing of durations and sizes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from numbers import Real
from typing import Any, TypeGuard

KIB, MIB, GIB = 2**10, 2**20, 2**30
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def join_examples(items: Sequence[str], total: int | None = None, *, limit: int = 5) -> str:
    """Return the first items as text: "a, b and 3 more".

    total: number of items where `items` holds only the first of them; limit: most items to name.
    """
    count = len(items) if total is None else total
    text = ", ".join(items[:limit])
    more = count - min(limit, len(items))
    return f"{text} and {more:,} more" if more > 0 else text


def truncate(text: str, most: int) -> str:
    """Return a text of at most so many characters; the last one of a longer text is an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def one_line(text: str, most: int) -> str:
    """Return a text on one line, truncated to `most` characters."""
    return truncate(" ".join(text[: 2 * most].split()), most)


def pluralize(number: int, singular: str, plural: str = "") -> str:
    """Return a count with its noun: "1 image", "3,000 images". plural: if it is irregular."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


PLURALS = {"is": "are", "was": "were", "has": "have", "does": "do", "it": "they", "its": "their"}
"""Verbs whose plural is not the singular without its s, and pronouns."""


def count_with_verb(number: int, singular: str, verb: str, plural: str = "") -> str:
    """Return a count with its noun and a verb that agrees: "1 row has", "3,000 rows have". verb: in the singular."""
    return f"{pluralize(number, singular, plural)} {inflect(number, verb)}"


def inflect(number: int, word: str) -> str:
    """Return a verb or pronoun, given in the singular, that agrees with a number: 3, "has" is "have"."""
    return word if number == 1 else PLURALS.get(word, word.removesuffix("s"))


def format_count(template: str, number: int, singular: str, plural: str = "") -> str:
    """Fill a template with a count and words that agree: "{n} {has} no label and {was} skipped".

    template: `{n}` is the count with its noun; every other name in braces is a verb or pronoun in the singular.
    """
    count = pluralize(number, singular, plural)
    return re.sub(r"\{(\w+)\}", lambda match: count if match[1] == "n" else inflect(number, match[1]), template)


NAMES = frozenset(
    {
        *("Brier", "Cohen", "Dice", "Fréchet", "Gini", "Hamming"),
        *("Jaccard", "Kendall", "Levenshtein", "Matthews", "Pearson", "Spearman"),
    }
)
"""Proper names at the beginning of titles, such as that of the Hamming loss."""


def in_sentence(title: str) -> str:
    """Return a title as written inside a sentence: "log loss" for "Log loss"; names and acronyms stay: "F1", "WER"."""
    first = title.partition(" ")[0]
    is_word = (first[1:].islower() or first == "A") and first.removesuffix("'s") not in NAMES
    return title[:1].lower() + title[1:] if is_word else title


def format_duration(seconds: float, *, decimals: int = 0) -> str:
    """Return a duration with its unit: "42 s", "3 min 5 s", "2 h 10 min". decimals: of seconds, below a minute."""
    seconds = max(0.0, seconds)
    if round(seconds, decimals) < 60:
        return f"{seconds:.{decimals}f} s"
    whole = round(seconds)
    if whole < 3600:
        (first, second), large, small = divmod(whole, 60), "min", "s"
    else:
        (first, second), large, small = divmod(whole // 60, 60), "h", "min"
    return f"{first} {large} {second} {small}" if second else f"{first} {large}"


def parse_duration(text: str) -> float:
    """Parse seconds ("90"), or numbers with units ("90s", "30m", "2h", "1h30m", "1d"), into seconds.

    Raises:
        ValueError: the text is neither, or not above 0.
    """
    compact = re.sub(r"\s+", "", text.lower())
    if re.fullmatch(r"\d+(\.\d+)?", compact):
        seconds = float(compact)
    elif re.fullmatch(r"(\d+(\.\d+)?[smhd])+", compact):
        seconds = sum(float(n) * UNITS[unit] for n, unit in re.findall(r"([\d.]+)([smhd])", compact))
    else:
        raise ValueError(f"'{text[:40]}' is not a duration: write seconds, or for instance 90s, 30m, 2h, 1h30m or 1d.")
    if seconds <= 0:
        raise ValueError(f"A duration must be above 0 (got '{text[:40]}').")
    return seconds


def format_bytes(size: float) -> str:
    """Return a number of bytes with its unit: "512 bytes", "3.2 MiB", "1.5 GiB"."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return pluralize(round(size), "byte")


def parse_bytes(text: str) -> float:
    """Parse a size: a number of bytes, or a number with a unit ("500MB", "2GiB", "1.5 G"), into bytes.

    Raises:
        ValueError: the text is neither, or negative.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?)b?|b)?", text.strip().lower())
    if found is None:
        raise ValueError(f"'{text[:40]}' is not a size: write bytes, or for instance 500MB or 2GiB.")
    base = 1000 if found[2] and not found[3] else 1024
    return float(found[1]) * base ** (" kmgt".index(found[2]) if found[2] else 0)


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a finite number that a float can hold, of Python or numpy; not a boolean."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer above 1.8e308
        return False


def format_value(value: Any) -> str:
    """Return a value for display: 0.9333, 1,234, 5.0e-05, yes, no; "–" for None and numbers that are not finite."""
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


def in_unit(unit: str) -> str:
    """Return the description of the unit of a column: `in €`; for a rating its maximum: `out of 5`."""
    if unit.startswith("/") and unit[1:].strip().isdigit():
        return f"out of {unit[1:].strip()}"
    return unit if re.match(r"\D+ \d", unit) else f"in {unit}"
