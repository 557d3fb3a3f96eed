"""The registry of named items."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from autotrain_gradio.core.errors import NotFound
from autotrain_gradio.core.registry import NamedRegistry


@dataclass(frozen=True)
class Item:
    name: str
    value: int = 0


def test_items_are_found_by_name_and_keep_their_order() -> None:
    registry = NamedRegistry("panel kind", [Item("table"), Item("bars")])
    registry.add(Item("lines", 3))
    assert registry.names() == ["table", "bars", "lines"] == [i.name for i in registry]
    assert registry.get("lines").value == 3
    assert "bars" in registry and "matrix" not in registry and len(registry) == 3


def test_an_unknown_name_is_refused_with_a_suggestion() -> None:
    with pytest.raises(NotFound) as caught:
        NamedRegistry("panel kind", [Item("table"), Item("bars")]).get("tabel")
    assert str(caught.value) == "Unknown panel kind 'tabel'. Did you mean 'table'?"
    assert caught.value.code == "unknown-panel-kind"


def test_duplicate_names_are_refused() -> None:
    registry = NamedRegistry("panel kind", [Item("table")])
    registry.add(Item("table"))  # the same declaration, as when its module is imported again
    assert len(registry) == 1
    with pytest.raises(ValueError, match="Two different panel kind items are named 'table'"):
        registry.add(Item("table", 2))
