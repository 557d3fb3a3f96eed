"""Cache of the properties of media files, so that a check with another mapping or split opens no file again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

VERSION = b"2"
KEY = ("key", "size", "mtime_ns")


class Scan:
    """A table keyed by name, size and modification time of a file (or file and row).

    fields: name → Arrow type of each cached property.
    stamp: the cache is invalid if it was written with another one.
    """

    def __init__(self, path: Path, fields: dict[str, pa.DataType], stamp: str = "") -> None:
        self._path, self._stamp = path, stamp
        self._schema = pa.schema(
            [("key", pa.string()), ("size", pa.int64()), ("mtime_ns", pa.int64()), *fields.items()],
            metadata={b"version": VERSION, b"stamp": stamp.encode()},
        )
        self._names = tuple(fields)
        self._known: dict[tuple[str, int, int], tuple[Any, ...]] = {}
        self._read()

    def _read(self) -> None:
        if not self._path.is_file():
            return
        try:
            table = pq.read_table(self._path, memory_map=False)
        except (pa.ArrowInvalid, OSError):
            return  # a damaged or foreign file: start with an empty cache
        if not table.schema.equals(self._schema, check_metadata=True):
            return
        columns = [table.column(n).to_pylist() for n in (*KEY, *self._names)]
        self._known = {(row[0], row[1], row[2]): row[3:] for row in zip(*columns, strict=True)}

    def get(self, key: str, size: int, mtime_ns: int) -> tuple[Any, ...] | None:
        """Return the cached properties of a cell, in the order of the fields, or None."""
        return self._known.get((key, size, mtime_ns))

    def write(self, keys: Sequence[tuple[str, int, int]], rows: Sequence[tuple[Any, ...]]) -> None:
        """Add properties, and write the table atomically."""
        self._known.update(zip(keys, rows, strict=True))
        columns = list(zip(*(k + v for k, v in self._known.items()), strict=True)) or [()] * len(self._schema)
        arrays = [pa.array(c, t) for c, t in zip(columns, self._schema.types, strict=True)]
        partial = self._path.with_suffix(".partial")
        pq.write_table(pa.table(arrays, schema=self._schema), partial)
        os.replace(partial, self._path)
