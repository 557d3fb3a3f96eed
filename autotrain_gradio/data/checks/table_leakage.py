"""Target leakage: columns that are equal to the target, or determine it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Rows

LEAST = 20
"""Minimum number of rows for this check."""
TEXTS = {
    "column-equals-target": "equal the target under another name, or were computed from it",
    "column-decides-target": "determine the target: each of their values occurs with one target only",
}


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Compare every column with every target."""
    used = rows.indices()
    columns = [c for c in rows.cells.values() if c.stored and "feature" in c.about]
    found: dict[str, dict[str, None]] = {code: {} for code in ("", *TEXTS)}
    for role in rows.having("target"):
        for column in columns:
            found[_leak(column, rows.cells[role], used)][column.about["name"]] = None
    for code, text in TEXTS.items():
        if found[code]:
            shown = join_examples([f"'{name}'" for name in found[code]], limit=10)
            message = f"Columns that {text}: {shown}. The results will look better than they are."
            hint = "Exclude them unless their values are known before the target is."
            fix = Fix("Exclude", {"options": {"kinds": dict.fromkeys(found[code], "ignore")}})
            yield Finding("warning", code, message, hint, "data.options.kinds", fix)


def _leak(column: Cells, target: Cells, used: Any) -> str:
    """Return the code of the finding about a column that leaks the target, else ""."""
    codes = column.facts["codes"][used]
    present = codes >= 0
    if np.count_nonzero(present) < max(LEAST, 0.5 * len(codes)):
        return ""
    if target.names is not None:
        answers = target.labels.signatures(used)[present]
    else:
        answers = target.values.to_numpy(zero_copy_only=False)[used][present]
        if column.about["feature"] == "number":
            values = column.values.to_numpy(zero_copy_only=False)[used][present]
            return "column-equals-target" if _linear(values, answers) else ""
    values, known = pd.factorize(codes[present])
    if not 2 <= len(known) <= 0.2 * len(values):
        return ""  # values that hardly ever repeat do not predict each other
    numbers, targets = pd.factorize(answers)
    pairs = len(pd.unique(values * len(targets) + numbers))
    if pairs > len(known) or len(targets) < 2:
        return ""
    return "column-equals-target" if len(known) == len(targets) else "column-decides-target"


def _linear(values: Any, target: Any) -> bool:
    """Return whether the numbers are the target, but for a factor and a constant."""
    known = ~np.isnan(values)
    values, target = values[known], target[known]
    if len(values) < LEAST or np.ptp(values) == 0 or np.ptp(target) == 0:
        return False
    return bool(abs(np.corrcoef(values, target)[0, 1]) > 1 - 1e-9)
