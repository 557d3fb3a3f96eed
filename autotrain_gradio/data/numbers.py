"""Numbers out of cells: of numeric columns as they are, of text with a point or a comma before the decimals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.data.columns import as_text, begin_only_with, blank, is_text, trimmed

PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
COMMA = r"^[+-]?(\d{1,3}([. ]\d{3})+|\d+),\d+$"
"""A decimal comma, with points or spaces between the thousands: 1.234,5."""
THOUSANDS = r"^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$"
"""Commas between the thousands: 1,234.5. In 0,532 the comma stands before decimals."""
GROUPS = r"^([+-]?)([1-9]\d{0,2}(?:[ '’]\d{3})+)([.,]\d+)?$"
"""Spaces or apostrophes between the thousands: 1'234.5."""
UNITED = (
    r"^([€$£¥₹]|[A-Z]{3})? ?[+-]?\d[\d., '’]* ?([%‰€$£¥₹]|°?[A-Za-zµμ]{1,4}[²³]?|[A-Za-zµμ]{1,3}/[A-Za-z]{1,3}[²³]?)?$"
)
"""A number with something before or behind it: 12 kg, € 5, 30 %."""
UNITS = 3
"""Different units up to which cells are taken for numbers with one."""
NEARLY_ALL = 0.9
WORDS = ("nan", "na", "n/a", "#n/a", "null", "none", "-", "?", "<na>", "#na")
"""What people and programs write where a number is missing, in lower case."""


@dataclass
class Numbers:
    """One value a row, all numpy: `values` (float64; NaN where there is none) and what stood in its place.

    missing: nothing, or a word such as `n/a`; `words` counts the rows with a word.
    infinite: plus or minus infinity. unreadable: something that is no number.
    comma: rows with a decimal comma; thousands: rows with commas between the thousands; grouped: rows with spaces or
    apostrophes there.
    """

    values: Any
    missing: Any
    infinite: Any
    unreadable: Any
    words: int = 0
    comma: int = 0
    thousands: int = 0
    grouped: int = 0


def parse(column: pa.ChunkedArray, comma: str = "") -> Numbers:
    """Read every cell as a number; none is refused, those that are no numbers are marked.

    comma: what 1,234 means, which may be either: `decimal` or `thousands`; "": what the other cells show.
    """
    type_ = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return _numeric(column.cast(pa.float64(), safe=False))
    if pa.types.is_boolean(type_):
        return _numeric(column.cast(pa.int8()).cast(pa.float64()))
    if pa.types.is_null(type_):
        return _numeric(column.cast(pa.float64()))
    text = column if is_text(column.type) else as_text(column)
    return _of_text(text, comma)


def _numeric(column: pa.ChunkedArray) -> Numbers:
    values = column.to_numpy().astype(np.float64)  # a copy: what Arrow lends may not be written to
    infinite = np.isinf(values)
    values[infinite] = np.nan
    no = np.zeros(len(values), dtype=bool)
    return Numbers(values, np.isnan(values) & ~infinite, infinite, no)


def _of_text(column: pa.ChunkedArray, comma: str) -> Numbers:
    found = finite(column)  # most columns need no more care
    if found is not None:
        return found
    text = trimmed(column)
    empty = blank(text)
    if text is not column or empty.any():
        found = finite(pc.if_else(pa.array(empty), None, text))
    return found or _with_care(text, empty, comma)


def finite(text: pa.ChunkedArray) -> Numbers | None:
    """Return the numbers of texts that are finite ones as Arrow writes them, or null; None where any is not."""
    if not begin_only_with(text, "+-.0123456789"):
        return None
    try:
        cast = pc.cast(text, pa.float64())
    except pa.ArrowInvalid:
        return None
    values = cast.to_numpy().astype(np.float64)
    missing = np.isnan(values)
    if int(missing.sum()) != cast.null_count or np.isinf(values).any():
        return None  # Arrow reads nan and inf as numbers
    no = np.zeros(len(values), dtype=bool)
    return Numbers(values, missing, no, no)


def united(text: pa.ChunkedArray) -> str:
    """Return an example where nearly all of these texts are numbers with a unit or a currency, else nothing."""
    text = pc.filter(text, pc.greater(pc.utf8_length(text), 0))
    if not len(text):
        return ""
    fits = _true(pc.match_substring_regex(_plainly(text), UNITED))
    if fits.mean() < NEARLY_ALL:
        return ""
    found = pc.filter(text, pa.array(fits))
    units = pc.unique(pc.replace_substring_regex(found, r"[\d\s., '’+\-−\x{00a0}\x{2009}\x{202f}]", "")).to_pylist()
    return str(found[0].as_py()) if any(units) and len(set(units) - {""}) <= UNITS else ""


def _plainly(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Write the spaces and the minus sign of typesetters as those of the keyboard."""
    if not _true(pc.match_substring_regex(text, r"[\x{00a0}\x{2009}\x{202f}−]")).any():
        return text
    spaced = pc.replace_substring_regex(text, r"[\x{00a0}\x{2009}\x{202f}]", " ")
    return pc.replace_substring(spaced, "−", "-")


def _with_care(text: pa.ChunkedArray, empty: Any, said: str) -> Numbers:
    text = _plainly(text)
    grouped = _true(pc.match_substring_regex(text, GROUPS))
    if grouped.any():
        text = pc.if_else(pa.array(grouped), pc.replace_substring_regex(text, "[ '’]", ""), text)
    lower = pc.utf8_lower(text)
    plain = _true(pc.match_substring_regex(text, PLAIN))
    infinite = _true(pc.match_substring_regex(lower, r"^[+-]?inf(inity)?$"))
    words = _true(pc.is_in(lower, value_set=pa.array(WORDS)))
    comma = _true(pc.match_substring_regex(text, COMMA))
    thousands = _true(pc.match_substring_regex(text, THOUSANDS))
    # 1,234 may be either: it is what the other cells of the column are, and else a thousand.
    either = comma & thousands
    if said == "decimal" or (not said and (comma & ~thousands).any() and not (thousands & ~comma).any()):
        thousands = thousands & ~either
    else:
        comma = comma & ~either
    values = np.full(len(text), np.nan)
    _fill(values, plain, text)
    if comma.any():
        _fill(values, comma, pc.replace_substring(pc.replace_substring_regex(text, "[. ]", ""), ",", "."))
    if thousands.any():
        _fill(values, thousands, pc.replace_substring(text, ",", ""))
    infinite = infinite | np.isinf(values)  # 1e999
    values[infinite] = np.nan
    unreadable = ~(plain | infinite | words | comma | thousands | empty)
    return Numbers(
        values,
        empty | words,
        infinite,
        unreadable,
        int(words.sum()),
        int(comma.sum()),
        int(thousands.sum()),
        int(grouped.sum()),
    )


def _fill(values: Any, rows: Any, text: pa.ChunkedArray) -> None:
    values[rows] = pc.cast(pc.filter(text, pa.array(rows)), pa.float64()).to_numpy()


def _true(answer: Any) -> Any:
    filled = pc.fill_null(answer, False)
    return np.asarray(filled.combine_chunks() if isinstance(filled, pa.ChunkedArray) else filled)
