"""An image: uploaded, taken with the camera, pasted, or a file's path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autotrain_gradio.core.inputs.declarations import Input, Widget, WidgetContext
from autotrain_gradio.core.inputs.files import parse_path, write_file
from autotrain_gradio.core.inputs.media_bytes import image_bytes, is_image

FILE = True
ALSO = "an image of Pillow, or an array of pixels"
"""What is accepted in Python besides the path of a file."""


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
    return parse_path(argument, declared.name, ALSO)


def from_python(value: Any, folder: Path) -> Any:
    """Write an image in memory into a file of a folder and return its path; other values are returned as they are."""
    return write_file(image_bytes(value), folder) if is_image(value) else value
