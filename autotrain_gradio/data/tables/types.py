"""The result of the table readers, and Arrow columns from rows."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.values.arrow_columns import common_types, in_types
from autotrain_gradio.data.values.numbers import COMMA, THOUSANDS

BATCH = 20_000
"""Rows that are gathered before they become Arrow."""
BATCH_CELLS = 2_000_000
"""Cells that are gathered before they become Arrow."""
YES, NO = {"true", "yes", "1"}, {"false", "no", "0"}
TITLE_ABOVE = "If the first line is a title above the table, remove it: the names of the columns come first."


@dataclass(frozen=True)
class ReadOptions:
    """Options for reading a table; those that are not given are detected.

    sheet: of a workbook. encoding: of files that are not Unicode. header: whether the first row is one. quotes: whether
    they enclose cells of delimited text. decimal_mark: `,` or `.`. columns: names that its header should have, as the
    user or a model knows them.
    """

    sheet: str | None = None
    encoding: str = ""
    header: bool | None = None
    quotes: bool | None = None
    decimal_mark: str = ""
    columns: frozenset[str] = frozenset()

    @classmethod
    def of(cls, spec: DataSpec, columns: Iterable[str] = ()) -> ReadOptions:
        """Return what the spec says, and more names of columns.

        Raises:
            DataError: an option is neither true nor false.
        """
        named = [n for v in spec.columns.values() for n in ([v] if isinstance(v, str) else v)]
        sheet, header, quotes = (spec.options.get(name) for name in ("sheet", "header", "quotes"))
        answers = (_yes_or_no("header", header), _yes_or_no("quotes", quotes))
        mark = spec.options.get("decimal_mark", "")
        return cls(sheet, spec.encoding, *answers, mark, frozenset([*named, *columns]))


def _yes_or_no(option: str, value: Any) -> bool | None:
    text = str(value).strip().lower()
    if value is None or text in YES | NO:
        return None if value is None else text in YES
    where = f"data.options.{option}"
    raise DataError(f"'{value}' is neither true nor false.", "Write true or false.", where, "invalid-setting")


@dataclass
class Sheet:
    """Rows of one file.

    number: per row its number as a spreadsheet counts (numpy).
    skipped: reason → rows that could not be parsed.
    first: the cells of the first line, which may be a row instead of a header.
    sheet: name of the sheet, of a workbook. delimiter: of delimited text.
    notation: how 1,234 and 1.234 are meant (`numbers.parse`), if there are such numbers. example: the cell or delimiter
    that shows it; empty: nothing does.
    """

    name: str
    table: pa.Table
    number: Any
    findings: list[Finding] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)
    sheet: str = ""
    delimiter: str = ""
    notation: str = ""
    example: str = ""


def gather(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> pa.Table:
    """Return rows as a table, made in batches; a column of mixed types becomes text."""
    tables = []
    rows, size = iter(rows), max(1, min(BATCH, BATCH_CELLS // max(1, len(names))))
    while batch := list(itertools.islice(rows, size)):
        tables.append(pa.table([column_array(column) for column in zip(*batch, strict=True)], names))
    return concat_tables(tables or [pa.table({name: pa.array([], pa.string()) for name in names})])


def column_names(record: Sequence[str], name: str, row: int) -> list[str]:
    """Return the names of the columns that a header gives; one without a name is called by its number.

    Raises:
        DataError: two columns have the same name.
    """
    header = [cell.strip() for cell in record]
    while header and not header[-1]:
        header.pop()
    for cell, count in Counter(header).items():
        if cell and count > 1:
            message = f"Two columns have the name '{cell}'."
            raise DataError(message, "Rename one of them.", f"{name}, row {row}", "column-twice")
    return [n or f"column {k}" for k, n in enumerate(header, 1)]


def empty_table(name: str) -> DataError:
    """Return the error of a table without rows."""
    return DataError("The table is empty.", "Save it again with a header and its rows.", name, "table-empty")


def header_only(name: str, columns: Sequence[str]) -> DataError:
    """Return the error of a table that has names of columns, and nothing below them."""
    message = f"The table has a header ({join_examples(list(columns))}) and no rows."
    return DataError(message, "Save it again with its rows.", name, "table-header-only")


def concat_tables(tables: Sequence[pa.Table]) -> pa.Table:
    """Concatenate tables; a column that one lacks is empty there, one of several types becomes text."""
    types = common_types(tables)
    return pa.concat_tables([in_types(t, types) for t in tables], promote_options="default")


def column_array(values: Sequence[Any]) -> pa.Array:
    """Return values of one column as an Arrow array; of mixed types, all as text."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        texts = [_as_text(value) for value in values]
    if any(isinstance(value, float) for value in values):  # their texts have a decimal point: 1.234 beside 12,50
        texts = [_with_point(text) if isinstance(v, str) else text for v, text in zip(values, texts, strict=True)]
    return pa.array(texts, pa.string())


def _with_point(text: str | None) -> str | None:
    """Write a number with a decimal comma, such as 1.234,5, with a point; 1,234 may be a thousand."""
    if text is None or not re.fullmatch(COMMA, text) or re.fullmatch(THOUSANDS, text):
        return text
    return re.sub("[. ]", "", text).replace(",", ".")


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and math.isnan(value):
        return None
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
