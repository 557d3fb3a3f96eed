"""Reading workbooks: Excel (.xlsx, .xlsm, .xls) and OpenDocument (.ods)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from autotrain_gradio.core.errors import DataError, Finding, Fix, did_you_mean
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import format_count, join_examples
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.tables.missing_header import SCANNED_ROWS, resolve_header
from autotrain_gradio.data.tables.types import (
    TITLE_ABOVE,
    ReadOptions,
    Sheet,
    column_names,
    empty_table,
    gather,
    header_only,
)
from autotrain_gradio.data.tables.workbook_limits import damaged_workbook, require_workbook
from autotrain_gradio.data.tables.worksheet_xml import Worksheet, scan_worksheet

Record = tuple[int, list[Any]]
"""Number of a row in the sheet, and its cells."""
Range = tuple[tuple[int, int], tuple[int, int]]
"""First and last row and column of merged cells, from 0."""
EPOCH = datetime.datetime(1899, 12, 30)
FIRST_SERIAL, LAST_SERIAL = 25_569, 73_050
"""Days from 1970 to 2099, as Excel counts them."""
DATE_NAME = re.compile(r"(^|[\W_])(date|datum|fecha)([\W_]|$)|Date$", re.IGNORECASE)


def read_excel(path: Path, name: str, options: ReadOptions, limits: Limits) -> Sheet:
    """Read a sheet of a workbook: the one of the name `wanted`, by default the first.

    Its header is the first row, unless `header_rows` finds another one. Merged cells are filled down. Formulas have the
    values that are saved in the file.

    Raises:
        DataError: the file is not a workbook, encrypted or too large, or the sheet is missing or empty.
    """
    wanted = options.sheet
    require_workbook(path, name, limits)
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        names = list(workbook.sheet_names)
        if wanted is not None and wanted not in names:
            message = f"The workbook has no sheet '{wanted}'."
            raise DataError(message, did_you_mean(wanted, names), "data.options.sheet", "sheet-missing")
        if not names:
            raise empty_table(name)
        chosen = wanted or _first_visible(workbook)
        found = workbook.get_sheet_by_name(chosen)
        cells = found.to_python(skip_empty_area=False)
        merged = found.merged_cell_ranges or []
    except (CalamineError, OSError, ValueError) as error:
        raise damaged_workbook(name, error) from None
    sheet = _sheet(cells, name, merged, scan_worksheet(path, chosen), options)
    sheet.sheet = chosen
    if not sheet.table.num_rows:
        raise header_only(name, sheet.table.column_names)
    if len(names) > 1 and wanted is None:
        others = [n for n in names if n != chosen]
        first = "the first one" if chosen == names[0] else "the first one that is not hidden"
        message = f"The workbook has {len(names)} sheets; {first}, '{chosen}', was loaded. The others: "
        message += f"{join_examples([repr(n) for n in others], limit=10)}."
        fix = Fix(f"Load '{others[0]}'", {"options": {"sheet": others[0]}}) if len(names) == 2 else None
        hint = "Choose another sheet with data.options.sheet."
        sheet.findings.append(Finding("info", "several-sheets", message, hint, name, fix))
    return sheet


def _first_visible(workbook: CalamineWorkbook) -> str:
    """Return the name of the first sheet of cells that is not hidden; without any, of the first sheet."""
    sheets = workbook.sheets_metadata
    cells = [s for s in sheets if s.typ == SheetTypeEnum.WorkSheet and s.visible == SheetVisibleEnum.Visible]
    return str((cells or sheets)[0].name)


def _sheet(rows: list[list[Any]], name: str, merged: Sequence[Range], facts: Worksheet, options: ReadOptions) -> Sheet:
    numbered = enumerate(([_cell(cell) for cell in row] for row in rows), 1)
    filled = [(n, cells) for n, cells in numbered if any(cell is not None for cell in cells)]
    if not filled:
        raise empty_table(name)
    header = resolve_header(filled[:SCANNED_ROWS], name, options)
    filled = filled[header.rows :]
    names = column_names(header.names, name, header.number)
    width = len(names)
    findings = [*header.findings, *_fill_down(filled, merged, names, name), *_read_serial_dates(filled, names, name)]
    findings += _hidden(filled, facts, name) + _uncalculated(filled, facts, names, name)
    # A column without a name and without cells is dropped.
    used = [k for k in range(width) if header.names[k] or any(cells[k] is not None for _, cells in filled)]
    table = gather([names[k] for k in used], ([cells[k] for k in used] for _, cells in filled))
    beyond = [f"row {n}" for n, cells in filled if any(cell is not None for cell in cells[width:])]
    hint = TITLE_ABOVE if width == 1 else "Give every column a name in the first row."
    text = "{n} {has} cells to the right of the header, which were skipped"
    findings += report_examples("warning", "row-too-long", text, beyond, "row", hint, name)
    first = [header.names[k] for k in used] if header.rows else []
    return Sheet(name, table, np.array([n for n, _ in filled], dtype=np.int64), findings, first=first)


def _fill_down(filled: list[Record], merged: Sequence[Range], names: Sequence[str], name: str) -> list[Finding]:
    """Give the value of merged cells to all rows that they span, and report them."""
    place = {number: k for k, (number, _) in enumerate(filled)}
    shown, last = [], dict[int, int]()  # column → last row that is done: the ranges of a damaged file may overlap
    for (top, column), (bottom, _) in sorted(merged, key=lambda r: (r[0][1], r[0][0])):
        begin, end = top + 1, min(bottom + 1, filled[-1][0] if filled else 0)
        value = filled[place[begin]][1][column] if begin in place and column < len(names) else None
        if value is None or end <= begin or begin <= last.get(column, 0):
            continue
        last[column] = end
        for number in range(begin + 1, end + 1):
            if number in place:
                filled[place[number]][1][column] = value
        shown.append(f"'{names[column]}', rows {begin} to {end}: {str(value)[:40]!r}")
    text = "{n} {has} several rows, and {its} value was used for all of them"
    return report_examples("info", "merged-cells", text, shown, "merged cell", "", name)


def _read_serial_dates(filled: list[Record], names: Sequence[str], name: str) -> list[Finding]:
    """Convert the numbers of columns of dates, which are days since 1900 without the format of a date."""
    shown = []
    for column, title in enumerate(names):
        cells = [cells[column] for _, cells in filled if cells[column] is not None]
        dates = sum(isinstance(cell, datetime.datetime) for cell in cells)
        serial = sum(map(_is_serial, cells))
        named = DATE_NAME.search(title) is not None and serial == len(cells)
        if not serial or dates + serial < len(cells) or not (named or dates):
            continue
        for number, row in filled:
            if _is_serial(row[column]):
                before, row[column] = row[column], EPOCH + datetime.timedelta(days=row[column])
                if serial:
                    shown.append(f"'{title}', row {number}: {before} is {row[column]:%Y-%m-%d}")
                    serial = 0
    text = "In {n} of dates numbers without the format of a date were read as days since 1900"
    hint = "Give the cells the format of a date if that is wrong, or another name to the column."
    return report_examples("warning", "serial-dates", text, shown, "column", hint, name)


def _is_serial(cell: Any) -> bool:
    return isinstance(cell, int | float) and FIRST_SERIAL <= cell <= LAST_SERIAL


def _hidden(filled: list[Record], facts: Worksheet, name: str) -> list[Finding]:
    """Report rows that Excel does not show, such as those that a filter hides."""
    hidden = set(facts.hidden)
    rows = [f"row {n}" for n, _ in filled if n in hidden]
    hint = "If they should not be used, delete them, or copy the visible rows to another sheet."
    return report_examples("warning", "hidden-rows", "{n} {is} hidden in the sheet, and used", rows, "row", hint, name)


def _uncalculated(filled: list[Record], facts: Worksheet, names: Sequence[str], name: str) -> list[Finding]:
    """Report formulas without a saved value, which count as missing."""
    rows = {number for number, _ in filled}
    shown, total = [], 0
    for column, numbers in sorted(facts.uncalculated.items()):
        if found := [n for n in numbers if n in rows]:
            title = names[column] if column < len(names) else f"column {column + 1}"
            shown.append(f"'{title}' ({len(found):,}, from row {found[0]} on)")
            total += len(found)
    if not shown:
        return []
    message = format_count("{n} {has} no saved value and {counts} as missing", total, "formula")
    hint = "The program that wrote the file has not calculated them: open it in Excel or LibreOffice and save it again."
    return [Finding("warning", "formulas-not-calculated", f"{message}: {join_examples(shown)}.", hint, name)]


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
