"""Which rows have the same content, without comparing all of them with each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.data.values.arrow_columns import THREADS, encode, pick

PART = 20_000
"""Rows that are looked at together: mostly not more than a processor's cache holds."""
COARSE = 0.2
"""Share of rows that are there several times up to which they are copies, whatever their columns hold."""
TWINS = 0.05
"""Rows equal to any row that chance alone lets expect: with more of them, equal rows are no copies."""
FEW = 20
"""Different rows from which something can be said of how often each is there."""
AS_OFTEN = 0.9
"""Share of the different rows that are there equally often in a table whose rows were pasted again."""
LOOKED_AT = 20_000
"""Rows by which it is estimated how often the cells of a column are equal."""
_FACTORS = tuple(np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93))


def of_texts(texts: pa.ChunkedArray) -> Any:
    """Return per row the number of its text (numpy int64), -1 where no other row has the same one.

    Texts that differ only by case and spaces are the same.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        marks = list(pool.map(lambda part: _marks(part if _is_plain(part) else _plain(part)), _parts(texts)))
    rows = repeated(np.concatenate(marks)) if marks else np.zeros(0, dtype=np.int64)
    result = np.full(len(texts), -1, dtype=np.int64)
    if len(rows):
        # Texts with the same mark are mostly, not always, the same: these few are compared letter by letter.
        likely = pick(texts, rows)
        codes = encode(pa.chunked_array([_plain(part) for part in _parts(likely)], pa.string()))[1]
        counts = np.bincount(codes[codes >= 0], minlength=1)
        result[rows] = np.where((codes >= 0) & (counts[codes] > 1), codes, -1)
    return result


def of_columns(columns: list[Any]) -> Any:
    """Return per row the number of its content (-1: of its own), given each column's cells as whole numbers."""

    def marks(begin: int) -> Any:
        found = np.zeros(len(columns[0][begin : begin + PART]), dtype=np.uint64)
        for column in columns:
            found *= _FACTORS[0]
            found += column[begin : begin + PART].astype(np.int64, copy=False).view(np.uint64)
            found ^= found >> np.uint64(29)
        return found

    with ThreadPoolExecutor(THREADS) as pool:
        parts = list(pool.map(marks, range(0, len(columns[0]), PART)))
    together = np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint64)
    rows = repeated(together)
    result = np.full(len(together), -1, dtype=np.int64)
    result[rows] = np.unique(together[rows], return_inverse=True)[1].reshape(-1)
    return result


def by_chance(content: Any, columns: Iterable[Any]) -> bool:
    """Say whether equal rows are no copies, but chance: columns of few values leave no room for different ones.

    content: per row the number of its content (-1: of its own). columns: cells as whole numbers. Two rows are expected
    to be equal as often as the cells of each column are, multiplied, as if no column depended on another.
    """
    if not len(content) or (content >= 0).mean() <= COARSE or _pasted_again(content):
        return False
    twins = float(len(content))
    for column in columns:
        counts = np.unique(column[:: max(1, len(column) // LOOKED_AT)], return_counts=True)[1].astype(np.float64)
        total = counts.sum()
        twins *= float((counts * (counts - 1)).sum() / max(1.0, total * (total - 1)))
    return twins > TWINS


def _pasted_again(content: Any) -> bool:
    """Say whether nearly all rows stand there twice, or thrice: as often as each other, which chance does not do."""
    times = np.bincount(content[content >= 0])
    times = times[times > 0]
    different = len(times) + int((content < 0).sum())
    return different >= FEW and max((times == 2).sum(), (times == 3).sum()) >= AS_OFTEN * different


def repeated(marks: Any) -> Any:
    """Return the rows whose mark another row has too, in their order."""
    ordered = np.sort(marks)  # several times as fast as the order of them, which is seldom needed
    if not (ordered[1:] == ordered[:-1]).any():
        return np.zeros(0, dtype=np.int64)
    order = np.argsort(marks)
    same = marks[order][1:] == marks[order][:-1]
    twice = np.zeros(len(marks), dtype=bool)
    twice[order[1:][same]] = True
    twice[order[:-1][same]] = True
    return np.flatnonzero(twice)


def _parts(texts: pa.ChunkedArray) -> Iterator[pa.Array]:
    """Yield the texts in parts that need little memory."""
    for chunk in texts.chunks:
        for begin in range(0, len(chunk), PART):
            yield chunk.slice(begin, PART)


def _is_plain(texts: pa.Array) -> bool:
    """Say whether these texts are surely of ASCII letters and single spaces inside, so that only case may differ."""
    if texts.type != pa.string() or texts.null_count:
        return False
    letters, ends = _letters(texts)
    if not len(letters):
        return True
    if letters.view(np.int8).min() < 32:  # letters beyond ASCII are negative
        return False
    space = letters == 32
    filled = ends[1:] > ends[:-1]
    if space[ends[:-1][filled] - ends[0]].any() or space[ends[1:][filled] - ends[0] - 1].any():
        return False
    return not (space[1:] & space[:-1]).any()


def _plain(texts: pa.Array) -> pa.Array:
    """Return texts in lower case, with one space for any number of them, and none around."""
    if texts.type != pa.string():
        texts = texts.cast(pa.string())
    letters = _letters(texts)[0]
    ascii_ = not len(letters) or bool(letters.max() < 128)
    texts = pc.ascii_lower(texts) if ascii_ else pc.utf8_lower(texts)
    if not ascii_ or (len(letters) and letters.min() < 32):
        texts = pc.replace_substring_regex(texts, r"[\s\v\pZ]+", " ")
    else:
        while b"  " in _letters(texts)[0].tobytes():  # several times as fast as a regular expression
            texts = pc.replace_substring(texts, "  ", " ")
    return pc.ascii_trim_whitespace(texts) if ascii_ else pc.utf8_trim_whitespace(texts)


def _letters(texts: pa.Array) -> tuple[Any, Any]:
    """Return the bytes of texts, one after the other, and where each begins and ends among those of the buffer."""
    data, offsets = texts.buffers()[2], texts.buffers()[1]
    if data is None or not len(texts):
        return np.zeros(0, dtype=np.uint8), np.zeros(1, dtype=np.int64)
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    return np.frombuffer(data, np.uint8)[ends[0] : ends[-1]], ends


_CASE = np.uint64(0x2020202020202020)
"""The bits by which small letters of ASCII differ from capital ones."""


def _marks(texts: pa.Array) -> Any:
    """Return a number for each text, made of its length and 40 of its bytes: the same for texts that differ by case.

    A missing text has a number that no other row has.
    """
    letters, ends = _letters(texts)
    if not len(letters):
        letters, ends = np.zeros(0, dtype=np.uint8), np.zeros(len(texts) + 1, dtype=np.int64)
    begins, lengths = ends[:-1] - ends[0], np.diff(ends)
    # Eight bytes from any place on, as one number: a view without a copy. At the end there must be eight more.
    data = texts.buffers()[2]
    if data is None or ends[-1] + 8 > data.size:
        letters = np.concatenate((letters, np.zeros(8, dtype=np.uint8)))
    else:
        letters = np.frombuffer(data, np.uint8)[ends[0] : ends[-1] + 8]
    words = np.ndarray((len(letters) - 7,), "<u8", buffer=letters, strides=(1,))
    room = np.maximum(lengths - 8, 0)
    result = lengths.astype(np.uint64) * _FACTORS[3]
    short = np.flatnonzero(lengths < 8)
    kept = (np.uint64(1) << (lengths[short] * 8).astype(np.uint64)) - np.uint64(1)
    for part in range(5):
        word = words[begins + (room * part >> 2)]
        word[short] &= kept  # of a short text no more than its own bytes
        word |= _CASE
        result ^= word
        result *= _FACTORS[part % 3]
        result ^= result >> np.uint64(31)
    if texts.null_count:
        missing = np.asarray(texts.is_null())
        result[missing] = np.random.RandomState(0).randint(0, 2**62, int(missing.sum())).astype(np.uint64)
    return result
