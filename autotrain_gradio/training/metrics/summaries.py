"""Metrics for display: titles, formatted values, and comparison with a trivial baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotrain_gradio.tasks.base import Metric


def title(name: str, declared: Sequence[Metric]) -> str:
    """Return the title of a metric that the task declares; of another one its name, with spaces."""
    found = _declared(name, declared)
    return found.title if found else name.replace("_", " ")


def formatted(found: Mapping[str, float], declared: Sequence[Metric], *, one_class: bool = False) -> dict[str, Any]:
    """Return titles and formatted values for a panel of numbers, as the task declares them.

    one_class: each row has exactly one class. Then all micro averages equal the accuracy and are omitted.
    """
    shown = {n: v for n, v in found.items() if not (one_class and n.endswith("_micro") and "accuracy" in found)}
    return {title(name, declared): _value(name, value, declared) for name, value in shown.items()}


def _value(name: str, value: float, declared: Sequence[Metric]) -> Any:
    metric = _declared(name, declared)
    return f"{100 * value:.1f} %" if metric and metric.percent else round(value, 4)


def _declared(name: str, declared: Sequence[Metric]) -> Metric | None:
    return next((metric for metric in declared if metric.name == name), None)


def compare_with_majority_class(predicted: np.ndarray, targets: np.ndarray, names: Sequence[str], noun: str) -> str:
    """Describe the accuracy and that of always predicting the most frequent class.

    predicted, targets: classes (rows,). noun: name of the rows in the plural.
    """
    right, counts = int((predicted == targets).sum()), np.bincount(targets, minlength=len(names))
    most = int(counts.argmax())
    return (
        f"{right:,} of {len(targets):,} {noun} are right. "
        f"Always predicting '{names[most]}' would be right for {int(counts[most]):,}."
    )


def compare_with_mean(predictions: np.ndarray, targets: np.ndarray) -> str:
    """Compare the mean absolute error with that of always predicting the mean. Both (rows,)."""
    mean = float(targets.mean())
    error, baseline = float(np.abs(predictions - targets).mean()), float(np.abs(targets - mean).mean())
    return f"Mean absolute error {error:,.4g}; always predicting the mean, {mean:,.4g}, has {baseline:,.4g}."
