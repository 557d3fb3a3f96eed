"""Predictions: a dict of raw values with `panels`, the list of panels that shows them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from autotrain_gradio.core.panels import Panel, numbers, render_summary

Prediction = dict[str, Any]
"""The return value of a task's predictor for one input, such as `{"label", "scores", "panels"}`."""
ABOUT = ("panels", "input", "row", "warnings")
"""Metadata keys of a prediction: not predicted values."""


def with_panels(prediction: Mapping[str, Any]) -> Prediction:
    """Return the prediction with panels: those of the predictor, else its plain values by name."""
    if "panels" in prediction:
        return dict(prediction)
    values = {k: v for k, v in prediction.items() if isinstance(v, str | int | float | bool) and k != "note"}
    panel: Panel = numbers("Prediction", values, note=str(prediction.get("note") or ""))
    return {**prediction, "panels": [panel]}


def summary(prediction: Mapping[str, Any]) -> str:
    """Return a prediction in one line, from the summaries of its panels."""
    lines = ((str(panel.get("title") or ""), render_summary(panel)) for panel in prediction["panels"])
    found = [(title, line) for title, line in lines if line]
    return found[0][1] if len(found) == 1 else ", ".join(f"{title}: {line}" for title, line in found)


def flat_values(prediction: Mapping[str, Any]) -> dict[str, Any]:
    """Return the raw values as columns of a table: `{"scores": {"a": 1}}` becomes "scores a", lists become text."""
    return flatten({name: value for name, value in prediction.items() if name not in ABOUT})


def flatten(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested values as columns: `{"scores": {"a": 1}}` becomes "scores a", lists become text."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        _flatten(name, value, found)
    return found


def _flatten(name: str, value: Any, found: dict[str, Any]) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _flatten(f"{name} {key}", inner, found)
    elif isinstance(value, list | tuple):
        plain = all(isinstance(v, str | int | float) for v in value)
        found[name] = ", ".join(map(str, value)) if plain else json.dumps(value, ensure_ascii=False)
    else:
        found[name] = value


def as_table(predictions: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[list[str], list[list[Any]]]:
    """Return columns and rows for pairs (input, prediction): the input, then every raw value."""
    rows = [(given, flat_values(prediction)) for given, prediction in predictions]
    names = list(dict.fromkeys(name for _, values in rows for name in values))
    return ["input", *names], [[given, *(values.get(n) for n in names)] for given, values in rows]
