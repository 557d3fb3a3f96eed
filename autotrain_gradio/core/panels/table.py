"""Table of short values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from autotrain_gradio.core.panels.panel import Panel, RenderContext, new_panel
from autotrain_gradio.core.panels.text_table import more_lines, text_table
from autotrain_gradio.core.text_format import format_value

ROWS_SHOWN = 500
LONG_TEXT = 40
"""Length in characters above which a first cell is a text: then the first column is not set in bold."""
LONG = " class='at-long' dir='auto'"


def table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    note: str = "",
    id: str = "",
    examples: Mapping[str, Sequence[str]] | None = None,
) -> Panel:
    """Return a table; the first column names the row.

    examples: name of an input of the task → values in this table to try the model with.
    """
    fields: dict[str, Any] = {"columns": list(columns), "rows": [list(r) for r in rows]}
    if examples:
        fields["examples"] = {name: list(values) for name, values in examples.items()}
    return new_panel("table", title, id=id, note=note, **fields)


def html(panel: Panel, context: RenderContext) -> str:
    """Return a table that scrolls sideways; an empty one is its note."""
    if not panel["rows"]:
        return "" if panel.get("note") else "<p class='at-note'>None.</p>"
    return html_table(panel["columns"], panel["rows"], title=str(panel.get("title")))


def html_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str) -> str:
    """Return columns and rows as HTML. title: the accessible name of the region that scrolls."""
    numeric = [n > 0 and isinstance(cell, int | float) for n, cell in enumerate(rows[0])]
    head = "".join(
        f"<th scope='col'{' class=at-num' if n < len(numeric) and numeric[n] else ''}>{escape(str(c))}</th>"
        for n, c in enumerate(columns)
    )
    shown = rows[:ROWS_SHOWN]
    long = any(len(format_value(row[0])) > LONG_TEXT for row in shown if row)
    cells = ("".join(_cell(n, cell, columns, long) for n, cell in enumerate(row)) for row in shown)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    more = len(rows) - ROWS_SHOWN
    tail = f"<p class='at-note'>and {more:,} more rows</p>" if more > 0 else ""
    return (
        f"<div class='at-scroll' tabindex='0' role='region' aria-label='{escape(title, quote=True)}'>"
        f"<table class='at-table{' at-of-texts' if long else ''}'>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{tail}"
    )


def _cell(number: int, cell: Any, columns: Sequence[str], long: bool) -> str:
    value = format_value(cell)
    if number == 0:
        return f"<th scope='row'{LONG if long else ''}>{escape(value)}</th>"
    name = escape(str(columns[number]), quote=True)
    return f"<td{' class=at-num' if isinstance(cell, int | float) else ''} data-name='{name}'>{escape(value)}</td>"


def text(panel: Panel, context: RenderContext) -> str:
    """Return the table with aligned columns."""
    rows = panel["rows"]
    return text_table(panel["columns"], rows[: context.rows], indent="  ") + more_lines(len(rows), context.rows)
