"""Recognize pairs with a relation: their target is a class, not a measurement."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from autotrain_gradio.data.request import Request
from autotrain_gradio.tasks.sentence_transformers import pair_score

OF_SCORE = {0.0: pair_score.SURE, pair_score.UNLIKELY: pair_score.LIKELY, pair_score.LIKELY: pair_score.UNLIKELY}
"""Confidence that the target is a similarity → that it is a class; decimals are never classes."""


def recognize(columns: Mapping[str, list[pa.ChunkedArray]], request: Request) -> float:
    """Return the confidence that the target is a class: words, or up to three whole numbers."""
    return OF_SCORE.get(pair_score.recognize(columns, request), 0.0)
