"""The kind `highlights`: a list of words with a label each, `sunny=weather, warm=weather`; a nested feature."""

from __future__ import annotations

import pyarrow as pa
from datasets import ClassLabel, List, Value

from autotrain_gradio.data.rows import Cells, Context


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Parse each cell into words and labels; a row without highlights has an empty list."""
    parsed = [[part.partition("=")[::2] for part in cell.split(",")] if cell else [] for cell in cells.to_pylist()]
    names = sorted({label.strip() for row in parsed for _, label in row})
    feature = List({"word": Value("string"), "label": ClassLabel(names=names)})
    values = [[{"word": word.strip(), "label": names.index(label.strip())} for word, label in row] for row in parsed]
    return Cells(values, [None] * len(values), feature=feature)
