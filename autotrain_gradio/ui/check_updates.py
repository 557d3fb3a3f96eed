"""What the outcome of a check changes in the widgets of the second step, and how far the user may continue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.ui import kinds_table, messages
from autotrain_gradio.ui.check_view import CheckView

if TYPE_CHECKING:
    from autotrain_gradio.ui.step_check import CheckStep

Updates = dict[Any, Any]
WRITING = "Writing the rows for the training"


def found(step: CheckStep, view: CheckView, *, again: bool) -> Updates:
    """Show what a check has found while its rows are still written. again: it is shown already."""
    return {
        **({} if again else shown(step, replace(view, ready=False))),
        step.status: messages.busy(WRITING, 0.97),
        step.cancel: gr.Button(visible=True),
    }


def failed(step: CheckStep, error: UserError) -> Updates:
    """Say why a check came to no end. What was shown stays: the setting that is wrong may be among it."""
    return {
        step.status: "",
        step.cancel: gr.Button(visible=False),
        step.check_now: gr.Button(visible=True),
        step.findings: messages.error(error),
        step.summary: "",
        step.following: gr.Button(interactive=False),
        step.session.steps.model: gr.Step(interactive=False),
        step.session.steps.train: gr.Step(interactive=False),
    }


def ended(step: CheckStep, view: CheckView) -> Updates:
    """Enable or disable the following steps."""
    updates: Updates = {
        step.status: "",
        step.cancel: gr.Button(visible=False),
        step.check_now: gr.Button(visible=not view.checked),
        step.following: gr.Button(interactive=view.ready),
        step.session.steps.model: gr.Step(interactive=view.ready),
    }
    if not view.ready:
        updates[step.session.steps.train] = gr.Step(interactive=False)
    return updates


def shown(step: CheckStep, view: CheckView) -> Updates:
    """Show all that a check has found, and enable or disable the following steps."""
    updates: Updates = {
        **ended(step, view),
        step.fixes: view.fixes,
        step.findings: view.findings,
        step.summary: view.summary,
        step.result: gr.Column(visible=view.checked),
    }
    if view.checked:
        if view.asks:
            updates[step.columns_box] = gr.Accordion(open=True)
        updates |= {
            step.profile: view.profile,
            step.gallery: view.gallery,
            step.labels_box: gr.Accordion(visible=bool(view.labels)),
            step.labels: view.labels,
            step.kinds_box: gr.Accordion(visible=bool(view.features)),
            step.kinds: kinds_table.html(view.features),
            step.features: view.features,
        }
        updates |= column_updates(step.columns, view)
        updates[step.format] = gr.Radio(value=view.format or None, info=view.format_note)
    return updates


def column_updates(dropdowns: Sequence[tuple[Column, Any]], view: CheckView) -> Updates:
    """Show the columns of the format that is used; hide those that only other formats have."""
    updates: Updates = {}
    for column, dropdown in dropdowns:
        choices, value = view.columns.get(column.role, ([], None))
        updates[dropdown] = gr.Dropdown(choices=choices, value=value, visible=column.role in view.columns)
    return updates
