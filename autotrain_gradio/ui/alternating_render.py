"""Content that is rendered for the latest value only, such as the widgets of the open run's inputs."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from autotrain_gradio.ui.page_context import UNQUEUED


def create_alternating_render(elem_id: str, contents: Callable[[str], None]) -> gr.Textbox:
    """Create a hidden field in the current container; setting it to a new value renders new content there.

    The content of a value is rendered in the one of two slots that is empty, and the other slot is emptied: Gradio
    reuses the components of a render in the next one by their position, so a file field had the value of a button.

    contents: creates the components of a value; called for values that are not empty.
    """
    # Not a gr.State: its change event fires for queued events only, and runs are opened by unqueued ones.
    value = gr.Textbox(elem_id=f"{elem_id}-opened", elem_classes="at-hidden")
    slots = [_slot(f"{elem_id}-slot-{number}", contents) for number in range(2)]
    value.change(_alternate, [value, *slots], slots, **UNQUEUED)
    return value


def _slot(elem_id: str, contents: Callable[[str], None]) -> gr.Textbox:
    """Create a slot; its field has the value that it shows, or is empty."""
    shown = gr.Textbox(elem_id=elem_id, elem_classes="at-hidden")

    @gr.render(inputs=[shown], triggers=[shown.change], queue=False, show_progress="hidden")
    def render(shown: str | None) -> None:
        if shown:
            contents(shown)

    return shown


def _alternate(value: str | None, first: str | None, second: str | None) -> tuple[str, str]:
    """Return the values of both slots: the new one goes to the slot that is empty."""
    return ("", value or "") if first else (value or "", "")
