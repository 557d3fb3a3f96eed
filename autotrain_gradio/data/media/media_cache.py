"""Cache of the properties of media files, so that a check with another mapping or split opens no file again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

VERSION = b"3"
KEY = ("key", "size", "mtime_ns")
Key = tuple[str, int, int]
"""Name, size and modification time of a file (or file and row)."""
F = TypeVar("F")


class Scan(Generic[F]):
    """A Parquet file of facts about media files.

    fact: the `NamedTuple` of the facts. stamp: the cache is invalid if it was written with another one.
    """

    def __init__(self, path: Path, fact: type[F], stamp: str = "") -> None:
        self._path, fields = path, ",".join(fact._fields)  # type: ignore[attr-defined]
        self._metadata = {b"version": VERSION, b"stamp": stamp.encode(), b"fields": fields.encode()}
        self._known: dict[Key, F] = {}
        try:
            table = pq.read_table(path, memory_map=False)
        except (pa.ArrowInvalid, OSError):
            return  # missing, damaged or foreign: start with an empty cache
        if table.schema.metadata == self._metadata:
            for row in table.to_pylist():
                key = (row.pop("key"), row.pop("size"), row.pop("mtime_ns"))
                self._known[key] = fact(**row)

    def get(self, key: Key) -> F | None:
        """Return the cached facts of a file, or None."""
        return self._known.get(key)

    def write(self, found: Mapping[Key, F]) -> None:
        """Add facts, and write the file atomically."""
        self._known.update(found)
        rows: list[dict[str, Any]] = [
            dict(zip(KEY, key, strict=True)) | fact._asdict()  # type: ignore[attr-defined]
            for key, fact in self._known.items()
        ]
        partial = self._path.with_suffix(".partial")
        pq.write_table(pa.Table.from_pylist(rows, metadata=self._metadata), partial)
        os.replace(partial, self._path)
