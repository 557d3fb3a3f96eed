"""Which rows have the same content, without comparing all of them with each other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.data.columns import encode, pick

THREADS = 2
PART = 50_000
"""Rows that are looked at together."""
_FACTORS = tuple(np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93))


def of_texts(texts: pa.ChunkedArray) -> Any:
    """Return per row the number of its text (numpy int64), -1 where no other row has the same one.

    Texts that differ only by case and spaces are the same.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        marks = list(pool.map(lambda part: _marks(_plain(part)), _parts(texts)))
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
    together = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        together *= _FACTORS[0]
        together += column.astype(np.int64).view(np.uint64)
        together ^= together >> np.uint64(29)
    rows = repeated(together)
    result = np.full(len(together), -1, dtype=np.int64)
    result[rows] = np.unique(together[rows], return_inverse=True)[1].reshape(-1)
    return result


def repeated(marks: Any) -> Any:
    """Return the rows whose mark another row has too, in their order."""
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


def _plain(texts: pa.Array) -> pa.Array:
    """Return texts in lower case, with one space for any number of them, and none around."""
    if texts.type != pa.string():
        texts = texts.cast(pa.string())
    data = _bytes(texts)
    letters = np.frombuffer(data, np.uint8)
    ascii_ = not len(letters) or bool(letters.max() < 128)
    texts = pc.ascii_lower(texts) if ascii_ else pc.utf8_lower(texts)
    if not ascii_ or (len(letters) and letters.min() < 32):
        texts = pc.replace_substring_regex(texts, r"[\s\v\pZ]+", " ")
    elif b"  " in data:
        while b"  " in _bytes(texts):  # several times as fast as a regular expression
            texts = pc.replace_substring(texts, "  ", " ")
    return pc.ascii_trim_whitespace(texts) if ascii_ else pc.utf8_trim_whitespace(texts)


def _bytes(texts: pa.Array) -> bytes:
    """Return the bytes of texts, one after the other."""
    data, offsets = texts.buffers()[2], texts.buffers()[1]
    if data is None or not len(texts):
        return b""
    ends = np.frombuffer(offsets, np.int32)[[texts.offset, texts.offset + len(texts)]]
    part: bytes = data.slice(int(ends[0]), int(ends[1] - ends[0])).to_pybytes()
    return part


def _marks(texts: pa.Array) -> Any:
    """Return a number for each text, made of its length and 40 of its bytes: the same for equal texts.

    A missing text has a number that no other row has.
    """
    count = len(texts)
    ends = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + count + 1].astype(np.int64)
    begins, lengths = ends[:-1] - ends[0], np.diff(ends)
    data = np.frombuffer(_bytes(texts) + b"\0" * 8, np.uint8)
    # Eight bytes from any place on, as one number: a view without a copy.
    words = np.ndarray((len(data) - 7,), "<u8", buffer=data, strides=(1,))
    room = np.maximum(lengths - 8, 0)
    short = np.minimum(lengths, 8).astype(np.uint64) * np.uint64(8)
    mask = np.where(short == 64, np.uint64(2**64 - 1), (np.uint64(1) << (short % np.uint64(64))) - np.uint64(1))
    result = lengths.astype(np.uint64) * _FACTORS[3]
    for part in range(5):
        result = (result ^ (words[begins + room * part // 4] & mask)) * _FACTORS[part % 3]
        result ^= result >> np.uint64(31)
    if texts.null_count:
        missing = np.asarray(texts.is_null())
        result[missing] = np.random.RandomState(0).randint(0, 2**62, int(missing.sum())).astype(np.uint64)
    return result
