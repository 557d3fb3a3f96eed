"""A form for one row of a table, made from the columns of a run's model."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from autotrain_gradio.core.panels import in_unit

SHOWN = 60
"""Columns that have a field; the others keep their typical values."""

SCRIPT = """
element.addEventListener('submit', (event) => {
  event.preventDefault();
  const cells = {};
  for (const field of event.target.elements) if (field.name) cells[field.name] = field.value;
  trigger('submit', {cells: cells});
});
"""
"""Fields are named by their column's number: a column may be called anything."""


def html(form: Mapping[str, Any]) -> str:
    """Draw the form, filled with typical values. form: see `Service.form`."""
    features = list(form["features"])
    fields = "".join(_field(number, f) for number, f in enumerate(features[:SHOWN]))
    rest = len(features) - SHOWN
    note = (
        f"<p class='at-note'>The other {rest:,} columns keep their typical values. Use a table to set them all.</p>"
        if rest > 0
        else ""
    )
    return (
        "<form class='at-row-form' autocomplete='off'><h3>One row</h3>"
        "<p class='at-quiet'>Filled with typical values; change what you like. An empty field is a missing cell.</p>"
        f"<div class='at-row-fields'>{fields}</div>{note}"
        "<button type='submit' class='at-submit'>Predict this row</button></form>"
    )


def row(form: Mapping[str, Any], told: Any) -> dict[str, Any]:
    """Return column → cell of what the browser sent; nothing in it is trusted to be of any form."""
    cells = told.get("cells") if isinstance(told, Mapping) else None
    given = cells if isinstance(cells, Mapping) else {}
    found = {}
    for number, feature in enumerate(form["features"]):
        value = given.get(str(number)) if number < SHOWN else feature["typical"]
        found[str(feature["name"])] = (
            None if value in (None, "") else value if number >= SHOWN else _cell(value, feature)
        )
    return found


def _cell(value: Any, feature: Mapping[str, Any]) -> Any:
    """Return a cell as it was meant: a field for numbers sends 1.234 for one and a bit, wherever the browser is."""
    text = str(value)
    if feature["kind"] == "number":
        with contextlib.suppress(ValueError):  # then it did not come from that field, and the model says what is wrong
            return float(text)
    return text


def _field(number: int, feature: Mapping[str, Any]) -> str:
    name, typical = str(feature["name"]), feature["typical"]
    unit = f" <span>{escape(in_unit(str(feature['unit'])))}</span>" if feature.get("unit") else ""
    hint = _range(feature)
    attributes = f"name='{number}' id='row-field-{number}' aria-describedby='row-hint-{number}'"
    value = "" if typical is None else _text(typical)
    if feature["kind"] == "category" and feature["distinct"] <= len(feature["choices"]):
        drawn = f"<select {attributes}>{_options(feature['choices'], value)}</select>"
    elif feature["kind"] == "category":
        known = "".join(f"<option value='{escape(str(c), quote=True)}'>" for c in feature["choices"])
        drawn = f"<input type='text' list='row-list-{number}' {attributes} value='{escape(value, quote=True)}'>"
        drawn += f"<datalist id='row-list-{number}'>{known}</datalist>"
    elif feature["kind"] == "number":
        drawn = f"<input type='number' step='any' {attributes} value='{escape(value, quote=True)}'>"
    elif feature["kind"] == "date":
        type_ = "date" if len(value) <= 10 else "datetime-local"
        moment = escape(value.replace(" ", "T"), quote=True)
        drawn = f"<input type='{type_}' step='{'1' if type_ != 'date' else 'any'}' {attributes} value='{moment}'>"
    else:
        drawn = f"<textarea rows='2' {attributes}>{escape(value)}</textarea>"
    wide = " class='at-wide'" if feature["kind"] == "text" else ""
    return (
        f"<div{wide}><label for='row-field-{number}'>{escape(name)}{unit}</label>{drawn}"
        f"<small id='row-hint-{number}'>{escape(hint)}</small></div>"
    )


def _options(choices: Sequence[Any], chosen: str) -> str:
    rows = "".join(
        f"<option value='{escape(c, quote=True)}'{' selected' if c == chosen else ''}>{escape(c)}</option>"
        for c in map(str, choices)
    )
    return f"<option value=''>(missing)</option>{rows}"


def _range(feature: Mapping[str, Any]) -> str:
    low, high = feature.get("low"), feature.get("high")
    if low is None or high is None:
        return f"{feature['distinct']:,} known" if feature["kind"] == "category" else ""
    return f"seen: {_text(low)} to {_text(high)}"


def _text(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.0f}"
