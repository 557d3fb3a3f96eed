"""The form for a row of a table: native components, typical values, units, missing values."""

from __future__ import annotations

from typing import Any

import gradio as gr

from autotrain_gradio.core.inputs import Input, Widget, WidgetContext
from autotrain_gradio.core.inputs import form as module
from autotrain_gradio.core.inputs.form import COLUMNS_SHOWN, MISSING, row

NASTY = '"><script>alert(1)</script>'
FEATURE = {"typical": None, "low": None, "high": None, "choices": [], "distinct": 0, "whole": False, "missing": False}


def _widget(*features: dict[str, Any]) -> tuple[Widget, list[dict[str, Any]], list[str]]:
    """Return the widget, the complete features, and the HTML around the fields."""
    complete = [{**FEATURE, **f} for f in features]
    with gr.Blocks() as blocks:
        made = module.widget(Input("row", "A row", "form"), "x", WidgetContext(lambda name: {"features": complete}))
    return made, complete, [b.value for b in blocks.blocks.values() if isinstance(b, gr.HTML)]


def test_a_form_has_a_native_field_for_each_column_of_any_name() -> None:
    made, _, around = _widget(
        {"name": NASTY, "kind": "category", "choices": [NASTY, "b"], "typical": "b", "distinct": 2},
        {"name": "size", "kind": "number", "typical": 3.0, "low": -1.0, "high": 2.5e9, "unit": "m²"},
        {"name": "when", "kind": "date", "typical": "2024-02-29", "low": "2020-01-01", "high": "2024-12-31"},
        {"name": "moment", "kind": "date", "typical": "2024-02-29T10:00:00"},
        {"name": "note", "kind": "text", "typical": None},
        {"name": "town", "kind": "category", "choices": ["x"], "typical": "x", "distinct": 900},
    )
    category, number, date, moment, text, town = made.components
    assert isinstance(category, gr.Dropdown) and category.value == "b" and (MISSING, "") in category.choices
    assert category.label == NASTY and not category.allow_custom_value and not any("script" in h for h in around)
    assert isinstance(number, gr.Number) and number.value == 3.0 and number.label == "size (in m²)"
    assert number.info == "-1 to 2500000000 in the training data"
    assert isinstance(date, gr.DateTime) and date.value == "2024-02-29" and not date.include_time
    assert moment.value == "2024-02-29 10:00:00" and moment.include_time
    assert isinstance(text, gr.Textbox) and isinstance(town, gr.Dropdown) and town.allow_custom_value
    given = made.value("b", None, "2024-01-01", "", "text", None)
    assert given == {NASTY: "b", "size": None, "when": "2024-01-01", "moment": None, "note": "text", "town": None}
    assert made.value("", 1.234, None, None, "", "y")["size"] == 1.234, "as text, it could be parsed as 1234"


def test_columns_without_a_field_keep_their_typical_values() -> None:
    made, features, around = _widget(*({"name": f"c{n}", "kind": "number", "typical": float(n)} for n in range(100)))
    assert len(made.components) == COLUMNS_SHOWN and any("other 40 columns" in h for h in around)
    cells = row(features, [5.0, None, *range(2, COLUMNS_SHOWN)])
    assert cells["c0"] == 5.0 and cells["c1"] is None and cells["c99"] == 99.0
