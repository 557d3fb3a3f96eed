"""A registry of named items: duplicate names are rejected; the error for an unknown name suggests the closest ones."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any, Generic, Protocol, TypeVar

from autotrain_gradio.core.errors import NotFound, did_you_mean


class Named(Protocol):
    """Anything that can be registered: it has a name."""

    @property
    def name(self) -> str:
        """Key of the lookup."""


@dataclass(frozen=True)
class ModuleEntry:
    """An item whose implementation is a module. module: its dotted path, imported when it is needed."""

    name: str
    module: str

    def load(self) -> Any:
        """Import the module."""
        return importlib.import_module(self.module)


T = TypeVar("T", bound=Named)


@lru_cache(maxsize=1)
def _entry_points(path: tuple[str, ...]) -> Any:
    """Return the selectable entry points of all packages on a path (`sys.path`), whose metadata is parsed once."""
    return entry_points()


def load_entry_points(group: str) -> list[Any]:
    """Return what installed packages declare by entry points in a group, in the order of their names."""
    return [point.load() for point in sorted(_entry_points(tuple(sys.path)).select(group=group), key=lambda p: p.name)]


class NamedRegistry(Generic[T]):
    """Items by name, in the order in which they were added.

    noun: singular name of an item in messages: `task`, `panel kind`.
    """

    def __init__(self, noun: str, items: Iterable[T] = ()) -> None:
        self.noun = noun
        self._items: dict[str, T] = {}
        for item in items:
            self.add(item)

    def add(self, item: T) -> None:
        """Register an item; an equal item that is already registered is ignored.

        Raises:
            ValueError: its name is taken by another item.
        """
        registered = self._items.setdefault(item.name, item)
        if registered != item:
            raise ValueError(f"Two different {self.noun} items are named '{item.name}': {registered} and {item}")

    def get(self, name: str) -> T:
        """Return the item of that name.

        Raises:
            NotFound: the name is unknown; the hint has the closest ones.
        """
        if name not in self._items:
            code = f"unknown-{self.noun.replace(' ', '-')}"
            raise NotFound(f"Unknown {self.noun} '{name}'.", did_you_mean(name, self._items), code=code)
        return self._items[name]

    def names(self) -> list[str]:
        """Return the names, in the order of registration."""
        return list(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: object) -> bool:
        return name in self._items
