"""Columns of a table that a model learns from: of each it is recognised what it holds.

`number category date text` are part of the dataset; `id` and `ignore` are not. `data.options.kinds` says otherwise.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.data import dates, numbers
from autotrain_gradio.data.columns import as_text, blank, encode, is_list, is_text
from autotrain_gradio.data.kinds.feature_panels import overview
from autotrain_gradio.data.rows import Cells, Context
from autotrain_gradio.errors import Finding, did_you_mean

__all__ = ["KINDS", "inspect", "overview"]

KINDS = ("number", "category", "date", "text", "id", "ignore")
ID_NAME = re.compile(r"(^|[_\W])(id|uuid|guid|key|nr|no|index|rowid)$|^unnamed: ?0?$|^index$|Id$|ID$", re.UNICODE)
LEAST_IDS = 20
"""Rows from which values that are all different are taken for ids."""
ODD = 0.1
"""Share of cells that are no numbers up to which a column is one of numbers all the same."""


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Recognise what the column holds, and turn it into numbers (float64), dates (timestamp[us]) or text.

    No cell leaves its row out: what is missing, or cannot be read, is null, and counted in `about`.
    """
    given = _given(context)
    findings = []
    if given is not None and given not in KINDS:
        findings.append(
            Finding(
                "error",
                "unknown-kind",
                f"There is no kind of column '{given}'.",
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
    text = is_text(cells.type)
    if text:
        cells = pc.utf8_trim_whitespace(cells)
    empty = blank(cells) if text else _null(cells)
    values, codes = encode(pc.if_else(pa.array(empty), None, cells) if text else cells)
    here = codes[context.needed]
    filled = int((here >= 0).sum())
    distinct = len(np.unique(here[here >= 0]))
    kind = given or ("ignore" if nested else _guess(cells, empty, values, codes, distinct, filled, context))
    result = Cells(None, {}, {"codes": codes}, findings)
    result.about = {"feature": kind, "guessed": given is None, "missing": len(here) - filled, "distinct": distinct}
    if nested:
        result.about["nested"] = str(cells.type)
    _values(result, kind, cells, empty, context)
    return result


def _given(context: Context) -> Any:
    kinds = context.request.spec.options.get("kinds")
    return kinds.get(context.column) if isinstance(kinds, dict) else None


def _null(cells: pa.ChunkedArray) -> Any:
    missing = np.asarray(cells.is_null().combine_chunks())
    if pa.types.is_floating(cells.type):
        missing = missing | np.asarray(pc.fill_null(pc.is_nan(cells), False).combine_chunks())
    return missing


def _guess(
    cells: pa.ChunkedArray, empty: Any, values: pa.Array, codes: Any, distinct: int, filled: int, context: Context
) -> str:
    if not filled:
        return "ignore"
    all_differ = distinct == filled and filled >= LEAST_IDS
    named = ID_NAME.search(context.column.strip()) is not None
    type_ = cells.type
    if pa.types.is_boolean(type_):
        return "category"
    if dates.is_date(type_):
        return "date"
    if pa.types.is_integer(type_):
        return "id" if all_differ and (named or _counts_up(cells.to_numpy())) else "number"
    if pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return "number"
    sample = pa.chunked_array([values.slice(0, 10_000)])
    found = numbers.parse(sample)
    readable = ~np.isnan(found.values) | found.infinite
    if readable.sum() and found.unreadable.sum() <= ODD * len(sample):
        whole = not (found.values[readable] % 1).any()
        plain = not _leading_zero(sample)
        if all_differ and whole and (named or _counts_up(found.values)):
            return "id"
        return "number" if plain else ("id" if all_differ else "category")
    if dates.looks_like_dates(cells, empty):
        return "date"
    words = np.asarray(pc.count_substring_regex(values.slice(0, 10_000).cast(pa.string()), r"\S+"))
    if words.mean() >= 4 and distinct > 0.3 * filled:
        return "text"
    if all_differ and (named or words.mean() < 1.5):
        return "id"
    return "text" if distinct > 0.5 * filled and words.mean() >= 2.5 else "category"


def _counts_up(values: Any) -> bool:
    """Say whether whole numbers count the rows, one by one."""
    values = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    steps = np.diff(values.astype(np.float64))
    return bool(len(steps)) and bool((steps == 1).mean() > 0.9)


def _leading_zero(column: pa.ChunkedArray) -> bool:
    """Say whether numbers are written as codes: 00123."""
    answer = pc.any(pc.match_substring_regex(column, r"^0\d+$"))
    return bool(answer.as_py())


def _values(result: Cells, kind: str, cells: pa.ChunkedArray, empty: Any, context: Context) -> None:
    about = result.about
    if kind in {"id", "ignore"}:
        result.kept = False
        result.values = pa.nulls(0)
    elif kind == "number":
        found = numbers.parse(cells)
        result.values = pa.array(found.values, mask=np.isnan(found.values))
        odd = np.flatnonzero((found.unreadable | found.infinite) & context.needed)
        about["missing"] = int((np.isnan(found.values) & context.needed).sum())
        about["odd"] = {"count": len(odd), "examples": _examples(cells, odd, context)}
        about |= {"comma": found.comma, "thousands": found.thousands}
    elif kind == "date":
        read = dates.parse(cells)
        result.values = pa.array(read.values)
        odd = np.flatnonzero(read.unreadable & context.needed)
        about["missing"] = int((np.isnat(read.values) & context.needed).sum())
        about["odd"] = {"count": len(odd), "examples": _examples(cells, odd, context)}
        about |= {"ways": read.ways, "unclear": read.unclear}
    else:
        text = as_text(cells)
        result.values = pc.if_else(pa.array(empty), None, text)
        if kind == "category" and is_text(cells.type):
            about["odd"] = _numbers_among(result.values, context)


def _numbers_among(text: pa.ChunkedArray, context: Context) -> dict[str, Any]:
    """Count the cells of a column of words that are numbers, where there are few of them."""
    found = numbers.parse(text)
    numeric = ~np.isnan(found.values) & context.needed
    share = numeric.sum() / max(1, int((~found.missing & context.needed).sum()))
    rows = np.flatnonzero(numeric) if 0 < share < 1 else np.zeros(0, dtype=np.int64)
    return {"count": len(rows), "examples": _examples(text, rows, context)}


def _examples(cells: pa.ChunkedArray, rows: Any, context: Context) -> list[str]:
    return [f"{context.where[int(i)]}: {str(cells[int(i)].as_py())[:40]!r}" for i in rows[:3]]
