"""The result of a check: the summary, the findings, and the settings of the data that can be corrected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from autotrain_gradio.data.declarations import Column, Format
from autotrain_gradio.ui import label_table, theme
from autotrain_gradio.ui.check_view import CheckView
from autotrain_gradio.ui.column_kinds import ColumnKinds
from autotrain_gradio.ui.param_fields import render_fields
from autotrain_gradio.ui.task_form import SPLIT
from autotrain_gradio.ui.task_session import TaskSession

Updates = dict[Any, Any]


@dataclass(frozen=True)
class ColumnChoice:
    """A role of the task, and the dropdown with the columns of the data that can have it."""

    column: Column
    dropdown: gr.Dropdown


@dataclass
class CheckResult:
    """The components that show a `CheckView`.

    fixes: the changes of all fixes, in the order of the numbers of their buttons.
    details: everything below the findings; hidden until data has been checked.
    format: None if the task has one format only.
    kinds: None if the task has no feature columns.
    """

    fixes: gr.State
    summary: gr.HTML
    findings: gr.HTML
    details: gr.Column
    columns_box: gr.Accordion
    format: gr.Radio | None
    columns: list[ColumnChoice]
    kinds: ColumnKinds | None
    labels_box: gr.Accordion
    labels: gr.Dataframe
    apply_labels: gr.Button
    apply_split: gr.Button
    profile: gr.HTML
    gallery: gr.HTML

    @classmethod
    def build(cls, session: TaskSession, view: CheckView) -> CheckResult:
        """Create the components, showing a view."""
        prefix, task, form = session.prefix, session.task, session.form
        fixes = gr.State(view.fixes)
        summary = gr.HTML(view.summary, elem_id=f"{prefix}-detected", elem_classes="at-live")
        findings = gr.HTML(view.findings, js_on_load=theme.script("findings"), elem_id=f"{prefix}-findings")
        with gr.Column(visible=view.checked, elem_id=f"{prefix}-checked") as details:
            rows = not task.files_only
            with gr.Accordion("Columns", open=view.asks, visible=rows, elem_id=f"{prefix}-columns") as columns_box:
                data_format = _format_choice(prefix, task.formats, view) if len(task.formats) > 1 else None
                with gr.Row(elem_classes="at-fields"):
                    columns = [_column_choice(prefix, column, view) for column in task.columns]
            has_features = any(column.many and not column.join for column in task.columns)
            kinds = ColumnKinds.build(view.features, prefix=prefix) if has_features else None
            with gr.Accordion(
                "Labels", open=False, visible=bool(view.labels), elem_id=f"{prefix}-labels"
            ) as labels_box:
                gr.HTML(label_table.HELP)
                labels = label_table.create(view.labels, elem_id=f"{prefix}-label-table")
                apply_labels = gr.Button("Apply and check again", size="sm", elem_id=f"{prefix}-labels-apply")
            with gr.Accordion("Training and validation split", open=False, visible=rows, elem_id=f"{prefix}-split"):
                render_fields(form.split, SPLIT)
                apply_split = gr.Button("Apply and check again", size="sm", elem_id=f"{prefix}-split-apply")
            profile = gr.HTML(view.profile, elem_id=f"{prefix}-profile", elem_classes="at-grid")
            gallery = gr.HTML(view.gallery, elem_id=f"{prefix}-gallery")
        return cls(
            fixes=fixes,
            summary=summary,
            findings=findings,
            details=details,
            columns_box=columns_box,
            format=data_format,
            columns=columns,
            kinds=kinds,
            labels_box=labels_box,
            labels=labels,
            apply_labels=apply_labels,
            apply_split=apply_split,
            profile=profile,
            gallery=gallery,
        )

    def outputs(self) -> list[Any]:
        """Return the components that `update` sets."""
        return [
            *(self.fixes, self.summary, self.findings, self.details, self.columns_box),
            *([self.format] if self.format else ()),
            *(choice.dropdown for choice in self.columns),
            *(self.kinds.outputs() if self.kinds else ()),
            *(self.labels_box, self.labels, self.profile, self.gallery),
        ]

    def update(self, view: CheckView) -> Updates:
        """Return the updates that show a view."""
        updates: Updates = {
            self.fixes: view.fixes,
            self.findings: view.findings,
            self.summary: view.summary,
            self.details: gr.Column(visible=view.checked),
        }
        if not view.checked:
            return updates
        if view.asks:
            updates[self.columns_box] = gr.Accordion(open=True)
        if self.kinds:
            updates |= self.kinds.update(view.features)
        for choice in self.columns:
            # Columns that only other formats have are hidden.
            role = choice.column.role
            choices, value = view.columns.get(role, ([], None))
            updates[choice.dropdown] = gr.Dropdown(
                choices=choices, value=value, multiselect=choice.column.many, visible=role in view.columns
            )
        if self.format:
            updates[self.format] = gr.Radio(value=view.format or None, info=view.format_note)
        return {
            **updates,
            self.profile: view.profile,
            self.gallery: view.gallery,
            self.labels_box: gr.Accordion(visible=bool(view.labels)),
            self.labels: view.labels,
        }

    def change_of_fix(self, fixes: Any, event: gr.EventData) -> dict[str, Any] | None:
        """Return the change of the fix that was clicked. The event comes from a browser and is not trusted."""
        number = event._data.get("fix") if isinstance(event._data, dict) else None
        known: Sequence[dict[str, Any]] = fixes or []
        return known[number] if isinstance(number, int) and 0 <= number < len(known) else None


def _format_choice(prefix: str, formats: Sequence[Format], view: CheckView) -> gr.Radio:
    return gr.Radio(
        [(f.title, f.name) for f in formats],
        value=view.format or None,
        label="Format",
        info=view.format_note,
        interactive=True,
        elem_id=f"{prefix}-format",
    )


def _column_choice(prefix: str, column: Column, view: CheckView) -> ColumnChoice:
    choices, value = view.columns.get(column.role, ([], None))
    dropdown = gr.Dropdown(
        choices=choices,
        value=value,
        label=column.title,
        info=column.help,
        multiselect=column.many,
        visible=column.role in view.columns or not view.checked,
        interactive=True,
        elem_id=f"{prefix}-column-{column.role}",
    )
    return ColumnChoice(column, dropdown)
