"""Panels of numeric predictions: predicted against true values, and their residuals."""

from __future__ import annotations

from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.training.sample_selection import evenly_by_value

POINTS = 1000
BINS = 20
"""Maximum number of bins of the histogram of residuals."""
STEPS = (1.0, 2.0, 5.0)
"""Width of a bin: one of these times a power of ten."""


def predicted_against_true(true: np.ndarray, predicted: np.ndarray, *, name: str = "", unit: str = "") -> Panel:
    """Return a scatter plot of predicted and true values, both (rows,). name: of the target, if there are several."""
    rows, note = _points(true)
    behind = f" ({unit})" if unit else ""
    points = list(zip(true[rows].tolist(), predicted[rows].tolist(), strict=True))
    title = _title("Predicted against true", name)
    return panels.scatter(title, points, x=f"true{behind}", y=f"predicted{behind}", line="diagonal", note=note)


def residuals_against_predicted(true: np.ndarray, predicted: np.ndarray, *, name: str = "", unit: str = "") -> Panel:
    """Return a scatter plot of predicted − true over predicted values. name: of the target, if there are several."""
    rows, _ = _points(true)
    behind = f" ({unit})" if unit else ""
    points = list(zip(predicted[rows].tolist(), (predicted[rows] - true[rows]).tolist(), strict=True))
    title, y = _title("Residuals", name), f"predicted − true{behind}"
    note = "A pattern here is structure that the model has not learned." if len(rows) > 20 else ""
    return panels.scatter(title, points, x=f"predicted{behind}", y=y, line="zero", note=note)


def residual_histogram(true: np.ndarray, predicted: np.ndarray, *, name: str = "", unit: str = "") -> Panel:
    """Return a histogram of predicted − true; the few largest and smallest are in the first and last bin."""
    residuals = predicted - true
    low, high = np.quantile(residuals, (0.01, 0.99))
    largest = max(abs(low), abs(high))
    # Residuals that hardly differ are in one or two bins.
    width = _width(high - low if high - low > 1e-6 * largest else largest or 1.0)
    first, last = int(np.floor(low / width)), int(np.ceil(high / width))
    edges = np.arange(first, max(last, first + 1) + 1) * width
    counts = np.histogram(residuals, [-np.inf, *edges[1:-1], np.inf])[0]
    labels = [f"{_short(a)} to {_short(b)}" for a, b in zip(edges, edges[1:], strict=False)]
    if residuals.min() < edges[0]:
        labels[0] = f"below {_short(edges[1])}" if len(labels) > 1 else "all"
    if residuals.max() > edges[-1]:
        labels[-1] = f"above {_short(edges[-2])}" if len(labels) > 1 else "all"
    mean = float(residuals.mean())
    behind = f" {unit}" if unit else ""
    note = f"Predicted − true{f', in {unit}' if unit else ''}. On average {mean:+.4g}{behind}: "
    spread = float(residuals.std())
    note += (
        "the predictions are neither too high nor too low."
        if abs(mean) <= 0.1 * spread or mean == 0
        else f"the predictions are too {'high' if mean > 0 else 'low'}."
    )
    title = _title("Distribution of the residuals", name)
    return panels.bars(title, labels, {"rows": counts.tolist()}, note=note)


def _points(true: np.ndarray) -> tuple[np.ndarray, str]:
    """Return the rows of a plot in the order of the data, and a note if they are not all."""
    if len(true) <= POINTS:
        return np.arange(len(true)), ""
    return evenly_by_value(true, POINTS), f"{POINTS:,} of {len(true):,} rows."


def _width(spread: float) -> float:
    """Return a round width of the bins, of which at most about `BINS` cover the spread."""
    power: float = 10.0 ** np.floor(np.log10(spread / BINS))
    return next((s * power for s in STEPS if s * power * BINS >= spread), 10 * power)


def _short(value: Any) -> str:
    return f"{float(value):.4g}".replace("-", "−")


def _title(text: str, name: str) -> str:
    return f"{text}: {name}" if name else text
