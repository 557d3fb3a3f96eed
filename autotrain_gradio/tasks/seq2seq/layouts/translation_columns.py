"""Columns of translations, such as `{"en": "Good morning.", "de": "Guten Morgen."}`: one column for each language.

Objects are structs in JSON and Parquet (the feature `Translation` of datasets), and texts in CSV.
"""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.rows import RawTables
from autotrain_gradio.data.values.arrow_columns import is_text
from autotrain_gradio.tasks.seq2seq.language_codes import language_of_name

TRANSLATION = "translation"
LOOKED_AT = 100
"""Cells in which objects written as text are looked for."""
WRITTEN = r"^\s*\{\s*[\"'][A-Za-z_-]{2,12}[\"']\s*:"
"""Pattern of an object written as text."""


def expand(raw: RawTables) -> RawTables:
    """Replace each column of translations by a column for each language, which is named after it."""
    names: dict[str, list[str]] = {}
    found = replace(raw, splits={split: _expanded(table, names) for split, table in raw.splits.items()})
    for column, languages in names.items():
        message = f"The column '{column}' holds translations: {join_examples(languages)}."
        hint = "Choose any two of them as source and target."
        found.findings.append(Finding("info", "translation-columns", message, hint, f"column {column}"))
    return found


def _expanded(table: pa.Table, names: dict[str, list[str]]) -> pa.Table:
    for column in table.column_names:
        cells = _parsed(column, table.column(column))
        if not _is_translation(column, cells.type):
            continue
        index = table.column_names.index(column)
        table = table.remove_column(index)
        for number in range(cells.type.num_fields):
            language = cells.type.field(number).name
            name = language if language not in table.column_names else f"{column}.{language}"
            table = table.add_column(index + number, name, pc.struct_field(cells, language))
            if name not in names.setdefault(column, []):
                names[column].append(name)
    return table


def _is_translation(column: str, type_: pa.DataType) -> bool:
    """Whether cells are objects of texts whose keys are languages, or any two keys in a column named translation."""
    if not pa.types.is_struct(type_) or type_.num_fields < 2:
        return False
    fields = list(type_)
    texts = all(is_text(field.type) or pa.types.is_null(field.type) for field in fields)
    return texts and (column.strip().lower() == TRANSLATION or all(language_of_name(field.name) for field in fields))


def _parsed(column: str, cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return objects that are written as text as structs; a cell that is not an object is null."""
    if not is_text(cells.type) or column.strip().lower() != TRANSLATION:
        return cells
    head = cells.slice(0, LOOKED_AT).drop_null()
    if not len(head) or not pc.all(pc.match_substring_regex(head, WRITTEN)).as_py():
        return cells
    values = [_object(value) for value in cells.to_pylist()]
    keys = list(dict.fromkeys(key for value in values for key in value or {}))
    texts = [None if value is None else {key: value.get(key) for key in keys} for value in values]
    return pa.chunked_array([pa.array(texts, pa.struct([(key, pa.string()) for key in keys]))])


def _object(text: str | None) -> dict[str, str] | None:
    for parse in (json.loads, ast.literal_eval):
        try:
            value: Any = parse(text or "")
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(value, dict):
            return {str(k): str(v) for k, v in value.items() if v is not None}
    return None
