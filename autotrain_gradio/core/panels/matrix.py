"""Square matrix, such as a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from autotrain_gradio.core.panels.panel import Panel, RenderContext, new_panel
from autotrain_gradio.core.panels.text_table import more_lines, text_table
from autotrain_gradio.core.text_format import format_value

CLASSES_SHOWN = 60
"""A larger matrix is truncated to its first classes: a browser cannot draw a million cells."""


def matrix(
    title: str,
    labels: Sequence[str],
    values: Sequence[Sequence[int]],
    *,
    rows: str,
    columns: str,
    note: str = "",
    id: str = "",
) -> Panel:
    """Return a matrix of counts, `values[i][j]`: row i, column j. rows, columns: titles of the axes."""
    fields = {"labels": list(labels), "values": [list(r) for r in values], "rows": rows, "columns": columns}
    return new_panel("matrix", title, id=id, note=note, **fields)


def html(panel: Panel, context: RenderContext) -> str:
    """Return a table whose cells are coloured by their share of the row."""
    labels, values = panel["labels"], panel["values"]
    shown = labels[:CLASSES_SHOWN]
    head = "".join(f"<th scope='col'><span>{escape(str(label))}</span></th>" for label in shown)
    rows = []
    for i, label in enumerate(shown):
        total = sum(value or 0 for value in values[i]) or 1
        cells = "".join(
            f"<td class='{'at-hit' if i == j else 'at-miss'}{' at-zero' if not values[i][j] else ''}'"
            f" style='--share:{(values[i][j] or 0) / total:.3f}'>{format_value(values[i][j])}</td>"
            for j in range(len(shown))
        )
        rows.append(f"<tr><th scope='row'>{escape(str(label))}</th>{cells}</tr>")
    more = len(labels) - len(shown)
    tail = f"<p class='at-note'>The first {len(shown)} of {len(labels):,} classes.</p>" if more > 0 else ""
    return (
        f"<div class='at-scroll' tabindex='0' role='region' aria-label='{escape(str(panel.get('title')), quote=True)}'>"
        "<table class='at-matrix'>"
        f"<caption>Rows: {escape(str(panel['rows']))}. Columns: {escape(str(panel['columns']))}.</caption>"
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>{tail}"
    )


def text(panel: Panel, context: RenderContext) -> str:
    """Return the counts as a table."""
    labels, shown = panel["labels"], context.rows
    body = [[label, *values[:shown]] for label, values in zip(labels, panel["values"], strict=True)][:shown]
    head = f"  rows: {panel['rows']}, columns: {panel['columns']}\n"
    return head + text_table(["", *labels[:shown]], body, indent="  ") + more_lines(len(labels), shown)
