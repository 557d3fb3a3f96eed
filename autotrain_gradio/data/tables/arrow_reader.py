"""Reading Parquet and Arrow files as tables of values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from autotrain_gradio.data.files.arrow_files import open_parquet, open_table
from autotrain_gradio.data.tables.types import Sheet
from autotrain_gradio.data.values.arrow_columns import is_list


def read_arrow(path: Path, name: str) -> Sheet:
    """Read a Parquet or an Arrow file; columns of files are not read: they may be large.

    Raises:
        DataError: it is damaged.
    """
    if path.suffix.lower() == ".arrow":
        table = open_table(path)
        return sheet_of(table.select([f.name for f in table.schema if is_value(f.type)]), name)
    with open_parquet(path, name) as file:
        table = file.read(columns=[f.name for f in file.schema_arrow if is_value(f.type)])
    return sheet_of(table, name)


def sheet_of(table: pa.Table, name: str) -> Sheet:
    """Return a table as a sheet; columns encoded by a dictionary, or whose texts are views, become plain ones."""
    for k, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(k, field.name, table.column(k).cast(field.type.value_type))
        elif pa.types.is_string_view(field.type):
            table = table.set_column(k, field.name, table.column(k).cast(pa.large_string()))
    return Sheet(name, table, np.arange(1, table.num_rows + 1))


def is_value(type_: pa.DataType) -> bool:
    """Say whether cells are values, or lists or structs of values; files are not."""
    if is_list(type_):
        return is_value(type_.value_type)
    if pa.types.is_struct(type_):
        return type_.num_fields > 0 and all(is_value(field.type) for field in type_)
    return not pa.types.is_nested(type_) and not pa.types.is_binary(type_) and not pa.types.is_large_binary(type_)
