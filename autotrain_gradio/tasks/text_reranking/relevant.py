"""Cells that say whether a passage is relevant: truth values, or degrees that are rescaled to 0 to 1."""

from __future__ import annotations

import pyarrow as pa

from autotrain_gradio.data.kinds import similarity
from autotrain_gradio.data.kinds.similarity import profile
from autotrain_gradio.data.rows import Cells, Context

__all__ = ["inspect", "profile"]


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Parse the relevance; true is 1."""
    return similarity.inspect(cells.cast(pa.int8()) if pa.types.is_boolean(cells.type) else cells, context)
