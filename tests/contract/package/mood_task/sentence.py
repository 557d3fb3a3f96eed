"""The kind `sentence`: text that is not empty."""

from __future__ import annotations

import pyarrow as pa

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.data.rows import Cells, Context


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Take the texts as they are; empty ones cannot be used, and say where they are."""
    values = cells.to_pylist()
    problems = [None if value else "sentence-empty" for value in values]
    empty = [context.locations[i] for i, problem in enumerate(problems) if problem and context.needed[i]]
    findings = [Finding("warning", "sentence-empty", "There is no sentence.", where=where) for where in empty]
    return Cells(values, problems, findings=findings)
