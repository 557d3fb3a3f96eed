"""Files that a single table references, found without listing its folder, which can be large."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.data.files.tree import inside
from autotrain_gradio.data.layouts.embedded import media_field
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.tables.small_table import SUFFIXES, Table, looks_like_url, read_table


def beside(path: Path, request: Request) -> frozenset[str] | None:
    """Return the files of the data if its path is one file: the file itself, and the files that its cells reference.

    path: a file. Its cells hold paths relative to its folder, or absolute paths below it.

    Returns paths relative to the file's folder; None if that folder must be listed: a cell references a file outside
    of it, a missing one or one without its extension, or the file is not a table.
    """
    own = frozenset({path.name})
    if request.media is None:
        return own
    if path.suffix.lower() not in SUFFIXES:
        return None
    try:
        if path.suffix.lower() == ".parquet" and _holds_media(path, request):
            return own
        table = read_table(path, path.name)
    except (UserError, OSError):
        return own  # the layout that reads its rows reports the error
    named: set[str] = set()
    for values in _columns(table, request):
        for value in values:
            if value is None or (text := str(value).strip()) == "" or looks_like_url(text):
                continue
            found = _relative(text, path.parent)
            if found is None or not (path.parent / found).is_file():
                return None
            named.add(found)
    return own | named if named else None


def _holds_media(path: Path, request: Request) -> bool:
    """Whether a Parquet file has media inside, by the counts in its footer."""
    file = pq.ParquetFile(path)
    name = media_field(file.schema_arrow, request)
    if name is None:
        return False
    for group in range(file.metadata.num_row_groups):
        columns = file.metadata.row_group(group)
        for number in range(columns.num_columns):
            column = columns.column(number)
            if column.path_in_schema in {name, f"{name}.bytes"} and column.statistics is not None:
                return bool(column.statistics.null_count < column.num_values)
    return False


def _columns(table: Table, request: Request) -> list[list[Any]]:
    """Return the cells of the columns that seem to reference files, or that the spec maps to the media role."""
    assert request.media is not None  # the caller has seen it
    role = next(c.role for c in request.columns if c.kind == request.media)
    asked = request.spec.columns.get(role) or []
    suffixes = request.media.suffixes
    found = []
    for number, (name, values) in enumerate(table.columns.items()):
        first = table.first[number : number + 1]  # the first line may be a row, not a header
        cells = [*(x for x in first if x.strip().lower().endswith(suffixes)), *values]
        if name in ([asked] if isinstance(asked, str) else asked) or any(
            isinstance(v, str) and v.strip().lower().endswith(suffixes) for v in cells
        ):
            found.append(cells)
    return found


def _relative(text: str, folder: Path) -> str | None:
    """Return the path in a cell relative to the table's folder; None if it is outside of that."""
    if text.startswith(f"{folder}/"):
        text = text[len(str(folder)) + 1 :]
    path = os.path.normpath(text.replace("\\", "/"))
    return path if inside(path) else None
