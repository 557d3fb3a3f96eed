"""A clip of audio: uploaded, recorded, or a file's path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autotrain_gradio.core.inputs.declarations import Input, Widget, WidgetContext
from autotrain_gradio.core.inputs.files import parse_path, write_file
from autotrain_gradio.core.inputs.media_bytes import audio_bytes, is_audio

FILE = True
ALSO = "or {'array': samples, 'sampling_rate': number}"
"""What is accepted in Python besides the path of a file."""


def widget(declared: Input, elem_id: str, context: WidgetContext) -> Widget:
    """Return an audio upload and recorder that runs the model once a file is selected or a recording is stopped."""
    import gradio as gr

    audio = gr.Audio(
        type="filepath",
        sources=["upload", "microphone"],
        buttons=["download"],
        interactive=True,
        label=declared.title,
        elem_id=elem_id,
    )
    return Widget([audio], events=[audio.upload, audio.stop_recording])


def parse(argument: Any, declared: Input) -> str:
    """Return the path of an audio file."""
    return parse_path(argument, declared.name, ALSO)


def from_python(value: Any, folder: Path) -> Any:
    """Write audio in memory into a file of a folder and return its path; other values are returned as they are."""
    return write_file(audio_bytes(value), folder) if is_audio(value) else value
