"""Components of the types of parameters."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import Field

from autotrain_gradio.core.spec import Model
from autotrain_gradio.ui.param_fields import create_field


class Settings(Model):
    modules: list[str] = Field(default_factory=lambda: ["q", "v"])
    layers: list[int] = Field(default_factory=list)
    losses: list[Literal["a", "b"]] = Field(default_factory=list)


@pytest.mark.parametrize(
    ("name", "value", "shown", "read"),
    [
        ("modules", ["q", "v"], ["q", "v", "k"], ["q", "v", "k"]),
        ("modules", ["q"], [], []),
        ("layers", [], ["1", "2"], [1, 2]),
        ("layers", [3], ["three"], ["three"]),  # validation of the spec reports it
        ("losses", ["a"], ["b"], ["b"]),
    ],
)
def test_a_list_is_a_dropdown_of_several_values(name: str, value: list[Any], shown: list[Any], read: list[Any]) -> None:
    field = create_field(name, Settings.model_fields[name], value, elem_id="x")
    assert field.component.multiselect and field.component.value == value
    assert field.component.allow_custom_value is (name != "losses")
    assert field.show(value) == value and field.read(shown) == read
