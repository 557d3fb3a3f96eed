"""The items of a verb as panels."""

from __future__ import annotations

from typing import Any

import pytest

from autotrain_gradio.core.panels import markdown, numbers, render_text
from autotrain_gradio.core.verb_results import result_panels

OWN = numbers("Own", {"a": 1})


@pytest.mark.parametrize(
    ("items", "kinds", "text"),
    [
        ([], [], ""),
        (["", " \n"], [], ""),
        ([{}], [], ""),
        ([OWN], ["numbers"], "Own"),
        ([{"label": "glad", "panels": [OWN]}], ["numbers"], "Own"),
        ([[OWN, OWN]], ["numbers", "numbers"], "Own"),
        (["It ", "rains", "."], ["text"], "It rains."),
        ([{"glad": 3, "sad": 2}], ["numbers"], "glad  3"),
        ([{"input": "x", "row": 2}], ["numbers"], "row    2"),
        ([{"word": "sun", "scores": {"a": 0.5}}, {"word": "rain", "more": 1}], ["table"], "scores a"),
        ([[{"title": "one"}, {"title": "two"}]], ["table"], "two"),
        ([3, None, [1, 2]], ["text"], "3\n  null\n  [1, 2]"),
        (["Words:", {"word": "sun"}, {"word": "rain"}, OWN], ["text", "table", "numbers"], "rain"),
        ([{"kind": "of a package that is missing", "n": 1}], ["numbers"], "of a package"),
    ],
)
def test_items_become_panels(items: list[Any], kinds: list[str], text: str) -> None:
    panels = result_panels(items)
    assert [p["kind"] for p in panels] == kinds
    assert text in "\n".join(map(render_text, panels))


def test_panels_of_a_verb_are_not_changed() -> None:
    panel = markdown("*one*", title="A title", note="A note")
    assert result_panels([panel]) == [panel]
