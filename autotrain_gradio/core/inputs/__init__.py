"""Inputs of models: their widgets on the page, and the parsing of arguments of the command line and of Python.

A task declares `Input(name, title, kind)`; the kind, looked up in `KINDS`, has the module for it. A task or an
extension can add a kind.
"""

from autotrain_gradio.core.inputs.arguments import parse_arguments, parse_literals, parse_named, parse_value
from autotrain_gradio.core.inputs.declarations import (
    KINDS,
    ROWS_OF,
    FileOfRows,
    Input,
    InputKind,
    ResultDisplay,
    Widget,
    WidgetContext,
    is_alternative,
    is_text,
    only_required,
    shows_result,
)

__all__ = [
    "KINDS",
    "ROWS_OF",
    "FileOfRows",
    "Input",
    "InputKind",
    "ResultDisplay",
    "Widget",
    "WidgetContext",
    "is_alternative",
    "is_text",
    "only_required",
    "parse_arguments",
    "parse_literals",
    "parse_named",
    "parse_value",
    "shows_result",
]
