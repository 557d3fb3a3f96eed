"""Cells of feature columns before they are parsed: the same for the rows of the training and of a prediction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.data.values import dates, numbers
from autotrain_gradio.data.values.arrow_columns import as_text, is_list, is_text, is_true

NULLS = pa.array(
    [
        *("nan", "NaN", "NAN", "Nan", "n/a", "N/A", "N/a", "null", "NULL", "Null", "NaT", "<NA>", "<na>"),
        *("n.a.", "N.A.", "#N/A", "#n/a", "#NV", "#NA"),
    ]
)
"""Words for a missing value in columns of every kind; other ones, such as `none`, may be categories."""
ERRORS = pa.array(numbers.ERRORS)
MISSING = pa.array((*numbers.WORDS, *numbers.ERRORS, "nat"))


def is_nested(type_: pa.DataType) -> bool:
    """Return whether cells are lists, objects or bytes, which no model of tables learns from."""
    return bool(pa.types.is_struct(type_) or is_list(type_) or pa.types.is_binary(type_))


def plain_cells(cells: pa.ChunkedArray, names: list[str] | None = None) -> pa.ChunkedArray:
    """Return numbers, dates, boolean values and texts without spaces around them; durations are numbers of seconds.

    names: of classes, for a column of their numbers.
    """
    nested = is_nested(cells.type)
    if nested or pa.types.is_time(cells.type) or (names is not None and not is_text(cells.type)):
        cells = as_text(cells, None if nested else names)
    elif pa.types.is_duration(cells.type):
        cells = pc.divide(cells.cast(pa.duration("us")).cast(pa.int64()).cast(pa.float64()), 1e6)
    return pc.utf8_trim_whitespace(cells) if is_text(cells.type) else cells


def missing_cells(cells: pa.ChunkedArray | pa.Array) -> tuple[Any, Any]:
    """Return which cells are missing in a column of any kind, and which of them are failed formulas (numpy).

    cells: as `plain_cells` returns them.
    """
    if not is_text(cells.type):
        return is_true(pc.is_null(cells, nan_is_null=True)), np.zeros(len(cells), dtype=bool)
    failed = is_true(pc.starts_with(cells, "#"))
    if failed.any():
        failed = is_true(pc.is_in(pc.utf8_lower(cells), value_set=ERRORS))
    filled = is_true(pc.not_equal(cells, ""))
    return ~filled | is_true(pc.is_in(cells, value_set=NULLS)) | failed, failed


def missing_words(cells: pa.ChunkedArray | pa.Array) -> Any:
    """Return which texts are words for a missing value: n/a, NULL, -, #N/A (numpy)."""
    return is_true(pc.is_in(pc.utf8_lower(cells), value_set=MISSING))


def parse_numbers(cells: pa.ChunkedArray, notation: str, unit: str | None = None) -> numbers.Numbers:
    """Parse cells as numbers. notation: as for `numbers.parse`.

    unit: that of the training data, whose limits and numbers in brackets were accepted; None: both are inferred.
    """
    accepted = None if unit is None else True
    return numbers.parse(cells, notation, unit, brackets=accepted, limits=accepted)


def parse_dates(cells: pa.ChunkedArray, first: str = "") -> dates.Dates:
    """Parse cells as dates; words for a missing value are missing. first: as for `dates.parse`."""
    found = dates.parse(cells, first)
    if found.unreadable.any() and is_text(cells.type):
        found.missing |= found.unreadable & missing_words(cells)
        found.unreadable &= ~found.missing
    return found
