"""A clip of audio: uploaded, recorded, or a file's path."""

from __future__ import annotations

from typing import Any

from autotrain_gradio.core.inputs.declarations import Input, Widget, WidgetContext
from autotrain_gradio.core.inputs.files import parse_path

FILE = True


def widget(declared: Input, elem_id: str, context: WidgetContext) -> Widget:
    """Return an audio upload and recorder that runs the model as soon as a file is selected."""
    import gradio as gr

    audio = gr.Audio(
        type="filepath",
        sources=["upload", "microphone"],
        buttons=["download"],
        interactive=True,
        label=declared.title,
        elem_id=elem_id,
    )
    return Widget([audio], events=[audio.upload])


def parse(argument: Any, declared: Input) -> str:
    """Return the path of an audio file."""
    return parse_path(argument, declared.name)
