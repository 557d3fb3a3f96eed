"""An image: uploaded, taken with the camera, pasted, or a file's path."""

from __future__ import annotations

from typing import Any

from autotrain_gradio.core.inputs.declarations import Input, Widget, WidgetContext
from autotrain_gradio.core.inputs.files import parse_path

FILE = True


def widget(declared: Input, elem_id: str, context: WidgetContext) -> Widget:
    """Return an image upload that runs the model as soon as an image is selected."""
    import gradio as gr

    sources: Any = ["upload", "webcam", "clipboard"]
    image = gr.Image(
        type="filepath",
        image_mode=None,  # the file as it is: images of 16 bits would be clipped, others compressed again
        sources=sources,
        height=300,
        interactive=True,
        label=declared.title,
        elem_id=elem_id,
    )
    return Widget([image], events=[image.upload])


def parse(argument: Any, declared: Input) -> str:
    """Return the path of an image file."""
    return parse_path(argument, declared.name)
