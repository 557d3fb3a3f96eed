"""A file of any kind."""

from __future__ import annotations

from typing import Any

from autotrain_gradio.core.inputs.declarations import Input, Widget, WidgetContext
from autotrain_gradio.core.inputs.files import parse_path

FILE = True


def widget(declared: Input, elem_id: str, context: WidgetContext) -> Widget:
    """Return a file upload that runs the model as soon as a file is selected."""
    import gradio as gr

    file = gr.File(type="filepath", interactive=True, label=declared.title, elem_id=elem_id)
    return Widget([file], events=[file.upload])


def parse(argument: Any, declared: Input) -> str:
    """Return the path of a file."""
    return parse_path(argument, declared.name)
