"""Cells that name groups of rows which belong together: a speaker, a recording, a patient."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio import panels
from autotrain_gradio.data.columns import as_text, blank, encode
from autotrain_gradio.data.rows import Cells, Context, Rows
from autotrain_gradio.panels import Panel

SHOWN = 20


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Take the names as text; a row without one is a group of its own."""
    names = as_text(cells, context.names)
    names = pc.if_else(pa.array(blank(names)), None, names)
    _, codes = encode(names)
    return Cells(names, {}, {"digest": codes.astype(np.int64)})


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Draw the rows of the largest groups, training and validation stacked."""
    names, codes = encode(rows.cells[role].values)
    if not len(names):
        return []
    counts = {n: np.bincount(codes[i][codes[i] >= 0], minlength=len(names)) for n, i in _parts(rows)}
    largest = np.argsort(-sum(counts.values()), kind="stable")[:SHOWN]
    series = {n: [float(c[k]) for k in largest] for n, c in counts.items() if c.sum() or n == "train"}
    note = f"The {SHOWN} largest of {len(names):,}." if len(names) > SHOWN else ""
    return [
        panels.bars(f"Rows of each {role}", [names[int(k)].as_py() for k in largest], series, unit="rows", note=note)
    ]


def _parts(rows: Rows) -> list[tuple[str, np.ndarray]]:
    return [(n, rows.indices(n)) for n in ("train", "validation")]
