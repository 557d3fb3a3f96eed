"""Charts of the metrics that a script has reported: those of one quantity together."""

from __future__ import annotations

import re
from collections.abc import Iterable

from autotrain_gradio.tasks.base import Chart

_SPLIT = re.compile(r"^(train(?:ing)?|val(?:id(?:ation)?)?|eval(?:uation)?|dev|test)[_/.:-]+(?=.)", re.IGNORECASE)
"""Prefix of a metric's name that says on which split it was computed."""
_SPLIT_BEHIND = re.compile(
    r"(?<=.)[_/.:-]+(train(?:ing)?|val(?:id(?:ation)?)?|eval(?:uation)?|dev|test)$", re.IGNORECASE
)


def charts_of(names: Iterable[str]) -> tuple[Chart, ...]:
    """Return a chart for each quantity: `loss`, `train_loss` and `val/loss` share one. In the order of the names."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(quantity(name), []).append(name)
    return tuple(Chart(title, {name: name for name in found}) for title, found in groups.items())


def quantity(name: str) -> str:
    """Return the name of a metric without the name of a split."""
    return _SPLIT_BEHIND.sub("", _SPLIT.sub("", name))
