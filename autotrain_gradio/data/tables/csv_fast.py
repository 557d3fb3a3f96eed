"""Reading delimited text with Arrow, where nothing in the file is odd."""

from __future__ import annotations

import csv
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.data.tables.table_reader import Sheet
from autotrain_gradio.data.values.arrow_columns import THREADS, begin_with, look

LONGEST_CELL = 1_000_000
"""Characters of a cell beyond which its row is left out."""
MANY_LINES = 500
"""Lines in one cell from which a quote may have been left open."""
BLOCK = 2 * 1024 * 1024
"""Bytes that are parsed by one thread at once."""
LOOKED_AT = 256 * 1024
"""Bytes that are looked at at once: as many as stay in a processor's cache."""


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
        DataError: two columns have one name.
    """
    if "\r" in head.replace("\r\n", ""):
        return None
    first_line = head.partition("\n")[0].rstrip("\r")
    record = next(csv.reader([first_line], delimiter=delimiter, skipinitialspace=True), [])
    if first_line.count('"') % 2 or not any(c.strip() for c in record):
        return None
    names = header_of(record, name, 1)
    if len(names) != len(record):
        return None
    read = _parse(pa.memory_map(str(path)).read_buffer(), names, delimiter, head)
    if read is None:
        return None
    table, signs = read
    if signs.quotes and _many_lines(table):
        return None
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda column: _cells(column, signs), table.columns))
    cells = [cell for cell in found if cell is not None]
    if len(cells) < len(found):
        return None
    formulas = [name for name, (_, formula) in zip(names, cells, strict=True) if formula]
    table = pa.table([column for column, _ in cells], names=names)
    number = np.arange(2, table.num_rows + 2)
    bare = _bare(table)
    if bare.any():
        table, number = table.filter(pa.array(~bare)), number[~bare]
    return Sheet(name, table, number, first=[cell.strip() for cell in record], formulas=formulas)


def _cells(column: pa.ChunkedArray, signs: _Signs) -> tuple[pa.ChunkedArray, bool] | None:
    """Return a column, null where there is nothing in a cell, and whether there may be formulas; None: it is odd."""
    seen = look(column)
    if seen.longest > LONGEST_CELL:
        return None
    formulas = begin_with(seen.first, "=")
    if begin_with(seen.first, " "):
        if signs.quotes:
            return None  # spaces before a quote: what is inside the quotes keeps its own
        column = pc.utf8_ltrim(column, " ")
        formulas = True  # what stands behind the spaces is not known
    return pc.if_else(pa.array(seen.empty), None, column) if seen.empty.any() else column, formulas


@dataclass
class _Signs:
    """What is counted in the bytes of a file: quotes and line ends, and whether there are zero bytes."""

    quotes: int = 0
    lines: int = 0
    zeros: bool = False


def _count(content: pa.Buffer) -> _Signs:
    """Count signs while Arrow parses the same bytes."""
    found = _Signs()
    letters = np.frombuffer(content, np.uint8)
    for begin in range(0, len(letters), LOOKED_AT):
        part = letters[begin : begin + LOOKED_AT]
        found.quotes += int(np.count_nonzero(part == ord('"')))
        found.lines += int(np.count_nonzero(part == ord("\n")))
        found.zeros = found.zeros or not part.all()
    return found


def _parse(content: pa.Buffer, names: list[str], delimiter: str, head: str) -> tuple[pa.Table, _Signs] | None:
    """Return the cells below the header as text, and the signs; None where something is odd.

    That no cell holds a line end is taken for granted first, since Arrow is then twice as fast, and proved by the
    number of rows: each takes one line end at least, so that as many rows as lines leave none for a cell.
    """
    content = content[: _end(content)]
    with ThreadPoolExecutor(1) as pool:
        counting = pool.submit(_count, content)
        whole = any(line.count('"') % 2 for line in head.split("\n")[:-1])
        table = _read(content, names, delimiter, whole)
        signs = counting.result()
    if signs.zeros or signs.quotes % 2:
        return None
    if not whole and signs.quotes and (table is None or table.num_rows != signs.lines):
        table = _read(content, names, delimiter, True)
    return None if table is None else (table, signs)


def _end(content: pa.Buffer) -> int:
    """Return where the last line that is not blank ends, without its line end."""
    end = content.size
    while end:
        rest = content[max(0, end - 4096) : end].to_pybytes()
        kept = len(rest.rstrip(b"\r\n"))
        end -= len(rest) - kept
        if kept:
            break
    return end


def _read(buffer: pa.Buffer, names: list[str], delimiter: str, lines_in_cells: bool) -> pa.Table | None:
    """Return the table below the header; None for ragged rows, blank lines, bytes that are no UTF-8, long cells."""
    # Where a block ends between the two signs of a line end inside a cell, Arrow loses the second: then one block.
    alone = lines_in_cells and b"\r\n" in buffer[:LOOKED_AT].to_pybytes()
    try:
        return pacsv.read_csv(
            pa.BufferReader(buffer),
            pacsv.ReadOptions(column_names=names, skip_rows=1, block_size=buffer.size + 1 if alone else BLOCK),
            pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=lines_in_cells, ignore_empty_lines=False),
            pacsv.ConvertOptions(column_types={n: pa.string() for n in names}, strings_can_be_null=False),
        )
    except pa.ArrowInvalid:
        return None


def _many_lines(table: pa.Table) -> bool:
    """Say whether a cell has so many lines that a quote may have been left open."""
    for column in table.columns:
        long = pc.greater(pc.binary_length(column), MANY_LINES)
        if pc.any(long).as_py() and (pc.max(pc.count_substring(column.filter(long), "\n")).as_py() or 0) > MANY_LINES:
            return True
    return False


def _bare(table: pa.Table) -> Any:
    """Return per row whether no cell has anything in it."""
    nothing = np.ones(table.num_rows, dtype=bool)
    for column in table.columns:
        if not nothing.any():
            break
        nothing &= np.asarray(column.is_null().combine_chunks()) if column.null_count else False
    return nothing
