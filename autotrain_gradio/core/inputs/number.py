"""A number: a setting of the prediction, or an input of its own."""

from __future__ import annotations

import math
from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.inputs.declarations import Input, Widget, WidgetContext
from autotrain_gradio.core.inputs.plain_values import plain


def widget(declared: Input, elem_id: str, context: WidgetContext) -> Widget:
    """Return a field for a number; Enter runs the model."""
    import gradio as gr

    field = gr.Number(interactive=True, label=declared.title, elem_id=elem_id)
    return Widget([field], events=[field.submit])


def parse(argument: Any, declared: Input) -> float:
    """Return a finite number.

    Raises:
        UserError: it is none.
    """
    value = plain(argument, declared.name, "a number")
    try:
        number = math.nan if isinstance(value, bool) or value is None else float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        message = f"'{argument}' is not a number."
        raise UserError(message, f"Write {declared.name}=0.5, for example.", declared.name, "wrong-type")
    return number
