"""Read one table file of any format into Arrow columns."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.file_types import ARROW_SUFFIXES, EXCEL_SUFFIXES
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.data.rows import Progress, ignore_progress
from autotrain_gradio.data.tables.number_notation import UNCLEAR, detect_notation
from autotrain_gradio.data.tables.table_limits import require_bytes, require_rows
from autotrain_gradio.data.tables.types import ReadOptions, Sheet


def read_sheet(
    path: Path, name: str, limits: Limits, progress: Progress = ignore_progress, options: ReadOptions | None = None
) -> Sheet:
    """Read a table of any format, encoding and delimiter.

    name: how messages call the file. options: what is known about it.

    Raises:
        DataError: the file is not a table, too large, or damaged.
    """
    progress(f"Reading {name}", 0.0)  # if the process is killed, its caller names what it did last
    options = options or ReadOptions()
    found = _read(path, name, progress, options, limits)
    require_rows(found.table.num_rows, name, limits)
    detect_notation(found, options.decimal_mark)
    return found


def read_again(path: Path, name: str, options: ReadOptions, limits: Limits) -> Sheet:
    """Read a table of the form of another one; of a workbook the sheet of that name, else the first with a warning.

    options: as for the other one.

    Raises:
        DataError: as for `read_sheet`.
    """
    try:
        found = read_sheet(path, name, limits, options=options)
    except DataError as error:
        if error.code != "sheet-missing":
            raise
        found = read_sheet(path, name, limits, options=replace(options, sheet=None))
        _replace_sheet_finding(found, options.sheet or "", name)
    if not found.example:  # what the file leaves open, the other table has shown
        found.findings = [f for f in found.findings if f.code != UNCLEAR]
    return found


def _replace_sheet_finding(found: Sheet, sheet: str, name: str) -> None:
    several = [f for f in found.findings if f.code == "several-sheets"]
    if several:
        message = f"The workbook has no sheet '{sheet}', as the training data had; '{found.sheet}' was loaded."
        hint = f"Rename the sheet with the rows to '{sheet}', or save it as a workbook of its own."
        kept = [f for f in found.findings if f not in several]
        found.findings = [*kept, Finding("warning", "other-sheet", message, hint, name)]


def _read(path: Path, name: str, progress: Progress, options: ReadOptions, limits: Limits) -> Sheet:
    # The readers are loaded when they are needed: most data has one form.
    suffix = os.path.splitext(name)[1].lower() or path.suffix.lower()
    if suffix in ARROW_SUFFIXES:
        from autotrain_gradio.data.tables.arrow_reader import read_arrow

        return read_arrow(path, name, limits)
    require_bytes(path.stat().st_size, name, limits.table_bytes)
    if suffix in EXCEL_SUFFIXES:
        from autotrain_gradio.data.tables.excel_reader import read_excel

        return read_excel(path, name, options, limits)
    if suffix in {".jsonl", ".ndjson", ".json"}:
        from autotrain_gradio.data.tables.json_reader import read_json_lines, read_json_list

        read = read_json_list if suffix == ".json" else read_json_lines
        return read(path, name, limits, options.encoding)
    from autotrain_gradio.data.tables.csv_reader import read_csv

    return read_csv(path, name, "\t" if suffix == ".tsv" else None, progress, limits, options)
