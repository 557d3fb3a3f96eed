"""Reading workbooks: Excel (.xlsx, .xlsm, .xls) and OpenDocument (.ods)."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
from python_calamine import CalamineError, CalamineWorkbook

from autotrain_gradio.core.errors import DataError, Finding, Fix, did_you_mean
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.tables.table_limits import DEFAULT
from autotrain_gradio.data.tables.types import (
    TITLE_ABOVE,
    Sheet,
    column_names,
    empty_table,
    gather,
    header_only,
)
from autotrain_gradio.data.tables.workbook_limits import damaged_workbook, require_workbook


def read_excel(path: Path, name: str, wanted: str | None = None, limits: Limits = DEFAULT) -> Sheet:
    """Read a sheet of a workbook: the requested one, else the first. Its first row is the header.

    Formulas have the values that are saved in the file.

    Raises:
        DataError: the file is not a workbook, encrypted or too large, or the sheet is missing or empty.
    """
    require_workbook(path, name, limits)
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        names = list(workbook.sheet_names)
        if wanted is not None and wanted not in names:
            message = f"The workbook has no sheet '{wanted}'."
            raise DataError(message, did_you_mean(wanted, names), "data.options.sheet", "sheet-missing")
        if not names:
            raise empty_table(name)
        chosen = wanted or names[0]
        cells = workbook.get_sheet_by_name(chosen).to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError) as error:
        raise damaged_workbook(name, error) from None
    sheet = _sheet(cells, name)
    sheet.sheet = chosen
    if not sheet.table.num_rows:
        raise header_only(name, sheet.table.column_names)
    if len(names) > 1 and wanted is None:
        others = join_examples([repr(n) for n in names[1:]], limit=10)
        message = f"The workbook has {len(names)} sheets; the first one, '{chosen}', was loaded. The others: {others}."
        fix = Fix(f"Load '{names[1]}'", {"options": {"sheet": names[1]}}) if len(names) == 2 else None
        hint = "Choose another sheet with data.options.sheet."
        sheet.findings.append(Finding("info", "several-sheets", message, hint, name, fix))
    return sheet


def _sheet(rows: list[list[Any]], name: str) -> Sheet:
    numbered = enumerate(([_cell(cell) for cell in row] for row in rows), 1)
    filled = [(n, cells) for n, cells in numbered if any(cell is not None for cell in cells)]
    if not filled:
        raise empty_table(name)
    number, record = filled.pop(0)
    header = ["" if cell is None else str(cell).strip() for cell in record]
    names = column_names(header, name, number)
    width = len(names)
    # A column without a name and without cells is dropped.
    used = [k for k in range(width) if header[k] or any(cells[k] is not None for _, cells in filled)]
    table = gather([names[k] for k in used], ([cells[k] for k in used] for _, cells in filled))
    beyond = [f"row {n}" for n, cells in filled if any(cell is not None for cell in cells[width:])]
    hint = TITLE_ABOVE if width == 1 else "Give every column a name in the first row."
    text = "{n} {has} cells to the right of the header, which were skipped"
    found = report_examples("warning", "row-too-long", text, beyond, "row", hint, name)
    return Sheet(name, table, np.array([n for n, _ in filled], dtype=np.int64), found, first=[header[k] for k in used])


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)  # workbooks store all numbers as floats
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return datetime.datetime(value.year, value.month, value.day)
    if isinstance(value, datetime.time | datetime.timedelta):
        return str(value)
    return value
