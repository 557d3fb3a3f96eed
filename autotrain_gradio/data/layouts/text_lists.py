"""Tables of texts with several positives or negatives in a row, as lists or in numbered columns: a row for each."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.layouts import table
from autotrain_gradio.data.layouts.table import recognize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables
from autotrain_gradio.data.values.arrow_columns import is_text

__all__ = ["read", "recognize"]

NAMED = re.compile(r"((?:hard[ _-]?)?(?:neg|negatives?)|pos|positives?)(?:[ _-]?(?:passages?|texts?|docs?))?", re.I)
"""Names of columns that may hold several texts."""
NUMBERED = re.compile(rf"({NAMED.pattern})[ _-]?\d+", re.I)
LOOKED_AT = 100
"""Cells in which lists that are written as text are looked for."""


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Concatenate the rows of all tables of a split, with a row for each of several positives or negatives."""
    return expand(table.read(tree, request, draft, progress), request)


def expand(raw: RawTables, request: Request) -> RawTables:
    """Make a row of each positive and negative in a row; columns that the user has mapped stay as they are."""
    mapped = {n for v in request.spec.columns.values() for n in ([v] if isinstance(v, str) else v)}
    names: set[str] = set()
    found = replace(raw, splits={split: _expanded(t, mapped, names) for split, t in raw.splits.items()})
    if names:
        before, after = (sum(t.num_rows for t in r.splits.values()) for r in (raw, found))
        message = f"Rows hold several texts ({join_examples(sorted(names))}): {pluralize(before, 'row')} became "
        message += f"{after:,}, one for each text."
        found.findings.append(Finding("info", "several-texts", message))
        found.features = {name: feature for name, feature in raw.features.items() if name not in names}
    return found


def _expanded(rows: pa.Table, mapped: set[str], names: set[str]) -> pa.Table:
    """Return the table with a row for each text. names: of the columns with several, which are added to it."""
    several: dict[str, list[list[str]]] = {}
    for name in rows.column_names:
        if NAMED.fullmatch(name.strip()) and (lists := _lists(rows.column(name))) is not None:
            several[name] = lists
    numbered: dict[str, list[str]] = {}
    for name in rows.column_names:
        if (match := NUMBERED.fullmatch(name.strip())) and is_text(rows.column(name).type):
            numbered.setdefault(match[1], []).append(name)
    for base, columns in numbered.items():
        if len(columns) > 1 and base not in rows.column_names and mapped.isdisjoint(columns):
            cells = zip(*(rows.column(n).to_pylist() for n in columns), strict=True)
            several[base] = [[t for t in row if t and t.strip()] for row in cells]
            rows = rows.rename_columns([base if n == columns[0] else n for n in rows.column_names])
            rows = rows.drop_columns(columns[1:])
            names.update(columns)
    if not several:
        return rows
    names.update(n for n in several if n not in numbered)
    counts = [max(1, *(len(lists[i]) for lists in several.values())) for i in range(rows.num_rows)]
    index = [i for i, count in enumerate(counts) for _ in range(count)]
    place = [k for count in counts for k in range(count)]
    found = rows.take(pa.array(index, pa.int64()))
    for name, lists in several.items():
        texts = [lists[i][k % len(lists[i])] if lists[i] else None for i, k in zip(index, place, strict=True)]
        found = found.set_column(found.column_names.index(name), name, pa.array(texts, pa.string()))
    return found


def _lists(cells: pa.ChunkedArray) -> list[list[str]] | None:
    """Return the texts of each cell; None if the cells are not lists of texts."""
    type_ = cells.type
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return [_texts(cell) for cell in cells.to_pylist()] if is_text(type_.value_type) else None
    if not is_text(type_):
        return None
    head = [c for c in cells.slice(0, LOOKED_AT).to_pylist() if c and c.strip()]
    if not head or not all(c.lstrip().startswith("[") and c.rstrip().endswith("]") for c in head):
        return None
    try:
        parsed = [json.loads(c) if c and c.strip() else [] for c in cells.to_pylist()]
    except ValueError:
        return None
    return [_texts(cell) for cell in parsed] if all(isinstance(cell, list) for cell in parsed) else None


def _texts(cell: Any) -> list[str]:
    """Return the texts of a list that are not empty."""
    return [str(text) for text in cell or () if text is not None and str(text).strip()]
