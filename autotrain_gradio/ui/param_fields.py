"""Components for the fields of a pydantic class: the parameters of a task, or settings of its data.

The docstring of a field is the component's help text; its bounds are shown there, its default is the value.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
import gradio as gr
from pydantic.fields import FieldInfo

from autotrain_gradio.core.spec import Model

NONE = "none"
"""The choice of a dropdown that represents None."""


@dataclass(frozen=True)
class Field:
    """A field and its component."""

    name: str
    info: FieldInfo
    component: Any

    def read(self, shown: Any) -> Any:
        """Convert the component's value to the field's; an empty component means the default or None."""
        kind, optional = _kind(self.info.annotation)
        if get_origin(kind) is list:
            return [_list_item(item, kind) for item in shown or ()]
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
        """Convert the field's value to the component's."""
        kind, optional = _kind(self.info.annotation)
        if not optional:
            return value
        if get_origin(kind) is Literal:
            return NONE if value is None else value
        return "" if value is None else str(value)


def title(name: str, info: FieldInfo) -> str:
    """Return the field's label."""
    return info.title or name.replace("_", " ").capitalize()


def create_field(name: str, info: FieldInfo, value: Any, *, elem_id: str) -> Field:
    """Create the component of a field; it is shown where `render_fields` is called."""
    kind, optional = _kind(info.annotation)
    settings: dict[str, Any] = {
        "label": title(name, info),
        "info": " ".join((info.description or "").split()),
        "elem_id": elem_id,
        "interactive": True,
        "render": False,
    }
    component: Any
    if kind is bool:
        component = gr.Checkbox(value=bool(value), **settings)
    elif get_origin(kind) is Literal:
        choices = list(get_args(kind))
        if optional and NONE not in choices:
            choices.insert(0, NONE)
        component = gr.Dropdown(choices=choices, value=NONE if value is None else value, filterable=False, **settings)
    elif get_origin(kind) is list:
        choices = list(get_args(get_args(kind)[0])) if get_origin(get_args(kind)[0]) is Literal else []
        component = gr.Dropdown(
            choices=choices or list(value or ()),
            value=list(value or ()),
            multiselect=True,
            allow_custom_value=not choices,
            **settings,
        )
    elif kind in (int, float):
        settings["info"] = f"{settings['info']} {_range(info)}".strip()
        # The component gets no bounds: it would show a toast, while validation of the spec shows the error in place.
        if optional:
            # A `gr.Number` sends 0 instead of None while it is not visible.
            shown = "" if value is None else str(value)
            component = gr.Textbox(shown, placeholder="automatic", max_lines=1, **settings)
        else:
            component = gr.Number(value=value, step=1 if kind is int else _step(value), **settings)
    else:
        component = gr.Textbox(value="" if value is None else str(value), max_lines=1, **settings)
    return Field(name, info, component)


def create_fields(model: type[Model], names: Iterable[str], values: Mapping[str, Any], *, prefix: str) -> list[Field]:
    """Create the components of several fields; a field without a value shows its default."""
    created = []
    for name in names:
        info = model.model_fields[name]
        value = values[name] if name in values else info.get_default(call_default_factory=True)
        created.append(create_field(name, info, value, elem_id=f"{prefix}-{name.replace('_', '-')}"))
    return created


def render_fields(fields: Sequence[Field], names: Iterable[str]) -> None:
    """Show fields in rows that wrap, in the Gradio context that is open."""
    by_name = {field.name: field for field in fields}
    with gr.Row(elem_classes="at-fields"):
        for name in names:
            by_name[name].component.render()


def _kind(annotation: Any) -> tuple[Any, bool]:
    """Return a type without None, and whether it allowed None."""
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [a for a in get_args(annotation) if a is not type(None)]
        return (rest[0] if len(rest) == 1 else str), len(rest) < len(get_args(annotation))
    return annotation, False


def _range(info: FieldInfo) -> str:
    """Return the closed bounds as text; open ones appear in the error if they are violated."""
    low: Any = next((m.ge for m in info.metadata if isinstance(m, annotated_types.Ge)), None)
    high: Any = next((m.le for m in info.metadata if isinstance(m, annotated_types.Le)), None)
    if low is not None and high is not None:
        return f"({low:,} to {high:,})"
    return f"(at least {low:,})" if low is not None else f"(at most {high:,})" if high is not None else ""


def _list_item(shown: Any, kind: Any) -> Any:
    """Convert an item of a multiselect dropdown to the type of the list's items."""
    item = get_args(kind)[0]
    return _number(shown, item) if isinstance(shown, str) and item in (int, float) else shown


def _number(text: str, kind: type) -> Any:
    """Parse a number; any other text is returned as it is, and validation of the spec reports it."""
    try:
        return kind(text.strip())
    except ValueError:
        return text


def _step(value: Any) -> float:
    """Return the step of the arrow keys for the magnitude of a value: 1e-05 for 5e-05."""
    if not isinstance(value, int | float) or value == 0:
        return 0.01
    exponent = f"{abs(value):e}".split("e")[1]
    return float(f"1e{int(exponent)}")
