"""One row of a table: a form with a field for each column of the run's model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autotrain_gradio.core.inputs.declarations import Input, Widget, WidgetContext
from autotrain_gradio.core.inputs.files import existing_file
from autotrain_gradio.core.inputs.plain_values import plain
from autotrain_gradio.core.text_format import in_unit

ALTERNATIVE = True
FORM = "form.json"
"""File beside the model: `{"features": [{"name", "kind", "typical", …}], …}`, see `training.tabular.frame.Feature`."""
COLUMNS_SHOWN = 60
"""Columns that have a field; the others keep their typical values."""
MISSING = "(missing)"


def widget(declared: Input, elem_id: str, context: WidgetContext) -> Widget:
    """Return a field for each column, filled with its typical value, and a button that runs the model.

    Raises:
        UserError: the model has no columns (`form.json`).
    """
    import gradio as gr

    features = list(context.model_json(FORM)["features"])
    gr.HTML(
        "<h3>One row</h3><p class='at-quiet'>The fields have typical values; change any of them. An empty field is a "
        "missing value.</p>"
    )
    with gr.Row(elem_id=elem_id, elem_classes="at-row-fields", equal_height=False):
        fields = [_field(f, f"{elem_id}-{number}") for number, f in enumerate(features[:COLUMNS_SHOWN])]
    hidden = len(features) - COLUMNS_SHOWN
    if hidden > 0:
        gr.HTML(
            f"<p class='at-note'>The other {hidden:,} columns keep their typical values. Upload a table to set all of "
            "them.</p>"
        )
    button = gr.Button("Predict this row", variant="primary", elem_id=f"{elem_id}-ask")
    return Widget(fields, value=lambda *cells: row(features, cells), events=[button.click])


def row(features: Sequence[Mapping[str, Any]], cells: Sequence[Any]) -> dict[str, Any]:
    """Return column → cell, None for a missing one; columns without a field have their typical values.

    A number stays a number: as text, 1.234 could be parsed as 1234 for a column with points between thousands.
    """
    shown = [*cells, *(f["typical"] for f in features[len(cells) :])]
    return {str(f["name"]): None if c in (None, "") else c for f, c in zip(features, shown, strict=True)}


def accepts(argument: Any) -> bool:
    """Return whether an argument is a cell (COLUMN=VALUE) or a row (a mapping)."""
    if not isinstance(argument, str):
        return isinstance(argument, Mapping)
    return "=" in argument and existing_file(argument) is None


def parse(argument: Any, declared: Input) -> dict[str, Any]:
    """Return a row, or the single cell of COLUMN=VALUE; an empty VALUE is a missing value."""
    if isinstance(argument, Mapping):
        return {str(name): plain(value, str(name)) for name, value in argument.items()}
    name, _, value = str(argument).partition("=")
    return {name: value or None}


def combine(values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Merge the cells of several arguments into one row."""
    return {name: cell for value in values for name, cell in value.items()}


def _field(feature: Mapping[str, Any], elem_id: str) -> Any:
    import gradio as gr

    name, kind, typical = str(feature["name"]), feature["kind"], feature["typical"]
    about: dict[str, Any] = {
        "label": f"{name} ({in_unit(str(feature['unit']))})" if feature.get("unit") else name,
        "info": _range(feature) or None,
        "interactive": True,
        "elem_id": elem_id,
        "min_width": 160,
    }
    text = "" if typical is None else str(typical)
    if kind == "number":
        return gr.Number(None if typical is None else float(typical), **about)
    if kind == "date":
        with_time = len(text) > len("2024-02-29")
        # gr.DateTime shows its info beside the label, so the range is part of the label.
        label = f"{about['label']}: {about.pop('info')}" if about["info"] else about["label"]
        return gr.DateTime(
            text.replace("T", " ") or None, include_time=with_time, type="string", **{**about, "label": label}
        )
    if kind == "category":
        choices = [str(c) for c in feature["choices"]]
        listed = feature["distinct"] <= len(choices)
        known: list[Any] = [(MISSING, ""), *((c, c) for c in choices)] if listed else list(choices)
        return gr.Dropdown(known, value=text, allow_custom_value=not listed, **about)
    return gr.Textbox(text, lines=2, **{**about, "min_width": 320})


def _range(feature: Mapping[str, Any]) -> str:
    low, high = feature.get("low"), feature.get("high")
    if low is None or high is None:
        return f"{feature['distinct']:,} in the training data" if feature["kind"] == "category" else ""
    return f"{_short(low)} to {_short(high)} in the training data"


def _short(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.0f}"
