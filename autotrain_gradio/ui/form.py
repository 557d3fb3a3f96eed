"""The form of a task's parameters, made from its pydantic class: one widget a field.

A field's docstring is the widget's help, its bounds are the widget's, its default is its value.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
import gradio as gr
from pydantic.fields import FieldInfo

from autotrain_gradio.core.spec import Model

NONE = "none"
"""What a dropdown shows for None."""


@dataclass(frozen=True)
class Field:
    """A parameter and the widget that holds it."""

    name: str
    info: FieldInfo
    widget: Any

    def read(self, shown: Any) -> Any:
        """Translate the widget's value to the parameter's; an emptied widget means the default or None."""
        kind, optional = _kind(self.info.annotation)
        if shown is None or shown == "":
            return None if optional else self.info.default
        if get_origin(kind) is Literal:
            return None if optional and shown == NONE else shown
        if isinstance(shown, str) and kind in (int, float):
            return _number(shown, kind)
        if kind is int and float(shown).is_integer():
            return int(shown)
        return shown

    def show(self, value: Any) -> Any:
        """Translate the parameter's value to what the widget shows."""
        kind, optional = _kind(self.info.annotation)
        if not optional:
            return value
        if get_origin(kind) is Literal:
            return NONE if value is None else value
        return "" if value is None else str(value)


def title(name: str, info: FieldInfo) -> str:
    """Return the field's label."""
    return info.title or name.replace("_", " ").capitalize()


def widget(name: str, info: FieldInfo, value: Any, *, elem_id: str) -> Field:
    """Create the widget of a field, in the Gradio context that is open."""
    kind, optional = _kind(info.annotation)
    told: dict[str, Any] = {
        "label": title(name, info),
        "info": " ".join((info.description or "").split()),
        "elem_id": elem_id,
        "interactive": True,
    }
    made: Any
    if kind is bool:
        made = gr.Checkbox(value=bool(value), **told)
    elif get_origin(kind) is Literal:
        choices = list(get_args(kind))
        if optional and NONE not in choices:
            choices.insert(0, NONE)
        made = gr.Dropdown(choices=choices, value=NONE if value is None else value, filterable=False, **told)
    elif kind in (int, float):
        told["info"] = f"{told['info']} {_range(info)}".strip()
        # Bounds are not given to the widget: it would answer with a toast, while the spec's own check says it in place.
        if optional:
            # A number field sends 0 for nothing while it is not on the screen.
            made = gr.Textbox("" if value is None else str(value), placeholder="automatic", max_lines=1, **told)
        else:
            made = gr.Number(value=value, step=1 if kind is int else _step(value), **told)
    else:
        made = gr.Textbox(value="" if value is None else str(value), max_lines=1, **told)
    return Field(name, info, made)


def widgets(model: type[Model], names: Sequence[str], values: Mapping[str, Any], *, prefix: str) -> list[Field]:
    """Create the widgets of several fields, in rows that wrap."""
    made = []
    with gr.Row(elem_classes="at-fields"):
        for name in names:
            info = model.model_fields[name]
            value = values[name] if name in values else info.get_default(call_default_factory=True)
            made.append(widget(name, info, value, elem_id=f"{prefix}-{name.replace('_', '-')}"))
    return made


def _kind(annotation: Any) -> tuple[Any, bool]:
    """Take None out of a type: (the rest, whether None was allowed)."""
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [a for a in get_args(annotation) if a is not type(None)]
        return (rest[0] if len(rest) == 1 else str), len(rest) < len(get_args(annotation))
    return annotation, False


def _range(info: FieldInfo) -> str:
    """Say the closed bounds in words; open ones are told when they are passed."""
    low: Any = next((m.ge for m in info.metadata if isinstance(m, annotated_types.Ge)), None)
    high: Any = next((m.le for m in info.metadata if isinstance(m, annotated_types.Le)), None)
    if low is not None and high is not None:
        return f"({low:,} to {high:,})"
    return f"(at least {low:,})" if low is not None else f"(at most {high:,})" if high is not None else ""


def _number(text: str, kind: type) -> Any:
    """Read a number; what is none stays as it was typed, for the spec's check to name."""
    try:
        return kind(text.strip())
    except ValueError:
        return text


def _step(value: Any) -> float:
    """Return a step of the arrow keys that fits the size of the value: 5e-05 moves by 1e-05."""
    if not isinstance(value, int | float) or value == 0:
        return 0.01
    exponent = f"{abs(value):e}".split("e")[1]
    return float(f"1e{int(exponent)}")
