"""The input kind `sentence`: one sentence."""

from __future__ import annotations

from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.inputs import Input, Widget, WidgetContext


def widget(declared: Input, elem_id: str, context: WidgetContext) -> Widget:
    """Return a text box of one line."""
    import gradio as gr

    box = gr.Textbox(label=declared.title, max_lines=1, interactive=True, elem_id=elem_id)
    return Widget([box], value=lambda text: text or None, events=[box.submit])


def parse(argument: Any, declared: Input) -> str:
    """Return the sentence.

    Raises:
        UserError: there are several.
    """
    text = str(argument).strip()
    if text.count(". "):
        raise UserError(
            f"'{text}' is more than one sentence.", "Give them one by one.", declared.name, "many-sentences"
        )
    return text
