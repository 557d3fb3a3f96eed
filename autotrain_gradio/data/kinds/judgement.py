"""Cells that judge an answer: true or false, words, thumbs, or ratings; stored as one of two classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.kinds.label import profile
from autotrain_gradio.data.kinds.preferences import parse_judgements
from autotrain_gradio.data.rows import Cells, Context, show_cell
from autotrain_gradio.data.values.labels import Labels, quoted

__all__ = ["BAD", "GOOD", "inspect", "profile"]

NAMES = ["bad", "good"]
"""The classes; their numbers are 0 and 1."""
BAD, GOOD = range(2)
UNCLEAR = "judgement-unclear"


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Parse each judgement; what is neither good nor bad is skipped and reported."""
    values = [_named(value, context.names) for value in cells.to_pylist()]
    parsed = parse_judgements(values)
    codes = np.array([-1 if judged is None else int(judged) for judged in parsed], dtype=np.int32)
    unclear = np.flatnonzero((codes < 0) & context.needed)
    result = Cells(Labels(NAMES, codes), {UNCLEAR: unclear})
    text = "{n} {has} a judgement that is neither good nor bad (it is missing, or the middle of a scale)"
    hint = "Write true or false, or a rating above or below the middle."
    result.findings += context.skipped(UNCLEAR, text, unclear, hint, show_cell(cells))
    if (codes >= 0).any():
        result.findings.append(_reading(values, codes, context))
    return result


def _named(value: Any, names: list[str] | None) -> Any:
    """Return a cell, of a class number its name."""
    return names[value] if names is not None and isinstance(value, int) and 0 <= value < len(names) else value


def _reading(values: list[Any], codes: Any, context: Context) -> Finding:
    """Report which values count as good, and which as bad."""
    shown = []
    for code in (GOOD, BAD):
        distinct = sorted({str(values[i]).strip() for i in np.flatnonzero(codes == code).tolist()})
        names = join_examples([quoted(name) for name in distinct[:5]], len(distinct))
        shown.append(f"{NAMES[code]}: {names or 'none'}")
    message = f"Judgements of the column '{context.column}' are read as {'; '.join(shown)}."
    return Finding("info", "judgement-form", message, "", f"column {context.column}")
