"""Examples to try a model with: rows of values of all its inputs."""

from __future__ import annotations

from typing import Any

import pytest

from autotrain_gradio.core.inputs import Input
from autotrain_gradio.ui.examples import example_values

ONE, TWO = Input("question", "A question", "text"), Input("context", "The context", "text")


def snapshot(**examples: list[str]) -> dict[str, Any]:
    return {"samples": [{"panel": {"kind": "table"}}, {"panel": {"kind": "table", "examples": examples}}]}


def test_values_of_one_input_are_offered_the_shortest_first() -> None:
    shown = snapshot(question=["a longer one", "one", "one", "three", "fourth"])
    assert example_values(shown, [ONE]) == [("one",), ("three",), ("fourth",)]


def test_values_of_several_inputs_belong_together() -> None:
    shown = snapshot(question=["who?", "when?"], context=["a very long context", "short"])
    assert example_values(shown, [ONE, TWO]) == [("when?", "short"), ("who?", "a very long context")]


@pytest.mark.parametrize("shown", [{}, {"samples": []}, snapshot(), snapshot(question=["who?"])])
def test_nothing_is_offered_where_an_input_has_no_value(shown: dict[str, Any]) -> None:
    assert example_values(shown, [ONE, TWO]) == []
