"""The widgets of declared inputs, and the values that are sent together."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from autotrain_gradio.core import inputs
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.inputs import Input, ResultDisplay, Widget, WidgetContext
from autotrain_gradio.core.text_format import in_sentence


@dataclass
class InputGroup:
    """Inputs whose values are sent together. button: sends them; None if a widget brings its own."""

    declared: list[Input]
    widgets: list[Widget]
    button: gr.Button | None = None

    def components(self) -> list[Any]:
        """Return the components whose values are sent."""
        return [component for widget in self.widgets for component in widget.components]

    @property
    def display(self) -> ResultDisplay | None:
        """How the widget shows the result, if it is the only one and does so itself."""
        return self.widgets[0].display if len(self.widgets) == 1 else None

    def cancels(self) -> list[Any]:
        """Return the events of the widgets that cancel the call."""
        return [event for widget in self.widgets for event in widget.cancels]

    def triggers(self) -> list[Any]:
        """Return the events that send the values: the click, and those of the widget if there is only one."""
        events = [event for widget in self.widgets for event in widget.events if len(self.widgets) == 1]
        return [*([self.button.click] if self.button else []), *events]

    def values(self, values: Sequence[Any]) -> dict[str, Any]:
        """Return input name → value for the values of the components.

        Raises:
            UserError: an input is missing.
        """
        rest, given = list(values), {}
        for declared, widget in zip(self.declared, self.widgets, strict=True):
            own, rest = rest[: len(widget.components)], rest[len(widget.components) :]
            value = widget.value(*own)
            if value is not None:
                given[declared.name] = value
            elif not declared.optional:
                title = in_sentence(declared.title)
                raise UserError(f"An input is missing: {title}.", where=declared.name, code="missing-input")
        return given


def create_inputs(declared: Sequence[Input], elem_id: str, context: WidgetContext, *, button: str) -> list[InputGroup]:
    """Create the widgets of inputs: each alternative one alone, and the others together with a button.

    button: label of the button, which is created without inputs too. Settings of the prediction have no widget.

    Raises:
        UserError: a widget lacks a file of the model.
    """
    declared = [item for item in declared if not item.setting]
    groups = [InputGroup([item], [_widget(item, elem_id, context)]) for item in declared if inputs.is_alternative(item)]
    joint = [item for item in declared if not inputs.is_alternative(item)]
    if joint or not groups:
        widgets = [_widget(item, elem_id, context) for item in joint]
        group = InputGroup(joint, widgets)
        with group.display.actions if group.display else contextlib.nullcontext():
            group.button = gr.Button(button, variant="primary", elem_id=f"{elem_id}-ask")
        groups.append(group)
    return groups


def _widget(declared: Input, elem_id: str, context: WidgetContext) -> Widget:
    module = inputs.KINDS.get(declared.kind).load()
    widget: Widget = module.widget(declared, f"{elem_id}-{declared.name}", context)
    return widget
