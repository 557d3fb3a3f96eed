"""Cells that are one of several texts of a row: recognized by their order, and shown beside the other texts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import format_value, truncate
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.kinds import charts, text
from autotrain_gradio.data.kinds.text import combine, inspect
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Context, Guess, Rows
from autotrain_gradio.data.values.arrow_columns import is_text

__all__ = ["combine", "gallery", "guess", "inspect", "profile"]

WORDS = 1.5
"""Average number of words from which a column without a usual name may be one of texts."""
SHOWN = 10
CHARACTERS = 160


def guess(columns: dict[str, pa.ChunkedArray], role: Column, request: Request) -> Guess | None:
    """Return the first of the columns of texts, if there are as many as the format still needs."""
    wanted = [c.role for c in request.columns if c.kind.texts]
    needed = len(wanted) - wanted.index(role.role)
    found = [n for n, c in columns.items() if is_text(c.type) and _mean_words(c) >= WORDS]
    if len(found) != needed:
        return None
    return Guess(
        found[:1], "it is the first" * (needed > 1) + "it is the only" * (needed == 1) + " column of texts left"
    )


def _mean_words(column: pa.ChunkedArray) -> float:
    counts = [len(t.split()) for t in column.to_pylist() if t and t.strip()]
    return float(np.mean(counts)) if counts else 0.0


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Draw how many words the texts of the column have."""
    return [
        {**panel, "title": f"Words: {context.title.lower()}", "id": f"words-{role}"}
        for panel in text.profile(rows, role, context)
    ]


def gallery(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Show a few rows with all their columns, once for all columns of texts; the same ones each time."""
    roles = [r for r in rows.cells if r in rows.columns and rows.cells[r].stored]
    if role != next((r for r in roles if rows.columns[r].kind.texts), None):
        return []
    chosen = charts.choose("", rows.indices(), SHOWN)
    shown = [[*(_short(rows, r, i) for r in roles), "validation" if rows.validation[i] else "training"] for i in chosen]
    return [panels.table("Examples", [*(rows.columns[r].title for r in roles), "Used for"], shown)]


def _short(rows: Rows, role: str, row: int) -> str:
    value = rows.cells[role].values[row]
    value = value.as_py() if hasattr(value, "as_py") else value
    return truncate(" ".join(format_value(value)[: CHARACTERS * 4].split()), CHARACTERS)
