"""The table in which labels are renamed, merged or excluded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

HEADERS = ["Label in the data", "Rows", "Train as", "Use"]
HELP = (
    "<p class='at-quiet'>Rename a label in <em>Train as</em>. Labels with the same name are merged. A label that is "
    "not ticked is excluded, with its rows or annotations.</p>"
)


def create(value: Sequence[Sequence[Any]], *, elem_id: str) -> Any:
    """Create the table. value: see `rows`."""
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

    raw_labels: of a check: `{name, rows, to}`, the label in the data and the label it is mapped to, None if excluded.
    """
    return [[r["name"], r["rows"], r["name"] if r["to"] is None else r["to"], r["to"] is not None] for r in raw_labels]


def mapping(table: Sequence[Sequence[Any]]) -> dict[str, str | None]:
    """Return the label mapping: only labels that change; None for those that are excluded."""
    changed: dict[str, str | None] = {}
    for row in table:
        raw, wanted = str(row[0]), "" if row[2] is None else str(row[2]).strip()
        used = row[3] if isinstance(row[3], bool) else str(row[3]).lower() in {"true", "1"}
        if not used:
            changed[raw] = None
        elif wanted and wanted != raw:
            changed[raw] = wanted
    return changed
