"""Metrics for display: titles, formatted values, and comparison with a trivial baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

NAMES = {"f1": "F1", "auc": "AUC", "r2": "R²", "mse": "MSE", "mae": "MAE", "rmse": "RMSE", "rmsle": "RMSLE"}
AVERAGED = ("macro", "micro", "weighted")


def title(name: str) -> str:
    """Return the title of a metric: `f1_macro` is F1 (macro), `hamming_loss` is hamming loss."""
    stem, _, last = name.rpartition("_")
    if last in AVERAGED:
        return f"{NAMES.get(stem, stem.replace('_', ' '))} ({last})"
    return NAMES.get(name, name.replace("_", " "))


def formatted(found: Mapping[str, float], *, one_class: bool = False) -> dict[str, Any]:
    """Return titles and formatted values for a panel of numbers; the accuracy in percent.

    one_class: each row has exactly one class. Then all micro averages equal the accuracy and are omitted.
    """
    shown = {n: v for n, v in found.items() if not (one_class and n.endswith("_micro") and "accuracy" in found)}
    return {title(n): f"{100 * v:.1f} %" if n == "accuracy" else round(v, 4) for n, v in shown.items()}


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
