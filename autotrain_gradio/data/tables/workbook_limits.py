"""The size of the sheets of a workbook, found by a scan of their XML before a reader allocates all cells.

The reader makes a full rectangle of cells: one value in the cell XFD1048576 is 17 billion cells, which ends the
process.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import MIB
from autotrain_gradio.data.files.zip_directory import most_members
from autotrain_gradio.data.tables.table_limits import PYTHON_SHARE, require_bytes, require_cells, too_large
from autotrain_gradio.data.tables.worksheet_xml import column_number

CHUNK = 4 * MIB
HINT = "Delete empty rows and columns that have a format, below and beside the table, or save it as CSV."
TAG_BYTES = 4096
"""Longest tag that is found where two chunks meet."""
CELL = re.compile(
    rb"<(?:\w+:)?(?:c|dimension)\b[^<>]{0,2000}?\b(?:r|ref)\s*=\s*"
    rb"[\"'](?:[A-Z0-9]+:)?([A-Z]{1,3})([0-9]{1,7})[\"']"
)
ODS = re.compile(rb"<table:(table-row|table-cell|table)\b([^<>]{0,4000})>")
REPEATED = re.compile(rb"number-(?:rows|columns)-repeated\s*=\s*[\"']([0-9]{1,12})[\"']")
LARGEST_COLUMNS, LARGEST_ROWS = 16_384, 1_048_576


def require_workbook(path: Path, name: str, limits: Limits) -> None:
    """Check the unpacked size of a workbook and the cells of its sheets.

    Raises:
        DataError: it is too large, or damaged: what cannot be checked must not reach the reader of workbooks.
    """
    if not zipfile.is_zipfile(path):
        return  # .xls has at most 65,536 × 256 cells
    try:
        with path.open("rb") as raw:
            if most_members(raw, limits.archive_members) > limits.archive_members:
                raise too_large(name, "has too many parts", HINT)
        with zipfile.ZipFile(path) as file:
            size = sum(member.file_size for member in file.infolist())
            require_bytes(size, name, limits.table_bytes // PYTHON_SHARE, what="has, unpacked,")
            for member in file.infolist():
                lower = member.filename.lower()
                if "/worksheets/" in lower and lower.endswith(".xml"):
                    with file.open(member) as sheet:
                        require_cells(*_size_of_sheet(sheet), name, limits, python=True, hint=HINT)
                elif lower == "content.xml":
                    with file.open(member) as sheet:
                        for rows, columns in _sizes_of_ods(sheet):
                            require_cells(rows, columns, name, limits, python=True, hint=HINT)
    # zipfile raises RuntimeError for a password, and (NotImplementedError) for a compression that it does not know.
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise damaged_workbook(name, error) from None


def damaged_workbook(name: str, error: Exception) -> DataError:
    """Return the error of a workbook that cannot be read."""
    hint = "Save it again as .xlsx without a password, or as CSV."
    return DataError(f"The workbook cannot be read: {error}.", hint, name, "workbook-damaged")


def _size_of_sheet(sheet: IO[bytes]) -> tuple[int, int]:
    """Return (rows, columns) up to the last cell of a worksheet of Excel, or to what it says is its last one."""
    rows = columns = 0
    for text in _parts(sheet):
        for letters, number in CELL.findall(text):
            rows, columns = max(rows, int(number)), max(columns, column_number(letters))
    return rows, columns


def _sizes_of_ods(content: IO[bytes]) -> Iterator[tuple[int, int]]:
    """Yield (rows, columns) up to the last value of each table of an OpenDocument, repeated ones included."""
    rows = columns = row = column = repeated = 0
    for text in _parts(content):
        for tag, attributes in ODS.findall(text):
            found = REPEATED.search(attributes)
            times = int(found[1]) if found else 1
            if tag == b"table":
                yield rows, columns
                rows = columns = row = column = repeated = 0
            elif tag == b"table-row":
                row, column, repeated = row + repeated, 0, min(times, LARGEST_ROWS)
            else:
                column += min(times, LARGEST_COLUMNS)
                if b"value" in attributes or not attributes.rstrip().endswith(b"/"):
                    rows, columns = max(rows, row + repeated), max(columns, column)
    yield rows, columns


def _parts(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the text in parts that end after a tag."""
    rest = b""
    while chunk := stream.read(CHUNK):
        text = rest + chunk
        at = text.rfind(b">") + 1
        rest = text[at:][-TAG_BYTES:]
        yield text[:at]
