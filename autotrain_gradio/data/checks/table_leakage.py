"""Target leakage: columns that are equal to the target, or determine it."""

from __future__ import annotations

from typing import Any

import numpy as np

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Rows

FIRST = 20_000
"""Rows of the sample that is checked first."""
LEAST = 20
"""Minimum number of rows for this check."""


def check(rows: Rows, request: Request) -> list[Finding]:
    """Compare every column with every target."""
    used = rows.indices()
    if len(used) < LEAST:
        return []
    targets = [rows.cells[role] for role in rows.having("target")]
    columns = [c for c in rows.cells.values() if c.stored and "feature" in c.about]
    found: dict[str, list[str]] = {"column-equals-target": [], "column-decides-target": []}
    for target in targets:
        answer = _answer(target, used)
        for cells in columns:
            verdict = _compare(cells, answer, target, used)
            if verdict and cells.about["name"] not in found[verdict]:
                found[verdict].append(cells.about["name"])
    texts = {
        "column-equals-target": "the target itself under another name, or a figure worked out of it",
        "column-decides-target": "a column that decides the target: each of its values goes with one answer only",
    }
    findings = []
    for code, names in found.items():
        if names:
            shown = join_examples([f"'{n}'" for n in names], limit=10)
            findings.append(
                Finding(
                    "warning",
                    code,
                    f"{shown} {'is' if len(names) == 1 else 'are each'} {texts[code]}. "
                    "The results will look better than they are.",
                    "Exclude it unless its value is known before the target is.",
                    "data.options.kinds",
                    Fix("Leave out", {"options": {"kinds": dict.fromkeys(names, "ignore")}}),
                )
            )
    return findings


def _answer(target: Cells, used: Any) -> Any:
    if target.names is not None:
        return target.labels.signatures(used)
    return target.values.to_numpy(zero_copy_only=False)[used]


def _compare(cells: Cells, answer: Any, target: Cells, used: Any) -> str:
    """Return the finding code for a column that leaks the target, else "". A sample is checked before all rows."""
    number = target.names is None and cells.about["feature"] == "number"
    step = max(1, len(used) // FIRST)
    found = ""
    for part in (slice(None, None, step), slice(None)) if step > 1 else (slice(None),):
        codes = cells.facts["codes"][used[part]]
        here = codes >= 0
        if np.count_nonzero(here) < max(LEAST, 0.5 * len(here)):
            return ""
        if number:
            values = cells.values.to_numpy(zero_copy_only=False)[used[part]]
            found = "column-equals-target" if _linear(values[here], answer[part][here]) else ""
        else:
            found = _decides(codes[here], answer[part][here])
        if not found:
            return ""
    return found


def _decides(codes: Any, answer: Any) -> str:
    order = np.argsort(codes)
    codes, answer = codes[order], answer[order]
    begins = np.flatnonzero(np.diff(codes, prepend=codes[0] - 1))
    if len(begins) < 2 or len(begins) > 0.2 * len(codes):
        return ""  # values that hardly ever repeat do not predict each other
    lowest, highest = np.minimum.reduceat(answer, begins), np.maximum.reduceat(answer, begins)
    answers = len(np.unique(lowest))
    if (lowest != highest).any() or answers < 2:
        return ""
    return "column-equals-target" if len(begins) == answers else "column-decides-target"


def _linear(values: Any, answer: Any) -> bool:
    """Say whether the numbers are the target, but for a factor and a constant."""
    good = ~np.isnan(values)
    values, answer = values[good], answer[good]
    if len(values) < LEAST or np.ptp(values) == 0 or np.ptp(answer) == 0:
        return False
    return bool(abs(np.corrcoef(values, answer)[0, 1]) > 1 - 1e-9)
