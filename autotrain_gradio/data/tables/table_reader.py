"""Read one table file of any format into Arrow columns."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import format_bytes
from autotrain_gradio.data.files.arrow_files import open_parquet, open_table
from autotrain_gradio.data.rows import Progress
from autotrain_gradio.data.tables.csv_reader import read_csv
from autotrain_gradio.data.tables.excel_reader import read_excel
from autotrain_gradio.data.tables.json_reader import read_json_lines, read_json_list
from autotrain_gradio.data.tables.types import LARGEST, Sheet
from autotrain_gradio.data.values.arrow_columns import is_list

TEXT_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".txt")
EXCEL_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods")
ARROW_SUFFIXES = (".parquet", ".arrow")
SUFFIXES = (*TEXT_SUFFIXES, *EXCEL_SUFFIXES, *ARROW_SUFFIXES)


def read_sheet(path: Path, name: str, progress: Progress | None = None, sheet: str | None = None) -> Sheet:
    """Read a table of any format, encoding and delimiter.

    name: how messages call the file. sheet: of a workbook; None: the first one.

    Raises:
        DataError: the file is not a table, too large, or damaged.
    """
    suffix = os.path.splitext(name)[1].lower() or path.suffix.lower()
    size = path.stat().st_size
    if suffix in ARROW_SUFFIXES:
        return _read_arrow(path, name)
    if size > LARGEST:
        message = f"The table has {format_bytes(size)}: too large to be read as text."
        raise DataError(message, "Save it as Parquet.", name, "table-too-large")
    if suffix in EXCEL_SUFFIXES:
        return read_excel(path, name, sheet)
    if suffix == ".json":
        return read_json_list(path, name)
    if suffix in {".jsonl", ".ndjson"}:
        return read_json_lines(path, name)
    return read_csv(path, name, "\t" if suffix == ".tsv" else None, progress or _ignore_progress)


def _ignore_progress(message: str, fraction: float) -> None:
    return None


def _read_arrow(path: Path, name: str) -> Sheet:
    """Read the columns of values of a Parquet or an Arrow file; media can be large."""
    if path.suffix.lower() == ".arrow":
        table = open_table(path)
        table = table.select([f.name for f in table.schema if _is_value(f.type)])
    else:
        with open_parquet(path, name) as file:
            table = file.read(columns=[f.name for f in file.schema_arrow if _is_value(f.type)])
    schema = pa.schema([f.with_type(_plain_type(f.type)) for f in table.schema], table.schema.metadata)
    return Sheet(name, table.cast(schema), np.arange(1, table.num_rows + 1))


def _is_value(type_: pa.DataType) -> bool:
    """Return whether cells are values, or lists or structs of values; media are not."""
    if is_list(type_):
        return _is_value(type_.value_type)
    if pa.types.is_struct(type_):
        return type_.num_fields > 0 and all(_is_value(field.type) for field in type_)
    return not pa.types.is_nested(type_) and not pa.types.is_binary(type_) and not pa.types.is_large_binary(type_)


def _plain_type(type_: pa.DataType) -> pa.DataType:
    """Return the type of the values of a dictionary, and texts instead of views of texts."""
    if pa.types.is_dictionary(type_):
        return type_.value_type
    return pa.large_string() if pa.types.is_string_view(type_) else type_
