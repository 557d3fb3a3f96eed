"""Cells that say whether a passage is relevant: truth values, or degrees that are rescaled to 0 to 1."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.data.kinds import similarity
from autotrain_gradio.data.kinds.similarity import profile
from autotrain_gradio.data.rows import Cells, Context
from autotrain_gradio.data.values.arrow_columns import encode, is_text
from autotrain_gradio.data.values.spellings import are_truth_values, fold, truth_value

__all__ = ["inspect", "profile"]

WORDS = {"relevant": 1, "irrelevant": 0, "not relevant": 0, "non-relevant": 0, "positive": 1, "negative": 0}
"""Other words for relevant and not relevant, folded."""


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Parse the relevance; true, yes and relevant are 1."""
    if pa.types.is_boolean(cells.type):
        cells = cells.cast(pa.int8())
    elif is_text(cells.type):
        cells = _truth_numbers(cells)
    found = similarity.inspect(cells, context)
    found.findings = [
        _of_one_value(finding, found) if finding.code == "one-value" else finding for finding in found.findings
    ]
    return found


def _of_one_value(finding: Finding, found: Cells) -> Finding:
    """Return the error that all passages are as relevant; if they are right, wrong ones can be mined for them."""
    if not pc.max(found.values).as_py():
        return replace(finding, hint="Add passages that answer their queries.")
    hint = "Add wrong passages; or leave the column out: then wrong passages are mined."
    return replace(finding, hint=hint, fix=Fix("Mine wrong passages", {"format": "pair"}))


def _truth_numbers(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return 1 and 0 for texts that all mean a truth value; else the texts."""
    distinct, codes = encode(cells)
    texts = [t for t in distinct.to_pylist() if t and t.strip()]
    if texts and all(fold(t) in WORDS for t in texts):
        numbers = {t: WORDS[fold(t)] for t in texts}
    elif are_truth_values(pc.utf8_trim_whitespace(pa.array(texts, pa.string()))):
        numbers = {t: int(bool(truth_value(t))) for t in texts}
    else:
        return cells
    values = pa.array([numbers.get(t) for t in distinct.to_pylist()], pa.int8())
    return pa.chunked_array([values.take(pa.array(codes, mask=codes < 0))])
