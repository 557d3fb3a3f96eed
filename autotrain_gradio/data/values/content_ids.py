"""Which rows have the same content: ids of texts and of rows of columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.data.values.arrow_columns import encode

COARSE = 0.2
"""Share of repeated rows up to which they always count as duplicates."""
TWINS = 0.05
"""Expected number of rows that equal a given row by chance: above, equal rows are not duplicates."""
FEW = 20
"""Minimum number of distinct rows to compare their counts."""
AS_OFTEN = 0.9
"""Share of distinct rows with the same count in a table whose rows were pasted twice."""
SAMPLE = 20_000
"""Rows of the sample that estimates how often cells of a column are equal."""

UNUSUAL_SPACES = r"[\s\v\pZ]{2}|[\t\n\v\f\r]|[^\PZ ]|^\s|\s$"
"""Whitespace other than single spaces between words."""


def of_texts(texts: pa.ChunkedArray) -> Any:
    """Return per row the id of its text (numpy int64), -1 where no other row has the same one.

    Texts that differ only by case and spaces are the same.
    """
    # Chunk by chunk: each step is a copy of the texts.
    chunks = [_normalized(chunk) for chunk in texts.cast(pa.string()).chunks]
    codes = encode(pa.chunked_array(chunks, pa.string()))[1]
    counts = np.bincount(codes[codes >= 0], minlength=1)
    return np.where((codes >= 0) & (counts[codes] > 1), codes, -1).astype(np.int64)


def _normalized(texts: pa.Array) -> pa.Array:
    lower = pc.utf8_lower(texts)
    if not pc.any(pc.match_substring_regex(lower, UNUSUAL_SPACES)).as_py():  # a fifth of the time of replacing them
        return lower
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(lower, r"[\s\v\pZ]+", " "))


def of_columns(columns: list[Any]) -> Any:
    """Return per row the id of its content (-1: of its own), given each column's cells as whole numbers."""
    rows = pd.DataFrame(dict(enumerate(columns)), copy=False)
    again = rows.duplicated(keep=False).to_numpy()
    found = np.full(len(rows), -1, dtype=np.int64)
    found[again] = rows[again].groupby(list(rows.columns), sort=False).ngroup()
    return found


def by_chance(content: Any, columns: Iterable[Any]) -> bool:
    """Return whether equal rows are coincidences, not duplicates, because the columns have few distinct values.

    content: per row the id of its content (-1: of its own). columns: cells as whole numbers. Two rows are expected
    to be equal as often as the cells of each column are, multiplied, as if no column depended on another.
    """
    if not len(content) or (content >= 0).mean() <= COARSE or _pasted_again(content):
        return False
    twins = float(len(content))
    for column in columns:
        counts = np.unique(column[:: max(1, len(column) // SAMPLE)], return_counts=True)[1].astype(np.float64)
        total = counts.sum()
        twins *= float((counts * (counts - 1)).sum() / max(1.0, total * (total - 1)))
    return twins > TWINS


def _pasted_again(content: Any) -> bool:
    """Return whether nearly all rows occur exactly twice, or three times, which is unlikely by chance."""
    times = np.bincount(content[content >= 0])
    times = times[times > 0]
    different = len(times) + int((content < 0).sum())
    return different >= FEW and max((times == 2).sum(), (times == 3).sum()) >= AS_OFTEN * different
