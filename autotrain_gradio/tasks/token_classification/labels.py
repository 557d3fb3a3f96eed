"""The labels of a model: O, and B- and I- of each entity type; and entities from predicted labels.

Labels become entities as in transformers' token classification pipeline (`aggregation_strategy="first"`, with a
`stride`), so that a saved model gives the same entities there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

OUTSIDE = "O"


class Entity(NamedTuple):
    """A predicted entity. begun: it begins with a label B-, as strict evaluation requires. length: of its words joined
    by spaces.
    """

    start: int
    end: int
    label: str
    score: float
    begun: bool = True
    length: int = 0


@dataclass(frozen=True)
class TagLabels:
    """The labels of a model, in the order of its outputs."""

    names: tuple[str, ...]

    @classmethod
    def of_types(cls, types: Iterable[str]) -> TagLabels:
        """Return the labels of entity types, sorted."""
        return cls((OUTSIDE, *(f"{prefix}-{name}" for name in sorted(types) for prefix in "BI")))

    @cached_property
    def types(self) -> list[str]:
        """The entity types, in the order of the labels."""
        return list(dict.fromkeys(_type(n) for n in self.names if n != OUTSIDE))

    @cached_property
    def begin(self) -> dict[str, int]:
        """Entity type → its label B-."""
        return {name[2:]: i for i, name in enumerate(self.names) if name.startswith("B-")}

    @cached_property
    def inside(self) -> dict[str, int]:
        """Entity type → its label I-."""
        return {name[2:]: i for i, name in enumerate(self.names) if name.startswith("I-")}

    @cached_property
    def _type_numbers(self) -> np.ndarray:
        number = {OUTSIDE: -1, **{name: i for i, name in enumerate(self.types)}}
        return np.array([number[_type(name)] for name in self.names], dtype=np.int32)

    @cached_property
    def _begins(self) -> np.ndarray:
        return np.array([name.startswith("B-") for name in self.names])

    def entities(
        self, tags: np.ndarray, scores: np.ndarray, borders: np.ndarray, joined: np.ndarray | None = None
    ) -> list[Entity]:
        """Return the entities of one window.

        tags, scores: labels of its words and their probabilities (words,). borders: of the words in the text
        (words, 2). joined: the same in the words joined by spaces; by default `borders`.
        """
        joined = borders if joined is None else joined
        if not len(tags):
            return []
        types, begins = self._type_numbers[tags], self._begins[tags]
        first = np.flatnonzero(begins | (types != np.concatenate([[-2], types[:-1]])))
        last = np.append(first[1:], len(tags))
        found = []
        for a, b in zip(first.tolist(), last.tolist(), strict=True):
            if types[a] >= 0:
                name, score = self.types[types[a]], float(np.mean(scores[a:b]))
                length = int(joined[b - 1, 1] - joined[a, 0])
                found.append(Entity(int(borders[a, 0]), int(borders[b - 1, 1]), name, score, bool(begins[a]), length))
        return found


def _type(name: str) -> str:
    return name[2:] if name[:2] in {"B-", "I-"} else name


def merge_windows(windows: Sequence[Sequence[Entity]]) -> list[Entity]:
    """Return the entities of a text from those of its windows: of overlapping ones the longest, then the likeliest."""
    if len(windows) == 1:
        return list(windows[0])
    entities = sorted((e for found in windows for e in found), key=lambda e: e.start)
    kept: list[Entity] = []
    for entity in entities:
        last = kept[-1] if kept else None
        if last is None or not last.start <= entity.start < last.end:
            kept.append(entity)
        elif (entity.length, entity.score) > (last.length, last.score):
            kept[-1] = entity
    return kept
