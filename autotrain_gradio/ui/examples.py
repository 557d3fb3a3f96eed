"""Example inputs to try a model with, from the sample predictions of its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autotrain_gradio.core.inputs import Input

OFFERED = 3


def example_values(snapshot: Mapping[str, Any], declared: Sequence[Input]) -> list[tuple[str, ...]]:
    """Return the shortest rows of values of these inputs in the latest sample predictions, if any.

    The panel's `examples` has a list of values for each input, which belong together by their place.
    """
    samples = snapshot.get("samples") or []
    if not samples:
        return []
    examples = samples[-1]["panel"].get("examples") or {}
    columns = [[str(value) for value in examples.get(item.name) or []] for item in declared]
    rows = list(dict.fromkeys(zip(*columns, strict=False)))
    return sorted(rows, key=lambda row: sum(map(len, row)))[:OFFERED]
