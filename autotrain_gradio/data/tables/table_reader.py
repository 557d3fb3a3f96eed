"""Read one table file of any format into Arrow columns."""

from __future__ import annotations

import os
from pathlib import Path

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.file_types import ARROW_SUFFIXES, EXCEL_SUFFIXES
from autotrain_gradio.core.text_format import format_bytes
from autotrain_gradio.data.rows import Progress
from autotrain_gradio.data.tables.types import LARGEST, Sheet


def read_sheet(path: Path, name: str, progress: Progress | None = None, sheet: str | None = None) -> Sheet:
    """Read a table of any format, encoding and delimiter.

    name: how messages call the file. sheet: of a workbook; None: the first one.

    Raises:
        DataError: the file is not a table, too large, or damaged.
    """
    # The readers are loaded when they are needed: most data has one form.
    suffix = os.path.splitext(name)[1].lower() or path.suffix.lower()
    if suffix in ARROW_SUFFIXES:
        from autotrain_gradio.data.tables.arrow_reader import read_arrow

        return read_arrow(path, name)
    if path.stat().st_size > LARGEST:
        raise DataError(
            f"The table has {format_bytes(path.stat().st_size)}: too large to be read as text.",
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
