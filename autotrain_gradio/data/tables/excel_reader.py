"""Reading workbooks: Excel (.xlsx, .xlsm, .xls) and OpenDocument (.ods)."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from autotrain_gradio.core.errors import DataError, Finding, Fix, did_you_mean
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.tables.table_limits import DEFAULT
from autotrain_gradio.data.tables.types import (
    TITLE_ABOVE,
    Gathering,
    Sheet,
    column_names,
    empty_table,
    header_only,
)
from autotrain_gradio.data.tables.workbook_limits import require_workbook


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
            raise DataError(
                f"The workbook has no sheet '{wanted}'.",
                did_you_mean(wanted, names),
                "data.options.sheet",
                "sheet-missing",
            )
        if not names:
            raise empty_table(name)
        chosen = wanted or names[0]
        cells = workbook.get_sheet_by_name(chosen).to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError) as error:
        raise DataError(
            f"The workbook cannot be read: {error}.",
            "Save it again as .xlsx without a password, or as CSV.",
            name,
            "workbook-damaged",
        ) from None
    sheet = _sheet(cells, name)
    if not sheet.table.num_rows:
        raise header_only(name, sheet.table.column_names)
    if len(names) > 1 and wanted is None:
        sheet.findings.append(
            Finding(
                "info",
                "several-sheets",
                f"The workbook has {len(names)} sheets; the first one, '{chosen}', was loaded. The others: "
                f"{join_examples([repr(n) for n in names[1:]], limit=10)}.",
                "Choose another sheet with data.options.sheet.",
                name,
                Fix(f"Load '{names[1]}'", {"options": {"sheet": names[1]}}) if len(names) == 2 else None,
            )
        )
    return sheet


def _sheet(cells: list[list[Any]], name: str) -> Sheet:
    filled = [(n, row) for n, row in enumerate(cells, 1) if any(_cell(c) is not None for c in row)]
    if not filled:
        raise empty_table(name)
    number, record = filled[0]
    header = ["" if (c := _cell(cell)) is None else str(c).strip() for cell in record]
    names = column_names(header, name, number)
    header = header[: len(names)]
    filled = filled[1:]
    # A column without a name and without cells is dropped.
    used = [k for k, n in enumerate(header) if n or any(k < len(r) and _cell(r[k]) is not None for _, r in filled)]
    rows = Gathering([names[k] for k in used])
    beyond = []
    for n, row in filled:
        if any(_cell(c) is not None for c in row[len(header) :]):
            beyond.append(n)
        rows.add(n, [_cell(row[k]) if k < len(row) else None for k in used])
    sheet = Sheet(name, rows.table(), rows.number(), first=header)
    if beyond:
        sheet.findings.append(
            Finding(
                "warning",
                "row-too-long",
                f"Cells to the right of the header were skipped: "
                f"{join_examples([f'row {n}' for n in beyond[:5]], len(beyond))}.",
                TITLE_ABOVE if len(header) == 1 else "Give every column a name in the first row.",
                name,
            )
        )
    return sheet


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
