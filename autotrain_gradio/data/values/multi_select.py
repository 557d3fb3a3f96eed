"""Multi-select cells, which hold several options of one question, as survey tools export them: email;phone."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

SEPARATORS = (";", "|", ",")
MOST_OPTIONS = 30
"""Most different options of a multi-select column."""
LEAST_SHARE = 0.1
"""Least share of the cells that hold several options."""


def find_multi_select(sample: pa.ChunkedArray) -> dict[str, Any]:
    """Return an `example` of a multi-select cell, and the numbers of its `answers` and of their `combinations`.

    Empty if the cells are not lists of a few options that each occur in several combinations.
    """
    for separator in SEPARATORS:
        inside = pc.fill_null(pc.match_substring(sample, separator), False)
        if (pc.sum(inside).as_py() or 0) < max(2, LEAST_SHARE * len(sample)):
            continue
        cells = pc.unique(sample).to_pylist()
        if len(cells) < 4:
            continue
        parts = [[p.strip() for p in cell.split(separator)] for cell in cells if cell]
        count = Counter(p for cell in parts for p in cell if p)
        again = any(len(cell) != len(set(cell)) for cell in parts)  # an option is selected once
        if not again and len(count) <= MOST_OPTIONS and len(count) < len(cells) and min(count.values()) > 1:
            return {
                "example": next(c for c in cells if c and separator in c),
                "answers": len(count),
                "combinations": len(cells),
            }
    return {}
