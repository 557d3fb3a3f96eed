"""Recognize pairs with a similarity: their target is a number that takes many values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from autotrain_gradio.data.request import Request
from autotrain_gradio.data.values.numbers import parse
from autotrain_gradio.tasks.sentence_transformers.formats import TARGET

SURE, LIKELY, UNLIKELY = 0.95, 0.92, 0.7
FEW = 3
"""Number of distinct whole numbers up to which they are classes."""
NUMBERS = 0.9
"""Share of numbers from which a column is one of numbers."""


def recognize(columns: Mapping[str, list[pa.ChunkedArray]], request: Request) -> float:
    """Return the confidence that the target is a similarity: 0 if it holds no numbers."""
    found = parse(columns[TARGET][0])
    values = found.values[~np.isnan(found.values)]
    if len(values) <= NUMBERS * np.count_nonzero(~found.missing) or not len(values):
        return 0.0
    if (values != np.round(values)).any():
        return SURE
    return UNLIKELY if len(np.unique(values)) <= FEW else LIKELY
