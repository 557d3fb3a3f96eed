"""Cells that are times in seconds, such as the start and end of a segment of a recording. They may be missing."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from autotrain_gradio.data.rows import Cells, Context, show_cell
from autotrain_gradio.data.values.durations import clock_seconds
from autotrain_gradio.data.values.numbers import parse

MILLISECONDS = "ms"
NAMED = re.compile(r"(^|[\W_])(ms|msecs?|millis|milliseconds?)([\W_]|$)", re.IGNORECASE)
"""Name of a column of milliseconds: start_ms. `audio-parts` converts them, if they fit the files."""


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Parse the times as float64 seconds, from numbers or clock times (0:01:30.5).

    A missing time stays None; rows with an invalid time are skipped.
    """
    found = parse(cells, context.notation)
    for i in np.flatnonzero(found.unreadable & context.needed).tolist():
        found.values[i] = clock_seconds(str(cells[i].as_py()))
        found.unreadable[i] = np.isnan(found.values[i])
    bad = (found.infinite | found.unreadable | (np.nan_to_num(found.values) < 0)) & context.needed
    rows = np.flatnonzero(bad)
    result = Cells(pa.array(found.values, mask=np.isnan(found.values)), {"time-unreadable": rows})
    if NAMED.search(context.column):
        result.about["unit"] = MILLISECONDS
    text = "{n} {has} no time in seconds"
    hint = "Write seconds, such as 12.5, or hours, minutes and seconds, such as 0:01:30."
    result.findings += context.skipped("time-unreadable", text, rows, hint, show_cell(cells))
    return result
