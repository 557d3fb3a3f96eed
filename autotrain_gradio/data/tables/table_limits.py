"""Limits of table files, which are checked before memory is allocated: a few kilobytes can ask for terabytes."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import MIB, format_bytes, pluralize

PYTHON_SHARE = 4
"""Readers that make a Python object of each cell may make so many times fewer cells."""
CHUNK = 8 * MIB
OBJECT_BYTES = 100
"""Approximate memory of a value of JSON as a Python object."""
SPLIT = "Split the file, or save it as Parquet."


def too_large(name: str, what: str, hint: str = SPLIT) -> DataError:
    """Return the error of a file that exceeds a limit."""
    return DataError(f"The table {what}.", hint, name, "table-too-large")


def require_bytes(size: int, name: str, limit: int, *, what: str = "has") -> None:
    """Raise a DataError if a table has too many bytes. what: verb before the size."""
    if size > limit:
        raise too_large(name, f"{what} {format_bytes(size)}; the limit is {format_bytes(limit)}")


def require_columns(columns: int, name: str, limits: Limits) -> None:
    """Raise a DataError if a table has too many columns."""
    if columns > limits.table_columns:
        hint = "Remove columns, or put related values into one."
        raise too_large(name, f"has more than {limits.table_columns:,} columns", hint)


def require_rows(rows: int, name: str, limits: Limits) -> None:
    """Raise a DataError if a table has too many rows."""
    if rows > limits.table_rows:
        raise too_large(name, f"has {pluralize(rows, 'row')}; the limit is {limits.table_rows:,}", "Use fewer rows.")


def require_cells(
    rows: int, columns: int, name: str, limits: Limits, *, python: bool = False, hint: str = SPLIT
) -> None:
    """Raise a DataError if a table has too many cells. python: each becomes a Python object."""
    limit = limits.table_cells // (PYTHON_SHARE if python else 1)
    if rows * columns > limit:
        raise too_large(name, f"has {rows:,} × {columns:,} cells; the limit is {limit:,}", hint)


def require_json(text: str, name: str, limits: Limits) -> None:
    """Raise a DataError if the objects of a JSON text would need too much memory.

    The estimate: the text is there twice, and each value is an object.
    """
    values = text.count(",") + text.count("{") + text.count("[") + text.count(":")
    needed, limit = 2 * len(text) + OBJECT_BYTES * values, 2 * limits.table_bytes
    if needed > limit:
        raise too_large(
            name,
            f"would need about {format_bytes(needed)} of memory as one JSON value; the limit is {format_bytes(limit)}",
            "Save it as one object a line (.jsonl), or as Parquet.",
        )


def add_names(known: set[str], row: Mapping[str, Any], name: str, limits: Limits) -> None:
    """Add the names of a row of objects, nested ones included, to those of the rows before.

    Raises:
        DataError: there are too many different ones.
    """
    known.update(_paths(row))
    if len(known) > limits.table_columns:
        what = f"has more than {limits.table_columns:,} different names of values"
        raise too_large(name, what, "Use the same names in each row; put what varies into a list of values.")


def _paths(row: Mapping[str, Any]) -> Iterable[str]:
    waiting: list[tuple[str, Any]] = [("", row)]
    while waiting:
        prefix, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(prefix, item) for item in value if isinstance(item, dict | list)]
            continue
        for key, item in value.items():
            path = f"{prefix}{key}"
            yield path
            if isinstance(item, dict | list):
                waiting.append((f"{path}.", item))


class LineCount(NamedTuple):
    """What a scan of the bytes of a delimited text shows.

    lines: number of line breaks. zeros, returns: whether there are zero bytes, and carriage returns.
    """

    lines: int
    zeros: bool
    returns: bool


def count_lines(path: Path, name: str, delimiter: str, codec: str, limits: Limits) -> LineCount:
    """Scan a delimited text once, before it is parsed.

    Raises:
        DataError: a line has more cells than a table may have columns.
    """
    # UTF-16 is decoded: the bytes of a line break and of a comma are in other characters too.
    decoder = (
        codecs.getincrementaldecoder(codec)("replace") if codec.lower().replace("_", "-")[:6] == "utf-16" else None
    )
    mark = delimiter.encode()
    quoted = re.compile(rb'(^|%s)"(?:[^"]|"")*"' % re.escape(mark), re.MULTILINE)
    lines = carried = 0
    zeros = returns = False

    def cells(piece: bytes) -> int:
        return piece.count(mark) if len(piece) <= limits.table_columns else quoted.sub(b"", piece).count(mark)

    def require(count: int) -> None:
        require_columns(count + 1, name, limits)

    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            if decoder is not None:
                chunk = decoder.decode(chunk).encode("utf-8", "replace")
            zeros, returns = zeros or b"\0" in chunk, returns or b"\r" in chunk
            ends = np.flatnonzero(np.frombuffer(chunk, np.uint8) == ord("\n"))
            lines += len(ends)
            if not len(ends):
                carried += cells(chunk)
                require(carried)
                continue
            require(carried + cells(chunk[: ends[0]]))
            for k in np.flatnonzero(np.diff(ends) > limits.table_columns):
                require(cells(chunk[ends[k] + 1 : ends[k + 1]]))
            carried = cells(chunk[ends[-1] + 1 :])
            require(carried)
    return LineCount(lines, zeros, returns)
