"""The rows of one table file as Arrow columns, whatever form it has."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.rows import Progress
from autotrain_gradio.data.values.arrow_columns import common_types, in_types

TEXT_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".txt")
EXCEL_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods")
ARROW_SUFFIXES = (".parquet", ".arrow")
SUFFIXES = (*TEXT_SUFFIXES, *EXCEL_SUFFIXES, *ARROW_SUFFIXES)
LARGEST = 2 * 1024**3
"""Bytes of a text table beyond which it is refused: it would be held in memory."""
BATCH = 20_000
"""Rows that are gathered before they become Arrow."""

TITLE_ABOVE = "If the first line is a title above the table, remove it: the names of the columns come first."


@dataclass
class Sheet:
    """Rows of one file.

    number: per row its number as a spreadsheet counts (numpy).
    passed: reason → rows that could not be read.
    first: the cells of the first line of a CSV, which may turn out to be no header.
    formulas: columns in which a formula may stand; None: any of them.
    """

    name: str
    table: pa.Table
    number: Any
    findings: list[Finding] = field(default_factory=list)
    passed: Counter[str] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)
    formulas: list[str] | None = None


def read_sheet(path: Path, name: str, progress: Progress | None = None, sheet: str | None = None) -> Sheet:
    """Read a table, whatever its form, encoding and delimiter.

    name: how messages call the file. sheet: of a workbook; None: the first one.

    Raises:
        DataError: it is no table, too large, or damaged.
    """
    # The readers are loaded when they are needed: most data has one form.
    suffix = os.path.splitext(name)[1].lower() or path.suffix.lower()
    if suffix in ARROW_SUFFIXES:
        from autotrain_gradio.data.tables.arrow_reader import read_arrow

        return read_arrow(path, name)
    if path.stat().st_size > LARGEST:
        raise DataError(
            f"The table has {path.stat().st_size / 2**30:.1f} GiB: too large to be read as text.",
            "Save it as Parquet.",
            name,
            "table-too-large",
        )
    if suffix in EXCEL_SUFFIXES:
        from autotrain_gradio.data.tables.excel_reader import read_excel

        return read_excel(path, name, sheet)
    if suffix in {".jsonl", ".ndjson", ".json"}:
        from autotrain_gradio.data.tables.json_reader import read_json_lines, read_json_list

        return read_json_list(path, name) if suffix == ".json" else read_json_lines(path, name)
    from autotrain_gradio.data.tables.csv_reader import read_csv

    return read_csv(path, name, "\t" if suffix == ".tsv" else None, progress or _quiet)


def _quiet(message: str, fraction: float) -> None:
    return None


def empty(name: str) -> DataError:
    """Return the error of a table without rows."""
    return DataError("The table is empty.", "Save it again with a header and its rows.", name, "table-empty")


def header_only(name: str, columns: Sequence[str]) -> DataError:
    """Return the error of a table that has names of columns, and nothing below them."""
    return DataError(
        f"The table has a header ({join_examples(list(columns))}) and no rows.",
        "Save it again with its rows.",
        name,
        "table-header-only",
    )


class Gathering:
    """Rows that come one by one, made into Arrow columns a batch at a time."""

    def __init__(self, names: Sequence[str], kind: pa.DataType | None = None) -> None:
        """Begin without rows. kind: the type of all columns; None: what each batch's cells are."""
        self.names = list(names)
        self._kind = kind
        self._tables: list[pa.Table] = []
        self._rows: list[Sequence[Any]] = []
        self._number: list[int] = []
        self._numbers: list[Any] = []

    def add(self, number: int, row: Sequence[Any]) -> None:
        """Take a row of as many cells as there are names, or fewer."""
        self._rows.append(row)
        self._number.append(number)
        if len(self._rows) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Make what was gathered into Arrow."""
        if not self._rows:
            return
        width = len(self.names)
        rows = [r if len(r) == width else [*r, *[None] * (width - len(r))] for r in self._rows]
        columns = list(zip(*rows, strict=True)) or [()] * width
        arrays = [column_array(list(c)) if self._kind is None else pa.array(c, self._kind) for c in columns]
        self._tables.append(pa.table(arrays, names=self.names))
        self._numbers.append(np.array(self._number, dtype=np.int64))
        self._rows, self._number = [], []

    def table(self) -> pa.Table:
        """Return all rows; a column of several types becomes text, or numbers where they all are."""
        self.flush()
        if not self._tables:
            return pa.table({n: pa.array([], self._kind or pa.string()) for n in self.names})
        return together(self._tables)

    def number(self) -> Any:
        """Return the numbers of the rows."""
        return np.concatenate(self._numbers) if self._numbers else np.zeros(0, dtype=np.int64)


def together(tables: Sequence[pa.Table]) -> pa.Table:
    """Put tables below each other; a column that one lacks is empty there, one of several types becomes text."""
    types = common_types(tables)
    return pa.concat_tables([in_types(t, types) for t in tables], promote_options="default")


def column_array(values: list[Any]) -> pa.Array:
    """Return values of one column as an Arrow array; of mixed types, all as text."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        texts = [
            v
            if v is None or isinstance(v, str)
            else None
            if isinstance(v, float) and math.isnan(v)
            else json.dumps(v, ensure_ascii=False)
            if isinstance(v, list | dict)
            else str(v)
            for v in values
        ]
        return pa.array(texts, pa.string())
