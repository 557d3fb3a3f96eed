"""Reading Parquet and Arrow files as tables of values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.settings import Limits
from autotrain_gradio.data.files.arrow_files import open_parquet, open_table
from autotrain_gradio.data.tables.parquet_limits import expanded_bytes, read_batches, require_footer
from autotrain_gradio.data.tables.table_limits import require_bytes, require_columns, require_rows
from autotrain_gradio.data.tables.types import Sheet
from autotrain_gradio.data.values.arrow_columns import is_list, is_text


def read_arrow(path: Path, name: str, limits: Limits) -> Sheet:
    """Read a Parquet or an Arrow file; columns of files are not read: they may be large.

    Raises:
        DataError: it is damaged or too large.
    """
    if path.suffix.lower() == ".arrow":
        table = open_table(path, limits.table_bytes)
        require_rows(table.num_rows, name, limits)
        require_columns(table.num_columns, name, limits)
        return sheet_of(table.select([f.name for f in table.schema if is_value(f.type)]), name, limits)
    with open_parquet(path, name) as file:
        require_footer(file, name, limits)
        schema = file.schema_arrow
        columns = [f.name for f in schema if is_value(f.type)]
        if not columns:
            return sheet_of(file.read(columns=[]), name, limits)  # a number of rows
    wanted = pa.schema([schema.field(n) for n in columns], schema.metadata)
    texts = [n for n in columns if is_text(schema.field(n).type)]
    with open_parquet(path, name, read_dictionary=texts) as file:
        parts = [pa.Table.from_batches([b]).cast(wanted) for b in read_batches(file, columns, name, limits)]
        table = pa.concat_tables(parts) if parts else wanted.empty_table()
    return sheet_of(table, name, limits)


def sheet_of(table: pa.Table, name: str, limits: Limits) -> Sheet:
    """Return a table as a sheet; columns encoded by a dictionary, or whose texts are views, become plain ones."""
    for k, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            require_bytes(expanded_bytes(table.column(k)), name, limits.table_bytes, what="would take")
            table = table.set_column(k, field.name, table.column(k).cast(field.type.value_type))
        elif pa.types.is_string_view(field.type):
            table = table.set_column(k, field.name, table.column(k).cast(pa.large_string()))
    return Sheet(name, table, np.arange(1, table.num_rows + 1))


def is_value(type_: pa.DataType) -> bool:
    """Return whether cells are values, or lists or structs of values; files are not."""
    if is_list(type_):
        return is_value(type_.value_type)
    if pa.types.is_struct(type_):
        return type_.num_fields > 0 and all(is_value(field.type) for field in type_)
    return not pa.types.is_nested(type_) and not pa.types.is_binary(type_) and not pa.types.is_large_binary(type_)
