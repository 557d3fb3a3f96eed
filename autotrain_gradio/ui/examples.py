"""Example inputs to try a model with, from the sample predictions of its training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autotrain_gradio.core.inputs import Input

OFFERED = 3


def example_values(snapshot: Mapping[str, Any], declared: Input) -> list[str]:
    """Return the shortest values of an input in the latest sample predictions (the panel's `examples`), if any."""
    samples = snapshot.get("samples") or []
    if not samples:
        return []
    values = (samples[-1]["panel"].get("examples") or {}).get(declared.name) or []
    return sorted(dict.fromkeys(map(str, values)), key=len)[:OFFERED]
