"""Feature columns of a table: the type of each is detected.

`number category date text` are part of the dataset; `id` and `ignore` are not. `data.options.kinds` overrides the
detection.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.errors import Finding, did_you_mean
from autotrain_gradio.data.kinds.feature_panels import overview
from autotrain_gradio.data.rows import ROW_NAME, Cells, Context, show_cell
from autotrain_gradio.data.values import dates, labels, numbers
from autotrain_gradio.data.values.arrow_columns import (
    as_text,
    encode,
    is_text,
    matches,
    pick,
)
from autotrain_gradio.data.values.feature_cells import (
    is_nested,
    missing_cells,
    missing_words,
    parse_dates,
    parse_numbers,
    plain_cells,
)
from autotrain_gradio.data.values.multi_select import find_multi_select
from autotrain_gradio.data.values.spellings import MOST_SPELLINGS, are_truth_values, merge_truth_values

__all__ = ["KINDS", "inspect", "overview"]

KINDS = ("number", "category", "date", "text", "id", "ignore")
ID_NAME = re.compile(r"(^|[_\W])(id|uuid|guid|key|nr|no|index|rowid)$|^unnamed: ?0?$|^index$|Id$|ID$", re.UNICODE)
SAMPLE = 4_000
"""Cells of the sample from which the type of a column is detected."""
LEAST_IDS = 20
"""Minimum number of rows for a column of distinct values to count as ids."""
MAX_COMPARED = 10_000
"""Maximum number of categories whose spellings are compared."""
MAX_INVALID = 0.1
"""Maximum share of invalid cells in a column of numbers."""


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Detect the type of the column, and parse it into numbers (float64), dates (timestamp[us]) or text.

    No row is skipped: missing and invalid cells are null, and counted in `about`.
    """
    given = _given(context)
    findings = []
    if given is not None and given not in KINDS:
        message, where = f"'{given}' is not a kind of column.", f"data.options.kinds.{context.column}"
        findings.append(Finding("error", "unknown-kind", message, did_you_mean(str(given), KINDS), where))
        given = None
    nested_type, nested = cells.type, is_nested(cells.type)
    if nested and given == "ignore":
        cells = pa.chunked_array([pa.nulls(len(cells), pa.string())])
    cells = plain_cells(cells, context.names)
    missing, failed = missing_cells(cells)
    column = _Column(pc.if_else(pa.array(missing), None, cells) if missing.any() else cells, missing, context)
    kind = given or ("ignore" if nested else _guess(column, context))
    result = Cells(None, {}, {}, findings)
    result.about = {"feature": kind, "guessed": given is None, "missing": column.missing, "distinct": 0}
    if nested:
        result.about["nested"] = str(nested_type)
    if failed.any():
        result.about["failed"] = _examples(cells, failed, context)
    if kind == "number":
        _store_numbers(result, column, context)
    elif kind == "date":
        _store_dates(result, column, context)
    else:
        _store_texts(result, kind, column, context)
    return result


class _Column:
    """A column during detection; expensive properties are computed on first use.

    cells: null where they are missing. missing: per row (numpy).
    """

    def __init__(self, cells: pa.ChunkedArray, missing: Any, context: Context) -> None:
        self.cells, self._needed, self._notation = cells, context.needed, context.notation
        filled = np.flatnonzero(context.needed & ~missing)
        self.filled = len(filled)
        self.missing = int(np.count_nonzero(context.needed)) - self.filled
        self.sample = pick(cells, filled[:SAMPLE])

    @cached_property
    def encoded(self) -> tuple[pa.Array, Any]:
        """The distinct values, and per row the code of its value, -1 for a missing one."""
        return encode(self.cells)

    @property
    def codes(self) -> Any:
        """Per row the code of its value, -1 for a missing one."""
        return self.encoded[1]

    @cached_property
    def distinct(self) -> int:
        """Number of distinct values in the rows that are needed."""
        return _count_distinct(self.codes[self._needed])

    @property
    def all_differ(self) -> bool:
        """Whether all values are distinct, in at least `LEAST_IDS` rows."""
        return self.filled >= LEAST_IDS and self.distinct == self.filled

    @cached_property
    def numbers(self) -> numbers.Numbers:
        """The cells as numbers."""
        return parse_numbers(self.cells, self._notation)


def _count_distinct(codes: Any) -> int:
    return int(np.count_nonzero(np.bincount(codes[codes >= 0], minlength=1)))


def _examples(cells: pa.ChunkedArray, marked: Any, context: Context) -> dict[str, Any]:
    """Return the number of the marked cells that are needed, and the first of them."""
    rows = np.flatnonzero(marked & context.needed)
    shown = [context.locations[i] + show_cell(cells)(i) for i in rows[:3].tolist()]
    return {"count": len(rows), "examples": shown}


def _given(context: Context) -> Any:
    kinds = context.request.spec.options.get("kinds")
    return kinds.get(context.column) if isinstance(kinds, dict) else None


def _guess(column: _Column, context: Context) -> str:
    if not column.filled:
        return "ignore"
    if context.column == ROW_NAME:
        return "id"
    named = ID_NAME.search(context.column.strip()) is not None
    type_ = column.cells.type
    if pa.types.is_boolean(type_):
        return "category"
    if dates.is_date(type_):
        return "date"
    if pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return "number"
    sample = column.sample
    if is_text(type_) and _are_truth_words(sample):
        return "category"
    if not is_text(type_):  # whole numbers
        if _too_large(column.numbers.values[context.needed]):
            return "id" if column.all_differ else "category"
        return "id" if (named or _counts_up(numbers.parse(sample).values)) and column.all_differ else "number"
    plain = numbers.finite(sample) is not None
    words = sample.filter(pa.array(~missing_words(sample)))
    if dates.are_months(sample) if plain else dates.looks_like_dates(words):
        return "date"
    found = parse_numbers(sample, context.notation)
    if _numeric(found):
        if found.unit and _leading_zero(sample, found.unit):
            return "id" if column.all_differ else "category"
        if _numeric(column.numbers):
            return _guess_of_numbers(column, found, named, context)
    length = float(np.asarray(pc.count_substring_regex(sample, r"\S+").combine_chunks()).mean())
    share = len(pc.unique(sample)) / len(sample)
    if length >= 4 and share > 0.3 and column.distinct > 0.3 * column.filled:
        return "text"
    if share < 0.5:
        return "category"
    if column.all_differ and (named or length < 1.5):
        return "id"
    return "text" if length >= 2.5 and column.distinct > 0.5 * column.filled else "category"


def _guess_of_numbers(column: _Column, found: numbers.Numbers, named: bool, context: Context) -> str:
    """Return whether numbers written as text are amounts, ids or codes. found: the sample. named: as ids are."""
    counting = _counts_up(found.values)
    if found.unit and not named and not counting:
        return "number"
    known = column.numbers.values
    known = known[context.needed & ~np.isnan(known)]
    if _many_digits(column.sample) and _too_large(known):
        return "id" if column.all_differ else "category"
    whole = not (found.values[~np.isnan(found.values)] % 1).any()
    if whole and (named or counting) and len(np.unique(known)) == len(known) >= LEAST_IDS:
        return "id"
    if not _leading_zero(column.sample):
        return "number"
    return "id" if column.all_differ else "category"


def _are_truth_words(sample: pa.ChunkedArray) -> bool:
    """Return whether all texts are boolean values, and some are words: TRUE, False, 1, but not 1 and 0 alone."""
    return are_truth_values(sample) and bool(matches(sample, r"\D$").any())


def _numeric(found: numbers.Numbers) -> bool:
    """Return whether nearly all cells that are not missing are numbers."""
    readable = len(found.values) - np.count_nonzero(np.isnan(found.values)) + np.count_nonzero(found.infinite)
    unreadable = np.count_nonzero(found.unreadable)
    return bool(readable and unreadable <= MAX_INVALID * (readable + unreadable))


def _too_large(values: Any) -> bool:
    """Return whether all are whole numbers, and one is too large for float64, as identifiers are."""
    values = values[~np.isnan(values)]
    return bool(len(values)) and bool(np.abs(values).max() > numbers.EXACT) and not (values % 1).any()


def _counts_up(values: Any) -> bool:
    """Return whether whole numbers increase by 1 from row to row."""
    values = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    steps = np.diff(values.astype(np.float64))
    return bool(len(steps)) and bool((steps == 1).mean() > 0.9)


def _many_digits(column: pa.ChunkedArray) -> bool:
    """Return whether a number has more digits than float64 can represent."""
    return bool(matches(column, r"^[+-]?\d{16,}$").any())


def _leading_zero(column: pa.ChunkedArray, unit: str = "") -> bool:
    """Return whether numbers are written as codes: 00123; with a unit, 00123A."""
    return bool(matches(column, rf"^0\d+{re.escape(unit)}$").any())


def _store_numbers(result: Cells, column: _Column, context: Context) -> None:
    found, about = column.numbers, result.about
    result.values = pa.array(found.values, from_pandas=True)
    codes = result.facts["codes"] = pd.factorize(found.values)[0]
    known = found.values[context.needed & ~np.isnan(found.values)]
    about["missing"] = int(np.count_nonzero(context.needed)) - len(known)
    about["distinct"] = _count_distinct(codes[context.needed])
    about["range"] = np.quantile(known, (0, 0.5, 1)).tolist() if len(known) else []
    about["invalid"] = _examples(column.cells, found.unreadable | found.infinite, context)
    about |= {name: getattr(found, name) for name in ("reading", *(n.attribute for n in numbers.NOTATIONS))}
    if found.unit:
        readable = int((~np.isnan(found.values)).sum())
        about |= {"unit": found.unit, "united": found.united, "unitless": readable - found.united}


def _store_dates(result: Cells, column: _Column, context: Context) -> None:
    found, about = parse_dates(column.cells), result.about
    result.values, result.facts["codes"] = pa.array(found.values), column.codes
    known = ~np.isnat(found.values)
    about["missing"], about["distinct"] = int((~known & context.needed).sum()), column.distinct
    about["invalid"] = _examples(column.cells, found.unreadable, context)
    about |= {"ways": found.ways, "unclear": found.unclear, "zones": found.zones}
    about["unzoned"] = int(known.sum()) - sum(found.zones.values())
    day, month = (found.ways.get(w, 0) for w in (dates.DAY_FIRST, dates.MONTH_FIRST))
    about["reading"] = "month" if month > day else "day" if day else ""


def _store_texts(result: Cells, kind: str, column: _Column, context: Context) -> None:
    """Store categories and texts; ids and columns to ignore are only described."""
    about, text = result.about, is_text(column.cells.type)
    result.stored = kind in {"category", "text"}
    result.values = as_text(column.cells) if result.stored else pa.nulls(0)
    if kind == "category" and text and column.distinct <= MOST_SPELLINGS:
        values, codes = column.encoded
        merged = merge_truth_values(values, codes)
        if merged is not values:
            result.values = pa.chunked_array([merged.take(pa.array(codes, mask=codes < 0))])
            column.encoded = encode(result.values)
    if kind != "ignore":
        about["distinct"] = _count_distinct(column.codes[context.needed])
        if about["guessed"] and text:
            about["units"] = numbers.united(column.sample)
            about["dates"] = dates.resembles_dates(column.sample) and column.sample[0].as_py()
            about["answers"] = find_multi_select(column.sample) if kind == "category" else {}
            about["mostly"] = _mostly(column, kind, context) if len(column.sample) and not about["dates"] else None
        about["numeric"] = kind == "id" and (not text or _holds_amounts(column, context))
    if result.stored:
        result.facts["codes"] = column.codes
    if kind == "category" and text:
        if column.distinct <= MAX_COMPARED:
            about["alike"] = _spelled_alike(*column.encoded, context)
        some = numbers.parse(column.sample, context.notation, unit=None)
        if not np.isnan(some.values).all():
            about["invalid"] = _numbers_among(result.values, some.unit, context)


def _holds_amounts(column: _Column, context: Context) -> bool:
    """Return whether all texts are numbers, and none of them a code such as 00420."""
    numeric = not np.isnan(parse_numbers(column.sample, context.notation).values).any()
    return numeric and not _leading_zero(column.sample)


def _mostly(column: _Column, kind: str, context: Context) -> dict[str, Any] | None:
    """Return the kind that most cells of a column of texts look like, their share, and a cell that does not."""
    sample, parsed = column.sample.slice(0, dates.SAMPLE), dict[str, Any]()
    if float(matches(sample, dates.RESEMBLING).mean()) >= 0.5:
        parsed["date"] = dates.parse(sample).unreadable
    if kind != "category":  # numbers among the words of categories are counted in `invalid`
        parsed["number"] = np.isnan(parse_numbers(sample, context.notation).values)
    for looks, others in parsed.items():
        share = 1 - float(others.mean())
        if 0.5 <= share < 1:
            other = sample[int(np.argmax(others))].as_py()
            return {"kind": looks, "share": share, "other": str(other)[:40]}
    return None


def _spelled_alike(values: pa.Array, codes: Any, context: Context) -> list[str]:
    """Return the categories that differ only in their spelling, with their counts: `'Berlin' (5) = 'berlin' (2)`."""
    counts = np.bincount(codes[context.needed & (codes >= 0)], minlength=len(values)).tolist()
    variants: dict[str, list[str]] = defaultdict(list)
    for value, count in zip(values.to_pylist(), counts, strict=True):
        if count:
            variants[labels.spelling(value)].append(f"{labels.quoted(value)} ({count:,})")
    return [" = ".join(names) for names in variants.values() if len(names) > 1]


def _numbers_among(text: pa.ChunkedArray, unit: str, context: Context) -> dict[str, Any]:
    """Count the numbers in a column of words, if only some cells are."""
    found = numbers.parse(text, context.notation, unit=unit)
    numeric = ~np.isnan(found.values)
    words = ~numeric & ~found.missing & context.needed
    return _examples(text, numeric & words.any(), context)
