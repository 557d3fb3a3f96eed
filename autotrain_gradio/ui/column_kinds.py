"""The feature columns of a table with their detected kinds, and the fields that correct them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from autotrain_gradio.core.panels import find_panel
from autotrain_gradio.core.text_format import format_value, in_unit, truncate
from autotrain_gradio.ui.page_context import UNQUEUED

KINDS = {
    "number": "Number",
    "category": "Category",
    "date": "Date",
    "text": "Text",
    "id": "ID (not used as a feature)",
    "ignore": "Ignore",
}
HEADERS = ["Column", "Kind", "Distinct", "Missing", "Values"]
PANEL = "columns"
"""Id of the panel of a check with the same facts: it is not rendered beside this table."""
MAX_EXAMPLES, MAX_CHARACTERS = 3, 24
HELP = "The kind of a column was detected from its values. To correct it, select columns here or in the table."


@dataclass
class ColumnKinds:
    """A table of the feature columns, and a selection of columns with their new kind."""

    box: gr.Accordion
    table: gr.Dataframe
    selected: gr.Dropdown
    kind: gr.Dropdown
    apply: gr.Button

    @classmethod
    def build(cls, columns: Sequence[Mapping[str, Any]], *, prefix: str) -> ColumnKinds:
        """Create the components. columns: see `feature_columns`."""
        with gr.Accordion("Column kinds", open=True, visible=bool(columns), elem_id=f"{prefix}-kinds") as box:
            table = gr.Dataframe(
                value=table_rows(columns),
                headers=HEADERS,
                datatype="str",
                type="array",
                interactive=False,
                column_count=len(HEADERS),
                max_height=420,
                max_chars=60,
                wrap=True,
                show_label=False,
                show_search="search",
                buttons=[],
                elem_id=f"{prefix}-kinds-table",
            )
            selected = gr.Dropdown(
                choices=[str(c["name"]) for c in columns],
                value=[],
                multiselect=True,
                label="Columns to change",
                info=HELP,
                interactive=True,
                elem_id=f"{prefix}-kinds-columns",
            )
            kind = gr.Dropdown(
                choices=[(title, name) for name, title in KINDS.items()],
                value=None,
                label="Kind",
                filterable=False,
                interactive=True,
                elem_id=f"{prefix}-kinds-kind",
            )
            apply = gr.Button("Apply and check again", size="sm", elem_id=f"{prefix}-kinds-apply")
        return cls(box, table, selected, kind, apply)

    def outputs(self) -> list[Any]:
        """Return the components that `update` sets."""
        return [self.box, self.table, self.selected, self.kind]

    def update(self, columns: Sequence[Mapping[str, Any]]) -> dict[Any, Any]:
        """Return the updates for the feature columns of a check."""
        return {
            self.box: gr.Accordion(visible=bool(columns)),
            self.table: table_rows(columns),
            self.selected: gr.Dropdown(choices=[str(c["name"]) for c in columns], value=[], multiselect=True),
            self.kind: None,
        }

    def wire(self) -> None:
        """Select the column of the row that is clicked."""
        self.table.select(self.select_row, self.selected, self.selected, **UNQUEUED)

    def select_row(self, selected: list[str] | None, event: gr.SelectData) -> list[str]:
        """Add the column of a row to the selection, or remove it."""
        name, chosen = str(event.row_value[0]), list(selected or [])
        return [c for c in chosen if c != name] if name in chosen else [*chosen, name]


def feature_columns(check: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the columns of a check that have a kind, in the order of the data.

    Each has `name, feature, guessed, missing, distinct, examples, values` (a summary), and perhaps `unit`.
    """
    panel = find_panel(check.get("profile"), PANEL) or {"rows": []}
    values = {row[0]: row[-1] for row in panel["rows"]}
    return [{**c, "values": values.get(c["name"], "")} for c in check.get("columns") or [] if c.get("feature") in KINDS]


def table_rows(columns: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return the rows of the table. columns: see `feature_columns`."""
    return [_row(column) for column in columns]


def change_kinds(kinds: Any, columns: Sequence[str] | None, kind: str | None) -> dict[str, str] | None:
    """Return `data.options.kinds` with another kind for some columns; None if no column or no kind is chosen.

    kinds: as they were set before.
    """
    if not columns or kind not in KINDS:
        return None
    return {**(kinds if isinstance(kinds, dict) else {}), **{str(name): str(kind) for name in columns}}


def _row(column: Mapping[str, Any]) -> list[str]:
    kind = str(column["feature"])
    title = KINDS[kind] if column.get("guessed", True) else f"{KINDS[kind]}, set by you"
    if column.get("unit"):
        title = f"{title}, {in_unit(str(column['unit']))}"
    texts = [str(e) for e in list(column.get("examples") or [])[:MAX_EXAMPLES]]
    examples = ", ".join(truncate(t, MAX_CHARACTERS) for t in texts)
    # A column that is not used has no statistics, only examples.
    values = str(column.get("values") or "") if kind not in {"id", "ignore"} else ""
    counts = (format_value(int(column.get(name) or 0)) for name in ("distinct", "missing"))
    return [str(column["name"]), title, *counts, values or examples]
