"""Feature columns of a table: the type of each is detected.

`number category date text` are part of the dataset; `id` and `ignore` are not. `data.options.kinds` overrides the
detection.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.errors import Finding, did_you_mean
from autotrain_gradio.data.kinds.feature_panels import overview
from autotrain_gradio.data.rows import Cells, Context
from autotrain_gradio.data.values import dates, numbers
from autotrain_gradio.data.values.arrow_columns import (
    as_text,
    blank,
    encode,
    is_list,
    is_text,
    pick,
    trimmed,
)
from autotrain_gradio.data.values.multi_select import find_multi_select

__all__ = ["KINDS", "inspect", "overview"]

KINDS = ("number", "category", "date", "text", "id", "ignore")
ID_NAME = re.compile(r"(^|[_\W])(id|uuid|guid|key|nr|no|index|rowid)$|^unnamed: ?0?$|^index$|Id$|ID$", re.UNICODE)
SAMPLE = 4_000
"""Cells of the sample from which the type of a column is detected."""
LEAST_IDS = 20
"""Minimum number of rows for a column of distinct values to count as ids."""
MAX_INVALID = 0.1
"""Maximum share of invalid cells in a column of numbers."""


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Detect the type of the column, and parse it into numbers (float64), dates (timestamp[us]) or text.

    No row is skipped: missing and invalid cells are null, and counted in `about`.
    """
    given = _given(context)
    findings = []
    if given is not None and given not in KINDS:
        findings.append(
            Finding(
                "error",
                "unknown-kind",
                f"'{given}' is not a kind of column.",
                did_you_mean(str(given), KINDS),
                f"data.options.kinds.{context.column}",
            )
        )
        given = None
    nested = pa.types.is_struct(cells.type) or is_list(cells.type) or pa.types.is_binary(cells.type)
    if nested:
        cells = pa.chunked_array([pa.nulls(len(cells), pa.string())]) if given == "ignore" else as_text(cells)
    elif not is_text(cells.type) and context.names is not None:
        cells = as_text(cells, context.names)
    elif pa.types.is_duration(cells.type):
        cells = pc.divide(cells.cast(pa.duration("us")).cast(pa.int64()).cast(pa.float64()), 1e6)  # seconds
    elif pa.types.is_time(cells.type):
        cells = as_text(cells)
    text = is_text(cells.type)
    known = numbers.finite(cells) if text else None  # then no cell has surrounding spaces
    if known is not None and numbers.points_between(cells):
        known = None
    failed = None
    if known is not None:
        empty = known.missing
    elif text:
        cells = trimmed(cells)
        empty, failed = blank(cells), _failed(cells)
    else:
        empty = _null(cells)
    written = cells
    if failed is not None:
        cells, empty = pc.if_else(pa.array(failed), None, cells), empty | failed
    column = _Column(cells, empty, context, known)
    kind = given or ("ignore" if nested else _guess(column, context))
    result = Cells(None, {}, {}, findings)
    result.about = {"feature": kind, "guessed": given is None}
    _values(result, kind, column, context)
    result.about |= {"missing": column.missing, "distinct": column.distinct}
    if nested:
        result.about["nested"] = str(cells.type)
    if failed is not None:
        rows = np.flatnonzero(failed & context.needed)
        result.about["failed"] = {"count": len(rows), "examples": context.cell_examples(written, rows, 3)}
    return result


class _Column:
    """A column during detection; expensive properties are computed on first use.

    empty: per row, whether the cell is missing (numpy).
    known: the cells as numbers, if they are parsed already.
    """

    def __init__(self, cells: pa.ChunkedArray, empty: Any, context: Context, known: numbers.Numbers | None) -> None:
        self.cells, self.empty, self._needed, self._known = cells, empty, context.needed, known
        filled = context.needed & ~empty
        self._all = bool(filled.all())
        self.sample = cells.slice(0, SAMPLE) if self._all else pick(cells, np.flatnonzero(filled)[:SAMPLE])
        self.filled = int(np.count_nonzero(filled))
        self.missing = int(np.count_nonzero(context.needed)) - self.filled
        self.distinct = 0
        self.range: list[float] = []

    @property
    def plain(self) -> bool:
        """Whether Arrow can parse all cells as numbers."""
        return self._known is not None

    @cached_property
    def codes(self) -> Any:
        """Per row the code of its value, -1 for a missing one."""
        cells = pc.if_else(pa.array(self.empty), None, self.cells) if self.empty.any() else self.cells
        values, codes = encode(cells)
        if self._all:
            self.distinct = len(values)
        else:
            self.distinct = int(np.count_nonzero(np.bincount(codes[self._needed & (codes >= 0)], minlength=1)))
        return codes

    @property
    def all_differ(self) -> bool:
        """Whether all values are distinct, in at least `LEAST_IDS` rows."""
        return self.filled >= LEAST_IDS and len(self.codes) > 0 and self.distinct == self.filled

    @cached_property
    def numbers(self) -> numbers.Numbers:
        """The cells as numbers."""
        return self._known or numbers.parse(self.cells, unit=None, brackets=None, limits=None)

    def count_numbers(self) -> Any:
        """Count the distinct numbers; return a code of the value per row, -1 for a missing one."""
        values = self.numbers.values
        none = np.isnan(values)
        wanted = self._needed & ~none
        here = np.sort(values if wanted.all() else values[wanted])
        self.distinct = int(np.count_nonzero(here[1:] != here[:-1])) + 1 if len(here) else 0
        self.missing = int(np.count_nonzero(self._needed)) - len(here)
        # Minimum, median, maximum: the sum of halves of the two in the middle cannot overflow.
        self.range = (
            [float(here[0]), float(here[(len(here) - 1) // 2] / 2 + here[len(here) // 2] / 2), float(here[-1])]
            if len(here)
            else []
        )
        # The bits of the number, shifted so that no code is negative; 0.0 and -0.0 are equal.
        codes = (values + 0.0).view(np.uint64)
        codes >>= np.uint64(1)
        codes = codes.view(np.int64)
        codes[none] = -1
        return codes


def _given(context: Context) -> Any:
    kinds = context.request.spec.options.get("kinds")
    return kinds.get(context.column) if isinstance(kinds, dict) else None


def _null(cells: pa.ChunkedArray) -> Any:
    missing = np.asarray(cells.is_null().combine_chunks())
    if pa.types.is_floating(cells.type):
        missing = missing | np.asarray(pc.fill_null(pc.is_nan(cells), False).combine_chunks())
    return missing


def _guess(column: _Column, context: Context) -> str:
    if not column.filled:
        return "ignore"
    named = ID_NAME.search(context.column.strip()) is not None
    type_ = column.cells.type
    if pa.types.is_boolean(type_):
        return "category"
    if dates.is_date(type_):
        return "date"
    if pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return "number"
    sample = column.sample
    if not is_text(type_):  # whole numbers
        if _too_large(column.numbers.values[context.needed]):
            return "id" if column.all_differ else "category"
        return "id" if (named or _counts_up(numbers.parse(sample).values)) and column.all_differ else "number"
    if dates.are_months(sample) if column.plain else dates.looks_like_dates(sample):
        return "date"
    found = (
        numbers.parse(sample, unit=None, brackets=None, limits=None)
        if numbers.nearly_all(sample, 1 - MAX_INVALID)
        else None
    )
    if found is not None and found.unit and _leading_zero(sample, found.unit):
        return "id" if column.all_differ else "category"
    if found is not None and _numeric(found) and _numeric(column.numbers):
        if found.unit and not named and not _counts_up(found.values):
            return "number"
        known = column.numbers.values
        if _many_digits(sample) and _too_large(known[context.needed]):
            return "id" if column.all_differ else "category"
        whole = not (found.values[~np.isnan(found.values)] % 1).any()
        if whole and (named or _counts_up(found.values)) and _all_differ(known[context.needed & ~np.isnan(known)]):
            column.distinct = column.filled
            return "id"
        if not _leading_zero(sample):
            return "number"
        return "id" if column.all_differ else "category"
    words = float(np.asarray(pc.count_substring_regex(sample, r"\S+").combine_chunks()).mean())
    share = len(pc.unique(sample)) / len(sample)
    if words >= 4 and share > 0.3 and len(column.codes) and column.distinct > 0.3 * column.filled:
        return "text"
    if share < 0.5:
        return "category"
    if column.all_differ and (named or words < 1.5):
        return "id"
    return "text" if words >= 2.5 and column.distinct > 0.5 * column.filled else "category"


def _numeric(found: numbers.Numbers) -> bool:
    """Say whether nearly all cells that are not missing are numbers."""
    readable = len(found.values) - np.count_nonzero(np.isnan(found.values)) + np.count_nonzero(found.infinite)
    unreadable = np.count_nonzero(found.unreadable)
    return bool(readable and unreadable <= MAX_INVALID * (readable + unreadable))


def _all_differ(values: Any) -> bool:
    values = np.sort(values)
    return len(values) >= LEAST_IDS and bool((np.diff(values) != 0).all())


def _too_large(values: Any) -> bool:
    """Say whether all are whole numbers, and one is too large for float64, as identifiers are."""
    values = values[~np.isnan(values)]
    return bool(len(values)) and bool(np.abs(values).max() > numbers.EXACT) and not (values % 1).any()


def _counts_up(values: Any) -> bool:
    """Say whether whole numbers increase by 1 from row to row."""
    values = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    steps = np.diff(values.astype(np.float64))
    return bool(len(steps)) and bool((steps == 1).mean() > 0.9)


def _many_digits(column: pa.ChunkedArray) -> bool:
    """Say whether a number has more digits than float64 can represent."""
    answer = pc.any(pc.match_substring_regex(column, r"^[+-]?\d{16,}$"))
    return bool(answer.as_py())


def _leading_zero(column: pa.ChunkedArray, unit: str = "") -> bool:
    """Say whether numbers are written as codes: 00123; with a unit, 00123A."""
    answer = pc.any(pc.match_substring_regex(column, rf"^0\d+{re.escape(unit)}$"))
    return bool(answer.as_py())


def _values(result: Cells, kind: str, column: _Column, context: Context) -> None:
    about, cells = result.about, column.cells
    result.stored = kind not in {"id", "ignore"}
    if kind == "number":
        found = column.numbers
        none = np.isnan(found.values)
        result.values = pa.array(found.values, mask=none if none.any() else None)
        result.facts["codes"] = column.count_numbers()
        invalid = np.flatnonzero((found.unreadable | found.infinite) & context.needed)
        about["invalid"] = {"count": len(invalid), "examples": context.cell_examples(cells, invalid, 3)}
        about |= {"comma": found.comma, "thousands": found.thousands, "grouped": found.grouped, "points": found.points}
        about |= {
            "negated": found.negated,
            "limited": found.limited,
            "times": found.times,
            "reading": found.reading,
            "range": column.range,
        }
        if found.unit:
            readable = int((~np.isnan(found.values)).sum())
            about |= {"unit": found.unit, "united": found.united, "unitless": readable - found.united}
        return
    if result.stored or (kind == "id" and not column.distinct):
        result.facts["codes"] = column.codes
    if kind in {"category", "text", "id"} and about["guessed"] and is_text(cells.type):
        about["units"] = numbers.united(column.sample)
        about["answers"] = find_multi_select(column.sample) if kind == "category" else {}
    if kind == "date":
        read = dates.parse(cells)
        result.values = pa.array(read.values)
        invalid = np.flatnonzero(read.unreadable & context.needed)
        column.missing = int((np.isnat(read.values) & context.needed).sum())
        about["invalid"] = {"count": len(invalid), "examples": context.cell_examples(cells, invalid, 3)}
        about |= {"ways": read.ways, "unclear": read.unclear, "zones": read.zones}
        about["unzoned"] = int((~np.isnat(read.values)).sum()) - sum(read.zones.values())
        day, month = (read.ways.get(w, 0) for w in (dates.DAY_FIRST, dates.MONTH_FIRST))
        about["reading"] = "month" if month > day else "day" if day else ""
    elif result.stored:
        text = as_text(cells)
        result.values = pc.if_else(pa.array(column.empty), None, text) if column.empty.any() else text
        if kind == "category" and is_text(cells.type) and numbers.any_begins(column.sample):
            some = numbers.parse(column.sample, unit=None)
            if not np.isnan(some.values).all():
                about["invalid"] = _numbers_among(result.values, some.unit, context)
    else:
        result.values = pa.nulls(0)


def _failed(cells: pa.ChunkedArray) -> Any:
    """Return which cells hold the error value of a spreadsheet formula (numpy); None where none does."""
    failed = np.asarray(pc.fill_null(pc.starts_with(cells, "#"), False).combine_chunks())
    rows = np.flatnonzero(failed)  # often few of all
    failed = np.zeros(len(cells), dtype=bool)
    failed[rows] = _errors(pick(cells, rows))
    return failed if failed.any() else None


def _errors(cells: pa.ChunkedArray) -> Any:
    return np.asarray(pc.is_in(pc.utf8_lower(cells), value_set=pa.array(numbers.ERRORS)).combine_chunks())


def _numbers_among(text: pa.ChunkedArray, unit: str, context: Context) -> dict[str, Any]:
    """Count the numbers in a column of words, if only some cells are."""
    found = numbers.parse(text, unit=unit)
    numeric = ~np.isnan(found.values) & context.needed
    share = numeric.sum() / max(1, int((~found.missing & context.needed).sum()))
    rows = np.flatnonzero(numeric) if 0 < share < 1 else np.zeros(0, dtype=np.int64)
    return {"count": len(rows), "examples": context.cell_examples(text, rows, 3)}
