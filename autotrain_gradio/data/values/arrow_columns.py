"""Columns of Arrow as numpy arrays: the distinct values, and which of them each row has."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.errors import DataError


def encode(column: pa.ChunkedArray) -> tuple[pa.Array, Any]:
    """Return the distinct values in order of their first row, and per row the number of its value (int32, -1: null)."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not len(column):
        return pa.array([], column.type), np.zeros(0, dtype=np.int32)
    encoded = column.dictionary_encode()
    # All chunks of an encoded column share the dictionary of the whole.
    codes = [np.asarray(chunk.indices.fill_null(-1)) for chunk in encoded.chunks]
    return encoded.chunks[-1].dictionary, np.concatenate(codes).astype(np.int32, copy=False)


def is_true(answer: pa.Array | pa.ChunkedArray) -> Any:
    """Return a boolean Arrow array as a numpy array; null is False."""
    filled = pc.fill_null(answer, False)
    return np.asarray(filled.combine_chunks() if isinstance(filled, pa.ChunkedArray) else filled)


def matches(text: pa.Array | pa.ChunkedArray, pattern: str, having: str = "") -> Any:
    """Return which texts a regular expression (RE2) matches, as numpy boolean values.

    having: characters of which every match has one: where no text has any, the slower expression is not needed.
    """
    if having and not any(pc.any(pc.match_substring(text, sign)).as_py() for sign in having):
        return np.zeros(len(text), dtype=bool)
    return is_true(pc.match_substring_regex(text, pattern))


def is_text(type_: pa.DataType) -> bool:
    """Return whether cells are text."""
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))


def is_list(type_: pa.DataType) -> bool:
    """Return whether cells are lists."""
    return bool(pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_))


def as_text(column: pa.ChunkedArray, names: list[str] | None = None) -> pa.ChunkedArray:
    """Return the cells as text: whole numbers without a point, dates as `shown`; nulls and empty cells are null.

    names: of classes, for a column of their numbers.
    """
    if is_text(column.type):
        return column
    if pa.types.is_null(column.type):
        return column.cast(pa.string())
    values, codes = encode(column) if not pa.types.is_nested(column.type) else (column, None)
    texts = pa.array([_text(v, names) for v in values.to_pylist()], pa.string())
    return pa.chunked_array([texts if codes is None else texts.take(pa.array(codes, mask=codes < 0))])


def _text(value: Any, names: list[str] | None) -> str | None:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    if names is not None and isinstance(value, int) and 0 <= value < len(names):
        return names[value]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return shown(value)


def shown(value: Any) -> str:
    """Write a cell for people: a moment as ISO 8601, without its time where that is midnight."""
    if not isinstance(value, datetime.datetime):
        return str(value)
    return value.isoformat(" ").removesuffix(" 00:00:00")


def pick(column: pa.ChunkedArray, rows: Any) -> pa.ChunkedArray:
    """Return the cells of these rows (numpy)."""
    return column.take(pa.array(rows, pa.int64()))


def blank(column: pa.ChunkedArray) -> Any:
    """Return per row of a column of text whether it is null, empty or all spaces (numpy)."""
    length = pc.fill_null(pc.binary_length(column), 0)
    return np.asarray(pc.or_(pc.equal(length, 0), pc.fill_null(pc.utf8_is_space(column), True)))


def stacked(tables: Iterable[pa.Table], what: str, where: str = "") -> pa.Table:
    """Put tables below each other; a column that one lacks is empty there.

    what: how the message calls them.

    Raises:
        DataError: a column has types that cannot be one.
    """
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise DataError(
            f"The {what} do not fit together: {error}.", "Give them the same columns.", where, "splits-differ"
        ) from None


def common_types(tables: Sequence[pa.Table]) -> dict[str, pa.DataType]:
    """Return column → the type in which the cells of all tables fit: of different ones, text."""
    types: dict[str, list[pa.DataType]] = {}
    for table in tables:
        for field in table.schema:
            known = types.setdefault(field.name, [])
            if not pa.types.is_null(field.type) and field.type not in known:
                known.append(field.type)
    return {name: _common(of) for name, of in types.items()}


def _common(types: list[pa.DataType]) -> pa.DataType:
    if not types:
        return pa.null()
    if len(types) == 1:
        return types[0]
    if all(pa.types.is_integer(t) or pa.types.is_floating(t) for t in types):
        return pa.float64() if any(pa.types.is_floating(t) for t in types) else pa.int64()
    if all(is_list(t) for t in types):
        return pa.list_(_common([t.value_type for t in types if not pa.types.is_null(t.value_type)]))
    if all(pa.types.is_timestamp(t) or pa.types.is_date(t) for t in types):
        return pa.timestamp("us")
    return pa.string()


def in_types(table: pa.Table, types: dict[str, pa.DataType]) -> pa.Table:
    """Return the table with its columns in these types."""
    columns = {}
    for name in table.column_names:
        column, wanted = table.column(name), types.get(name, table.schema.field(name).type)
        if column.type != wanted:
            column = as_text(column) if pa.types.is_string(wanted) else pc.cast(column, wanted, safe=False)
        columns[name] = column
    return pa.table(columns)


TEXT, INTEGER, NUMBER, BOOLEAN, OTHER = "text", "integer", "number", "boolean", "other"


def value_type(type_: pa.DataType) -> str:
    """Return the display name of an Arrow type: `text integer number boolean other`."""
    if pa.types.is_dictionary(type_):
        type_ = type_.value_type
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return TEXT
    if pa.types.is_integer(type_):
        return INTEGER
    if pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return NUMBER
    return BOOLEAN if pa.types.is_boolean(type_) else OTHER
