"""Source texts: of one column, or of several that are joined."""

from __future__ import annotations

import pyarrow as pa

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import truncate
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.kinds import charts, text, text_panels
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Context, Guess, Rows
from autotrain_gradio.data.values.arrow_columns import is_text
from autotrain_gradio.tasks.seq2seq.language_codes import language_of_name

SHOWN = 5
"""Rows that are shown as examples."""
CHARACTERS = 240


def guess(columns: dict[str, pa.ChunkedArray], role: Column, request: Request) -> Guess | None:
    """Return the first of several columns that are named after languages, else the column with the longest texts."""
    named = [name for name, cells in columns.items() if is_text(cells.type) and is_language_column(name, cells)]
    if len(named) > 1:
        return Guess(named[:1])  # the check of languages reports the direction
    return text.guess(columns, role, request)


def is_language_column(name: str, cells: pa.ChunkedArray) -> bool:
    """Whether a column is named after a language: `de`, `German`; `id` only if its cells are not single words."""
    if name.strip().lower() == "id":
        return any(" " in str(cell).strip() for cell in cells.slice(0, 100).to_pylist() if cell)
    return language_of_name(name) is not None


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Take the texts as they are; rows without text are skipped and reported."""
    return with_column_name(text.inspect(cells, context), context)


def combine(columns: dict[str, pa.ChunkedArray], context: Context) -> Cells:
    """Join the texts of several columns, see `kinds.text.combine`."""
    return text.combine(columns, context)


def with_column_name(cells: Cells, context: Context) -> Cells:
    """Keep the name of the column, which the checks need to offer another mapping."""
    cells.about["name"] = context.column
    return cells


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Draw how many words the sources have, and how many the targets."""
    found = []
    for name in (role, *rows.having("target")):
        title = f"Words in a {rows.columns[name].title.lower()}"
        found += [
            {**panel, "title": title, "id": f"words-{name}"} for panel in text_panels.profile(rows, name, context)
        ]
    return found


def gallery(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Show a few rows with source and target; the same ones each time."""
    targets = [rows.cells[name].values for name in rows.having("target")]
    shown = []
    for row in charts.choose(role, rows.indices(), SHOWN):
        cells = [_short(column[row].as_py()) for column in (rows.cells[role].values, *targets)]
        shown.append([*cells, "validation" if rows.validation[row] else "training"])
    titles = [rows.columns[name].title for name in rows.having("target")]
    return [panels.table("Examples", [context.title, *titles, "Used for"], shown)]


def _short(value: str) -> str:
    return truncate(" ".join(value[: CHARACTERS * 4].split()), CHARACTERS)
