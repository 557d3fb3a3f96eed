"""A file to download, such as a table with predictions, and its first rows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import PurePath
from typing import Any

from autotrain_gradio.core.panels.panel import Panel, RenderContext, new_panel
from autotrain_gradio.core.panels.table import html_table
from autotrain_gradio.core.panels.text_table import text_table
from autotrain_gradio.core.text_format import pluralize


def download(
    title: str,
    file: str,
    *,
    rows: int,
    columns: Sequence[str] = (),
    preview: Sequence[Sequence[Any]] = (),
    note: str = "",
    id: str = "",
) -> Panel:
    """Return a file to download.

    file: its absolute path. rows: its number of rows. columns, preview: its first rows, all columns or some of them.
    """
    fields = {"file": file, "rows": rows, "columns": list(columns), "preview": [list(r) for r in preview]}
    return new_panel("download", title, id=id, note=note, **fields)


def html(panel: Panel, context: RenderContext) -> str:
    """Return a link that downloads the file, and the first rows."""
    name = PurePath(str(panel["file"])).name
    url = escape(context.download(str(panel["file"])), quote=True)
    preview = html_table(panel["columns"], panel["preview"], title=f"First rows of {name}") if panel["preview"] else ""
    more = f"<p class='at-note'>{_first_rows(panel)}</p>" if preview else ""
    return (
        f"<div class='at-answer'><p><strong>{pluralize(panel['rows'], 'row')}.</strong></p>"
        f"<p><a class='at-submit' href='{url}' download='{escape(name, quote=True)}'>Download {escape(name)}</a></p>"
        f"{more}{preview}</div>"
    )


def text(panel: Panel, context: RenderContext) -> str:
    """Return where the file is, and the first rows."""
    head = f"  {summary(panel)} in {context.download(str(panel['file']))}"
    if not panel["preview"]:
        return head
    return f"{head}\n  {_first_rows(panel)}\n{text_table(panel['columns'], panel['preview'], indent='  ')}"


def summary(panel: Panel) -> str:
    """Return how many rows the file has."""
    return pluralize(panel["rows"], "row")


def _first_rows(panel: Panel) -> str:
    shown = len(panel["preview"])
    return "All rows:" if shown >= panel["rows"] else f"The first {pluralize(shown, 'row')}:"
