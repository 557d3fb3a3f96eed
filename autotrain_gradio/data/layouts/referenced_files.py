"""The files that one table names, found without listing the folder that it lies in, which may hold anything."""

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
    """Return the files that matter when this one alone was asked for: itself, and what its cells name.

    path: a file. Cells name files relative to its folder, as they are written, or absolutely below it.

    Returns paths relative to the file's folder; None where only a look at everything below that folder tells:
    cells that name a file elsewhere, one that is not there or one without its extension, and files that are no tables.
    """
    own = frozenset({path.name})
    if request.media is None:
        return own
    if path.suffix.lower() not in SUFFIXES:
        return None
    try:
        if path.suffix.lower() == ".parquet" and _carries(path, request):
            return own
        table = read_table(path, path.name)
    except (UserError, OSError):
        return own  # whoever reads it for its rows says what is wrong with it
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


def _carries(path: Path, request: Request) -> bool:
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
    """Return the cells of the columns that seem to name files; those that the spec says are such in any case."""
    assert request.media is not None  # the caller has seen it
    role = next(c.role for c in request.columns if c.kind == request.media)
    asked = request.spec.columns.get(role) or []
    suffixes = request.media.suffixes
    found = []
    for number, (name, values) in enumerate(table.columns.items()):
        first = table.first[number : number + 1]  # it may be no header, but the first row
        cells = [*(x for x in first if x.strip().lower().endswith(suffixes)), *values]
        if name in ([asked] if isinstance(asked, str) else asked) or any(
            isinstance(v, str) and v.strip().lower().endswith(suffixes) for v in cells
        ):
            found.append(cells)
    return found


def _relative(text: str, folder: Path) -> str | None:
    """Return the path that a cell means, relative to the table's folder; None where it leads out of that."""
    if text.startswith(f"{folder}/"):
        text = text[len(str(folder)) + 1 :]
    path = os.path.normpath(text.replace("\\", "/"))
    return path if inside(path) else None
