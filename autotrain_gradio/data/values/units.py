"""Units before or after the numbers of a column: € 5, 12 kg, 30 %."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.text_format import in_unit
from autotrain_gradio.data.values.arrow_columns import matches

_CODES = (
    "AED ARS AUD BDT BGN BRL CAD CHF CLP CNY COP CZK DKK EGP ETB EUR GBP GHS HKD HUF IDR ILS INR IRR ISK JPY KES KRW "
    "KZT LKR MAD MMK MXN MYR NGN NOK NPR NZD PEN PHP PKR PLN RON RSD RUB SAR SEK SGD THB TND TRY TWD TZS UAH UGX USD "
    "UYU VND ZAR"
)
"""Codes of currencies (ISO 4217). Other three letters before a number may be a name: SKU 123."""
_CURRENCIES = (
    *(("US$", "USD", "$"), ("EUR", "€"), ("GBP", "£"), ("INR", "₹", "Rs.", "Rs"), ("CHF", "Fr.", "Fr"), ("PLN", "zł")),
    *(("RUB", "₽"), ("KRW", "₩"), ("ILS", "₪"), ("UAH", "₴"), ("VND", "₫"), ("BRL", "R$")),
)
"""Spellings of one currency, each before those that it begins with or contains."""
_BEFORE = rf"[A-Z]{{0,3}}\p{{Sc}}|(?:Rs|Fr|kr)\.?|{'|'.join(_CODES.split())}"
_BEHIND = (
    r"[\pL\p{Sc}%‰°][\pL\p{Sc}%‰°²³./ ]*|[\pL./ ]*m[23]|"
    r"/ ?\d{1,3}|(?:out of|of|von|sur) \d{1,3}(?: \pL+)?"
)
"""A sign, a word or two, a ratio, a maximum: %, kg, sq ft, €/m², out of 5 stars."""
_UNITED = rf"^[+-]? ?(?P<before>{_BEFORE})? ?[+-]?[\d.][\d., '’]*(?:[eE][+-]?\d+)? ?(?P<behind>{_BEHIND})?$"
LONGEST = 18
"""Characters of a unit."""
SEVERAL = 3
"""Maximum number of distinct units."""
NEARLY_ALL = 0.9
SOME = 0.1
"""Share of the cells that must have the unit; the others may have none."""


def unit_of(text: pa.ChunkedArray) -> str:
    """Return the unit of these texts in its most frequent spelling; "" where they have none, or several.

    text: without empty cells, with spaces and minus signs of the keyboard.
    """
    found = _found(text)
    if found is None:
        return ""
    count = Counter(u for u in found if u)
    if not count:
        return ""
    unit = count.most_common(1)[0][0]
    same = sum(n for u, n in count.items() if _same(u, unit))
    return unit if same >= NEARLY_ALL * count.total() and same >= SOME * len(text) else ""


def different(text: pa.ChunkedArray) -> list[str]:
    """Return an example of each unit where nearly all of these texts are numbers, and have two or three units."""
    found = _found(text)
    if found is None or sum(u is not None for u in found) < NEARLY_ALL * len(text):
        return []
    first: dict[str, int] = {}
    for row, unit in enumerate(found):
        if unit and not any(_same(unit, known) for known in first):
            first[unit] = row
    return [str(text[row].as_py()) for row in first.values()] if 1 < len(first) <= SEVERAL else []


def format_unit_counts(united: int, unitless: int, unit: str) -> str:
    """Return the unit with the numbers of rows with and without it."""
    return f"{in_unit(unit)} ({united:,}" + (f"; {unitless:,} without a unit)" if unitless else ")")


def without(text: pa.ChunkedArray, unit: str) -> tuple[pa.ChunkedArray, Any]:
    """Remove a unit before or after the numbers; return the texts, and which rows had it (numpy)."""
    names = "|".join(re.escape(u) for u in _spelled(unit))
    before = rf"^([+-]?) ?(?:{names}) ?([+-]?[\d.].*)$"
    behind = rf"^(.*[\d.]) ?(?:{names})$"
    leads = matches(text, before)
    trails = matches(text, behind) & ~leads
    text = pc.replace_substring_regex(text, before, r"\1\2")
    text = pc.if_else(pa.array(trails), pc.replace_substring_regex(text, behind, r"\1"), text)
    return text, leads | trails


def _found(text: pa.ChunkedArray) -> list[str | None] | None:
    """Return the unit of each text: "" for a number without one, None for other texts; None if no text is a number."""
    parts = pc.extract_regex(text, _UNITED)
    if parts.null_count == len(parts):
        return None
    found: list[str | None] = []
    for part in parts.to_pylist():
        unit = [] if part is None else [u for u in (part["before"], part["behind"].strip()) if u]
        found.append(None if part is None or len(unit) > 1 or len("".join(unit)) > LONGEST else "".join(unit))
    return found


def _spelled(unit: str) -> list[str]:
    """Return the spellings of a unit, singular and plural, or of a currency; the longer one first."""
    if currency := next((spellings for spellings in _CURRENCIES if unit in spellings), None):
        return list(currency)
    if len(unit) < 2 or not unit.isalpha():
        return [unit]
    return [unit, unit[:-1]] if unit.endswith("s") and len(unit) > 2 else [f"{unit}s", unit]


def _same(one: str, other: str) -> bool:
    """Return whether two units are the same: pc and pcs, but not m and ms."""
    return one in _spelled(other)
