"""Reading delimited text with Arrow, where nothing in the file is odd."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from autotrain_gradio.data.sheets import Sheet
from autotrain_gradio.errors import DataError

LONGEST_CELL = 1_000_000
"""Characters of a cell beyond which its row is left out."""
MANY_LINES = 500
"""Lines in one cell from which a quote may have been left open."""
BLOCK = 4 * 1024 * 1024
"""Bytes that are looked at, or parsed by one thread, at once."""


def header_of(record: list[str], name: str, row: int) -> list[str]:
    """Return the names of the columns; one without a name is called by its number."""
    header = [cell.strip() for cell in record]
    while header and not header[-1]:
        header.pop()
    twice = [n for n, c in Counter(header).items() if c > 1 and n]
    if twice:
        raise DataError(
            f"Two columns have the name '{twice[0]}'.", "Rename one of them.", f"{name}, row {row}", "column-twice"
        )
    return [n or f"column {k}" for k, n in enumerate(header, 1)]


def zeros(name: str) -> DataError:
    """Return the error of a file with zero bytes."""
    return DataError("The file holds zero bytes: it is no text table.", "Save it as CSV again.", name, "table-damaged")


def read_plain(path: Path, name: str, head: str, delimiter: str) -> Sheet | None:
    """Read a file in UTF-8; None where something is odd, so that it must be read row by row.

    head: how the file begins.

    Raises:
        DataError: there are zero bytes, or two columns have one name.
    """
    if "\r" in head.replace("\r\n", ""):
        return None
    first_line = head.partition("\n")[0].rstrip("\r")
    record = next(csv.reader([first_line], delimiter=delimiter, skipinitialspace=True), [])
    if first_line.count('"') % 2 or not any(c.strip() for c in record):
        return None
    names = header_of(record, name, 1)
    quotes = _quotes(path, name)
    if len(names) != len(record) or quotes is None or quotes % 2:
        return None
    try:
        table = pacsv.read_csv(
            pa.memory_map(str(path)),
            pacsv.ReadOptions(column_names=names, skip_rows=1, block_size=BLOCK),
            pacsv.ParseOptions(delimiter=delimiter, quote_char='"' if quotes else False, newlines_in_values=quotes > 0),
            pacsv.ConvertOptions(column_types={n: pa.string() for n in names}, strings_can_be_null=False),
        )
    except pa.ArrowInvalid:
        return None  # ragged rows, blank lines, bytes that are no UTF-8, a cell as long as a block
    columns = []
    for column in table.columns:
        longest = pc.max(pc.binary_length(column)).as_py() or 0
        if longest > LONGEST_CELL:
            return None
        if longest > MANY_LINES and quotes:
            long = column.filter(pc.greater(pc.binary_length(column), MANY_LINES))
            if (pc.max(pc.count_substring(long, "\n")).as_py() or 0) > MANY_LINES:
                return None
        if pc.any(pc.starts_with(column, " ")).as_py():
            if quotes:
                return None  # spaces before a quote: what is inside the quotes keeps its own
            column = pc.utf8_ltrim(column, " ")
        nothing = pc.or_(pc.equal(column, ""), pc.utf8_is_space(column))
        columns.append(pc.if_else(nothing, None, column) if pc.any(nothing).as_py() else column)
    table = pa.table(columns, names=names)
    number = np.arange(2, table.num_rows + 2)
    bare = _bare(table)
    if bare.any():
        table, number = table.filter(pa.array(~bare)), number[~bare]
    return Sheet(name, table, number, first=[cell.strip() for cell in record])


def _quotes(path: Path, name: str) -> int | None:
    """Return the number of quotes in a file; None where a blank line stands before other lines: it would not count."""
    quotes = 0
    blank = False
    buffer = bytearray(BLOCK + 3)  # the first three bytes are the last ones of the block before
    room = memoryview(buffer)[3:]
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(room):
            end = size + 3
            if buffer.find(b"\0", 3, end) >= 0:
                raise zeros(name)
            if blank and buffer[3:end].strip():
                return None
            quotes += buffer.count(b'"', 3, end)
            place = buffer.find(b"\n\n", 0, end)
            if place < 0:
                place = buffer.find(b"\n\r\n", 0, end)
            if place >= 0:
                if buffer[place:end].strip():
                    return None
                blank = True
            buffer[0:3] = buffer[size:end]
    return quotes


def _bare(table: pa.Table) -> Any:
    """Return per row whether no cell has anything in it."""
    nothing = np.ones(table.num_rows, dtype=bool)
    for column in table.columns:
        if not nothing.any():
            break
        nothing &= np.asarray(column.is_null().combine_chunks()) if column.null_count else False
    return nothing
