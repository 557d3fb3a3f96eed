"""Cells that hold several answers to one question, as programs for surveys write them: email;phone."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

MARKS = (";", "|", ",")
MOST = 30
"""Different answers up to which cells are taken for lists of them."""
OFTEN = 0.1
"""Share of the cells in which several must stand."""


def several_answers(sample: pa.ChunkedArray) -> dict[str, Any]:
    """Return an `example` of several answers in a cell, and how many `answers` and `combinations` of them there are.

    Nothing where the cells are no lists of a few answers, each of them in several combinations.
    """
    for mark in MARKS:
        inside = pc.fill_null(pc.match_substring(sample, mark), False)
        if (pc.sum(inside).as_py() or 0) < max(2, OFTEN * len(sample)):
            continue
        cells = pc.unique(sample).to_pylist()
        if len(cells) < 4:
            continue
        parts = [[p.strip() for p in cell.split(mark)] for cell in cells if cell]
        count = Counter(p for cell in parts for p in cell if p)
        again = any(len(cell) != len(set(cell)) for cell in parts)  # nobody gives the same answer twice
        if not again and len(count) <= MOST and len(count) < len(cells) and min(count.values()) > 1:
            return {
                "example": next(c for c in cells if c and mark in c),
                "answers": len(count),
                "combinations": len(cells),
            }
    return {}
