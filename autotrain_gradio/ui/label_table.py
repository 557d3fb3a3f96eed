"""The table in which labels are renamed, merged or left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

HEADERS = ["Label in the data", "Rows", "Train as", "Use"]
HELP = (
    "<p class='at-quiet'>Rename a label by typing in <em>Train as</em>; give two the same name to merge them; "
    "take away the tick to leave one out.</p>"
)


def create(value: Sequence[Sequence[Any]], *, elem_id: str) -> Any:
    """Create the table."""
    return gr.Dataframe(
        value=[list(row) for row in value] or None,
        headers=HEADERS,
        datatype=["str", "number", "str", "bool"],
        static_columns=[0, 1],
        interactive=True,
        column_count=(len(HEADERS), "fixed"),
        max_height=420,
        show_label=False,
        type="array",
        elem_id=elem_id,
    )


def rows(raw_labels: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """Return the table's rows.

    raw_labels: of a check: `{name, rows, to}`, the label as it is in the data and what it becomes.
    """
    return [[r["name"], r["rows"], r["name"] if r["to"] is None else r["to"], r["to"] is not None] for r in raw_labels]


def mapping(table: Sequence[Sequence[Any]]) -> dict[str, str | None]:
    """Return what the table says: only labels that change; None for those left out."""
    said: dict[str, str | None] = {}
    for row in table:
        raw, wanted = str(row[0]), "" if row[2] is None else str(row[2]).strip()
        used = row[3] if isinstance(row[3], bool) else str(row[3]).lower() in {"true", "1"}
        if not used:
            said[raw] = None
        elif wanted and wanted != raw:
            said[raw] = wanted
    return said
