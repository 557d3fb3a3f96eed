"""Numeric targets: constant or two-valued ones, outliers, and numbers that differ too little for a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows

FAR = 10.0
"""Distance from the quartiles, in interquartile ranges, from which a number is an outlier."""
LEAST = 20
"""Minimum number of rows for findings about outliers and about two values."""
PLACEHOLDERS = frozenset((-1, -9, -99, -999, -9999, 99, 999, 9999, 99999))
"""Numbers that often stand for a missing value."""
RESOLUTION = 0.01
"""Largest rounding error of float32, in standard deviations, that is not reported."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Check each numeric target column. Runs after the split: the training rows decide what can be learned."""
    for role in rows.having("target"):
        cells = rows.cells[role]
        if cells.is_numeric:
            values = cells.values.to_numpy(zero_copy_only=False)
            yield from _check(rows, role.partition(":")[2] or role, values)


def _check(rows: Rows, column: str, values: Any) -> Iterator[Finding]:
    where = f"column {column}"
    training = rows.indices("train")
    known = np.unique(values[training])
    if len(known) == 1:
        if len(np.unique(values[~np.isnan(values)])) == 1:
            return  # the column's kind has reported that every row has this value
        rows_have = "The only training row has" if len(training) == 1 else f"All {len(training):,} training rows have"
        message = f"{rows_have} the value {known[0]:g}: there is nothing to learn."
        hint = "Add training rows with other values, or let the app split the rows."
        yield Finding("error", "one-value-to-train-on", message, hint, where)
        return
    if len(known) == 2 and len(training) >= LEAST:
        message = f"There are only two different values, {known[0]:g} and {known[1]:g}: they look like two classes."
        yield Finding("warning", "two-values", message, "A task of classification suits two classes better.", where)
    yield from _outliers(rows, values, where)
    deviation = float(values[training].std())
    largest = float(np.abs(values[training]).max())
    if np.spacing(np.float32(largest)) > RESOLUTION * deviation:
        message = f"The values are about {largest:.6g} and differ by {deviation:.3g} only (standard deviation), of "
        message += "which a model with 32-bit numbers loses a part."
        hint = f"Subtract what they have in common, such as {float(values[training].mean()):.6g}, from all values."
        yield Finding("warning", "target-far-from-zero", message, hint, where)


def _outliers(rows: Rows, values: Any, where: str) -> Iterator[Finding]:
    """Report numbers that are far from nearly all others."""
    used = rows.indices()
    low, high = np.quantile(values[used], (0.25, 0.75))
    if len(used) < LEAST or low == high:
        return
    far = FAR * (high - low)
    outliers = used[(values[used] < low - far) | (values[used] > high + far)]
    # The most extreme first.
    outliers = outliers[np.argsort(-np.abs(values[outliers] - (low + high) / 2), kind="stable")]
    hint = "Correct them, or leave these rows out, if they are mistakes. Else a few rows may decide what is learned: "
    hint += "the Huber loss is less sensitive to them, and so is the logarithm of the values."
    if len(outliers) and set(values[outliers].tolist()) <= PLACEHOLDERS:
        hint = "If they stand for a missing value, leave these cells empty: then the rows are skipped."
    text = f"{{n}} {{has}} a value far from the others, half of which are between {low:g} and {high:g}"
    yield from rows.findings(
        "warning", "target-outliers", text, outliers, hint, lambda row: f": {values[row]:g}", where=where
    )
