"""Cells that name groups of rows which belong together: a speaker, a recording, a patient."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.panels import Panel
from autotrain_gradio.data.kinds import charts
from autotrain_gradio.data.rows import Cells, Context, Rows
from autotrain_gradio.data.values.arrow_columns import as_text, blank, encode

SHOWN = 20
JOINED = "+"


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Take the names as text; a row without one is a group of its own.

    Several names joined by a plus (`speaker-1+speaker-2`, who speak together) belong to the group of each of them.
    """
    names = as_text(cells, context.names)
    names = pc.if_else(pa.array(blank(names)), None, names)
    known, codes = encode(names)
    codes = codes.astype(np.int64)
    if pc.any(pc.match_substring(known, JOINED)).as_py():
        codes = np.where(codes >= 0, _together(known.to_pylist())[codes], codes)
    return Cells(names, {}, {"digest": codes})


def _together(names: list[str]) -> np.ndarray:
    """Return per name the number of its group: names that share a part are of one, and so are their others."""
    leader: dict[str, str] = {}

    def first(part: str) -> str:
        while leader.setdefault(part, part) != part:
            leader[part] = leader[leader[part]]
            part = leader[part]
        return part

    parts = [[p.strip() for p in name.split(JOINED)] for name in names]
    parts = [own if all(own) else [name] for own, name in zip(parts, names, strict=True)]  # `C++` is one name
    for own in parts:
        for part in own[1:]:
            leader[first(part)] = first(own[0])
    number: dict[str, int] = {}
    return np.array([number.setdefault(first(own[0]), len(number)) for own in parts], dtype=np.int64)


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Draw the rows of the largest groups, training and validation stacked."""
    return charts.groups(f"Rows of each {role}", rows, role, SHOWN)
