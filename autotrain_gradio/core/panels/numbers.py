"""Named values: label → number or short text."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from autotrain_gradio.core.panels.panel import Panel, RenderContext, new_panel
from autotrain_gradio.core.panels.text_table import cell_text
from autotrain_gradio.core.text_format import format_value

NO_UNITS: Mapping[str, str] = {}


def numbers(
    title: str, items: Mapping[str, Any], *, units: Mapping[str, str] = NO_UNITS, note: str = "", id: str = ""
) -> Panel:
    """Return a panel of named values. units: label → unit behind its value."""
    values = [{"label": k, "value": v, **({"unit": units[k]} if units.get(k) else {})} for k, v in items.items()]
    return new_panel("numbers", title, id=id, note=note, items=values)


def html(panel: Panel, context: RenderContext) -> str:
    """Return a description list."""
    items = "".join(
        f"<div><dt>{escape(str(i['label']))}</dt><dd>{escape(_with_unit(format_value(i['value']), i))}</dd></div>"
        for i in panel["items"]
    )
    return f'<dl class="at-numbers">{items}</dl>'


def text(panel: Panel, context: RenderContext) -> str:
    """Return one line for each value."""
    width = max((len(str(i["label"])) for i in panel["items"]), default=0)
    return "\n".join(
        f"  {str(i['label']).ljust(width)}  {_with_unit(cell_text(i['value']), i)}" for i in panel["items"]
    )


def summary(panel: Panel) -> str:
    """Return all values on one line; a single one without its label."""
    values = [(str(i["label"]), _with_unit(cell_text(i["value"]), i)) for i in panel["items"]]
    return values[0][1] if len(values) == 1 else ", ".join(f"{label} {value}" for label, value in values)


def _with_unit(value: str, item: Mapping[str, Any]) -> str:
    return f"{value} {item['unit']}" if item.get("unit") else value
