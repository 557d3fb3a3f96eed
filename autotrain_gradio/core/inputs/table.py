"""A table of rows to predict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.inputs.declarations import Input, Widget, WidgetContext
from autotrain_gradio.core.inputs.files import TABLE_SUFFIXES

ALTERNATIVE = True
FILE = True


def widget(declared: Input, elem_id: str, context: WidgetContext) -> Widget:
    """Return a file upload that runs the model as soon as a table is selected."""
    import gradio as gr

    types = list(TABLE_SUFFIXES)
    file = gr.File(
        type="filepath", file_types=types, height=120, interactive=True, label=declared.title, elem_id=elem_id
    )
    return Widget([file], events=[file.upload])


def accepts(argument: Any) -> bool:
    """Return whether an argument can be the path of a table: a string or a path, not a mapping."""
    return isinstance(argument, str | Path)


def parse(argument: Any, declared: Input) -> str:
    """Return the path of a table.

    Raises:
        UserError: the file does not exist.
    """
    path = Path(argument).expanduser().resolve()
    if not path.is_file():
        raise UserError(
            f"There is no file '{argument}'.",
            "Give a file, or COLUMN=VALUE for each column.",
            declared.name,
            "missing-input",
        )
    return str(path)
