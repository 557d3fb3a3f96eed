"""The rows of a small table as lists, for layouts that look at each cell."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.file_types import EXCEL_SUFFIXES, TEXT_SUFFIXES
from autotrain_gradio.data.tables.table_reader import read_sheet
from autotrain_gradio.data.tables.types import column_array

__all__ = ["SUFFIXES", "Table", "column_array", "looks_like_url", "read_table"]

SUFFIXES = (*TEXT_SUFFIXES, *EXCEL_SUFFIXES, ".parquet")


@dataclass
class Table:
    """Rows of one file: column → values, all of the same length; `number[i]` is the row as a spreadsheet counts."""

    name: str
    columns: dict[str, list[Any]] = field(default_factory=dict)
    number: list[int] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    """The cells of the first line of a CSV, which may turn out to be no header."""

    def without_header(self) -> Table:
        """Return the table with its first line as a row, and columns named by their number."""
        names = [f"column {k}" for k in range(1, len(self.first) + 1)]
        old = list(self.columns.values())
        columns = {n: [v or None, *rest] for n, v, rest in zip(names, self.first, old, strict=True)}
        return Table(self.name, columns, [1, *self.number], self.findings)


def read_table(path: Path, name: str) -> Table:
    """Read a table of any format, encoding and delimiter. Columns of lists are not read.

    name: how messages call the file.

    Raises:
        DataError: the file is not a table, too large, or damaged.
    """
    sheet = read_sheet(path, name)
    plain = [f.name for f in sheet.table.schema if path.suffix != ".parquet" or not pa.types.is_nested(f.type)]
    columns = {n: sheet.table.column(n).to_pylist() for n in plain}
    return Table(name, columns, sheet.number.tolist(), sheet.findings, sheet.first)


def looks_like_url(value: str) -> bool:
    """Say whether a cell is an address on the web."""
    return re.match(r"^[a-z][a-z0-9+.-]*://", value, re.IGNORECASE) is not None
