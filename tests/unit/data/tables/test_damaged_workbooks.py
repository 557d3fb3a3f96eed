"""A workbook whose limits cannot be checked is refused: damage of one sheet must not hide the size of another."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.data.tables.workbook_limits import require_workbook

SHEET = '<worksheet><sheetData><row r="1"><c r="A1"><v>1234567</v></c></row></sheetData></worksheet>'


def _workbook(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("xl/worksheets/sheet1.xml", SHEET)
        file.writestr("xl/worksheets/sheet2.xml", SHEET.replace('"A1"', '"XFD1048576"'))
    return path


def test_a_damaged_sheet_does_not_hide_the_next_one(tmp_path: Path) -> None:
    path = _workbook(tmp_path / "a.xlsx")
    with pytest.raises(DataError) as large:
        require_workbook(path, "a.xlsx", Limits())
    assert large.value.code == "table-too-large"
    path.write_bytes(path.read_bytes().replace(b"1234567", b"7654321", 1))  # the checksum of sheet1 is wrong
    with pytest.raises(DataError) as damaged:
        require_workbook(path, "a.xlsx", Limits())
    assert damaged.value.code == "workbook-damaged"
