"""A text; on the command line and in Python also a file with one text in each row."""

from __future__ import annotations

from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.file_types import TABLE_SUFFIXES
from autotrain_gradio.core.inputs.declarations import FileOfRows, Input, Widget, WidgetContext
from autotrain_gradio.core.inputs.files import existing_file, looks_like_path
from autotrain_gradio.core.inputs.plain_values import plain

ROWS_FROM_FILE = True
ACCEPTED = "a text, the path of a table with a text in each row, a DataFrame, and lists of these"
LITERAL_HINT = "If it is meant as a text, give it with --text (Python: as {{'{name}': …}})."


def widget(declared: Input, elem_id: str, context: WidgetContext) -> Widget:
    """Return a text box; Shift+Enter runs the model."""
    import gradio as gr

    box = gr.Textbox(lines=3, interactive=True, label=declared.title, elem_id=elem_id)
    return Widget([box], value=lambda text: text or None, events=[box.submit])


def parse(argument: Any, declared: Input) -> str | FileOfRows:
    """Return a text, or the file of texts that the argument names.

    Raises:
        UserError: it looks like a path and the file does not exist, or is not a table.
    """
    text = _as_text(argument, declared)
    path, hint = existing_file(text), LITERAL_HINT.format(name=declared.name)
    if path is None and looks_like_path(text):
        raise UserError(f"The file '{text}' does not exist.", hint, declared.name, "missing-input")
    if path is None:
        return text
    if path.suffix.lower() not in TABLE_SUFFIXES:
        known = ", ".join(TABLE_SUFFIXES)
        raise UserError(
            f"'{text}' is a file, but not a table of texts: its extension is '{path.suffix}'.",
            f"Tables end in {known}. {hint}",
            declared.name,
            "not-a-table",
        )
    return FileOfRows(path)


def literal(argument: Any, declared: Input) -> str:
    """Return the text as it is, whatever it looks like."""
    return _as_text(argument, declared)


def _as_text(argument: Any, declared: Input) -> str:
    """Return a text, number or date as the cell of a table is shown.

    Raises:
        UserError: it is a missing value, or of another type.
    """
    value = plain(argument, declared.name, ACCEPTED)
    if value is None:
        raise UserError(f"The input '{declared.name}' is missing.", "Give a text.", declared.name, "missing-input")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
