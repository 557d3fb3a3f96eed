"""Files that a single table references, found without listing its folder, which can be large."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.data.files.arrow_files import as_media
from autotrain_gradio.data.files.tree import inside
from autotrain_gradio.data.layouts.embedded import BATCH, media_field, media_role
from autotrain_gradio.data.layouts.table_with_files import SUFFIXES, has_suffix, looks_like_url
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.tables.table_reader import read_sheet


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
        sheet = read_sheet(path, path.name)
    except (UserError, OSError):
        return own  # the layout that reads its rows reports the error
    suffixes, (_, asked) = request.media.suffixes, media_role(request)
    named: set[str] = set()
    for number, (name, column) in enumerate(zip(sheet.table.column_names, sheet.table.columns, strict=True)):
        # The first line may be a row, not a header.
        cells = [c for c in sheet.first[number : number + 1] if has_suffix(c, suffixes)] + column.to_pylist()
        if name not in asked and not any(has_suffix(cell, suffixes) for cell in cells):
            continue
        for cell in cells:
            text = "" if cell is None else str(cell).strip()
            if text and not looks_like_url(text):
                found = os.path.normpath(text.removeprefix(f"{path.parent}/").replace("\\", "/"))
                if not inside(found) or not (path.parent / found).is_file():
                    return None
                named.add(found)
    return own | named if named else None


def _holds_media(path: Path, request: Request) -> bool:
    """Return whether one of the first rows of a Parquet file has media inside."""
    with pq.ParquetFile(path) as file:
        name = media_field(file.schema_arrow, request)
        batch = next(file.iter_batches(BATCH, columns=[name]), None) if name else None
    cells = as_media(pa.chunked_array([batch.column(0)])) if batch is not None else None
    return cells is not None and cells.chunk(0).field("bytes").null_count < len(cells)
