"""Workbooks as people make them: titles, headers of two rows, merged cells, formulas that were never calculated."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from tests.cases.conftest import CheckCase, Checked, check_path

CLASSES, NUMBERS = "tabular-classification", "tabular-regression"


def test_header_of_two_rows_is_joined(check_case: CheckCase) -> None:
    found = check_case("13-excel-two-headers", CLASSES, "plants.xlsx", columns={"target": "Result"})
    names = [c["name"] for c in found.result["columns"]]
    assert names == [
        *("Plant", "Measurements height (cm)", "Measurements leaves", "Measurements wet %", "Result"),
    ]
    assert "(1, 2)" in found.message("header-joined") and found.result["rows"] == 50 and not found.errors
    assert found.classes == ["healthy", "ill"]
    wet = next(c for c in found.result["columns"] if c["name"] == "Measurements wet %")
    assert wet["feature"] == "number" and wet["range"][0] >= 0 and wet["range"][2] <= 1


def test_title_above_the_header_is_skipped(check_case: CheckCase) -> None:
    found = check_case("13-excel-two-headers", CLASSES, "title-above.xlsx", columns={"target": "result"})
    assert [c["name"] for c in found.result["columns"]] == ["height", "leaves", "wet", "result"]
    assert "'Greenhouse results, spring'" in found.message("title-above") and found.result["rows"] == 50
    assert "row-too-long" not in found.codes() and not found.errors


def test_merged_labels_are_filled_down(check_case: CheckCase) -> None:
    task = "text-classification"
    found = check_case("14-excel-merged-labels", task, columns={"target": "group", "text": "answer text"})
    assert [label["rows"] for label in found.result["labels"]] == [12, 12, 12] and not found.errors
    assert "'group', rows 2 to 13: 'billing'" in found.message("merged-cells")


@pytest.mark.parametrize(
    "file, columns", [("feature-formula.xlsx", ["area"]), ("never-opened.xlsx", ["area", "class"])]
)
def test_formulas_that_were_never_calculated_are_named(check_case: CheckCase, file: str, columns: list[str]) -> None:
    message = check_case("15-excel-formulas", CLASSES, file).message("formulas-not-calculated")
    assert " more" not in message
    assert all(f"'{name}' (40, from row 2 on)" in message for name in columns)
    assert f"{40 * len(columns)} formulas have no saved value" in message and "save it again" in message


Fill = Callable[[Worksheet], object]
ROWS = 30


def write(folder: Path, rows: Sequence[Sequence[Any]], then: Fill = lambda sheet: None, name: str = "t.xlsx") -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    then(book.active)
    book.save(folder / name)
    return folder / name


def body(count: int = ROWS) -> list[list[Any]]:
    return [[i % 7, i * 0.5, "ab"[i % 3 > 0]] for i in range(count)]


def check(folder: Path, path: Path, task: str = CLASSES, **given: Any) -> Checked:
    return check_path(folder, task, path, **({"columns": {"target": "class"}} | given))


@pytest.mark.parametrize(
    "above, names, codes",
    [
        ([["size", "mass", "class"]], ["size", "mass", "class"], []),
        ([["Trial 2023"], [], ["size", "mass", "class"]], ["size", "mass", "class"], ["title-above"]),
        ([["Trial"], ["by", "Ann"], ["size", "mass", "class"]], ["size", "mass", "class"], ["title-above"]),
        ([["size", "mass", "class"], ["(cm)", "(g)", None]], ["size", "mass", "class"], ["units-row"]),
        (
            [[2023, None, "class"], ["size", "mass", None], ["cm", "g", None]],
            ["2023 size", "2023 mass", "class"],
            ["header-joined", "units-row"],
        ),
        (
            [["Notes"], ["Leaf", "Leaf", "class"], ["size", "mass", None]],
            ["Leaf size", "Leaf mass", "class"],
            ["header-joined", "title-above"],
        ),
    ],
    ids=["plain", "title and blank row", "two titles", "units", "two rows and units", "title and two rows"],
)
def test_rows_above_the_data(tmp_path: Path, above: list[list[Any]], names: list[str], codes: list[str]) -> None:
    found = check(tmp_path, write(tmp_path, [*above, *body()]))
    above_data = [c for c in found.codes() if c in {"title-above", "header-joined", "units-row"}]
    assert [c["name"] for c in found.result["columns"]] == names
    assert sorted(above_data) == codes and not found.errors and found.result["rows"] == ROWS


def test_a_header_of_three_rows_is_joined(tmp_path: Path) -> None:
    above = [
        ["Plant", None, None, None, "class"],
        ["Leaf", None, "Stem", None, None],
        ["size", "mass", "size", "mass", None],
    ]
    found = check(tmp_path, write(tmp_path, [*above, *([a, b, i, b / 2, c] for i, (a, b, c) in enumerate(body()))]))
    names = ["Plant Leaf size", "Plant Leaf mass", "Plant Stem size", "Plant Stem mass", "class"]
    assert [c["name"] for c in found.result["columns"]] == names and found.result["rows"] == ROWS


@pytest.mark.parametrize(
    "rows",
    [
        [["size", "name", "class"], *([i, f"n{i % 5}", "ab"[i % 2]] for i in range(ROWS))],
        [["word", "other", "class"], *([f"w{i % 9}", f"n{i % 5}", "ab"[i % 2]] for i in range(ROWS))],
        [["size", "mass", "class"], ["n/a", "?", "a"], *body(ROWS - 1)],
        [["size", "mass", "class"], ["unknown", 3, "a"], *body(ROWS - 1)],
    ],
    ids=["one row", "only words", "missing values first", "a word first"],
)
def test_the_first_row_of_data_is_not_taken_for_a_header(tmp_path: Path, rows: list[list[Any]]) -> None:
    found = check(tmp_path, write(tmp_path, rows))
    assert [c["name"] for c in found.result["columns"]] == rows[0] and found.result["rows"] == ROWS
    assert not {"title-above", "header-joined", "units-row"} & set(found.codes())


def test_merged_cells_are_filled_down_in_every_column_but_not_beyond(tmp_path: Path) -> None:
    def merge(sheet: Worksheet) -> None:
        for first in range(2, ROWS + 2, 3):
            sheet.merge_cells(f"A{first}:A{first + 1}")
        sheet.merge_cells("B2:B5")

    rows = [[i, i + 0.5, "ab"[i % 2]] for i in range(ROWS)]
    found = check(tmp_path, write(tmp_path, [["size", "mass", "class"], *rows], merge), valid_fraction=0)
    assert found.column("features:size")[:6] == [0, 0, 2, 3, 3, 5]
    assert found.column("features:mass")[:5] == [0.5, 0.5, 0.5, 0.5, 4.5]
    assert "11 merged cells have several rows" in found.message("merged-cells")


def test_hidden_rows_are_used_and_named(tmp_path: Path) -> None:
    def hide(sheet: Worksheet) -> None:
        for row in (3, 5):
            sheet.row_dimensions[row].hidden = True

    found = check(tmp_path, write(tmp_path, [["size", "mass", "class"], *body()], hide))
    assert "2 rows are hidden in the sheet, and used: row 3, row 5" in found.message("hidden-rows")
    assert found.result["rows"] == ROWS


def test_formulas_with_values_are_not_reported(tmp_path: Path) -> None:
    assert "formulas-not-calculated" not in check(tmp_path, write(tmp_path, [["a", "b", "class"], *body()])).codes()


def test_formulas_of_the_chosen_sheet_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path, [["a", "b", "class"], *body()])
    book = openpyxl.load_workbook(path)
    sheet = book.create_sheet("R & D")
    for row in [["a", "b", "class"], *([i, f"=A{i + 2}*2" if i % 2 else i * 2, "ab"[i % 3 > 0]] for i in range(ROWS))]:
        sheet.append(row)
    book.save(path)
    assert "formulas-not-calculated" not in check(tmp_path, path).codes()
    (tmp_path / "second").mkdir()
    found = check(tmp_path / "second", path, options={"sheet": "R & D"})
    assert "15 formulas" in found.message("formulas-not-calculated")


def test_a_hidden_sheet_is_not_taken_for_the_data(tmp_path: Path) -> None:
    path = write(tmp_path, [["notes"], ["made by Ann"], ["on Monday"]])
    book = openpyxl.load_workbook(path)
    book.create_sheet("rows")
    for row in [["a", "b", "class"], *body()]:
        book["rows"].append(row)
    book.active = 1
    book.worksheets[0].sheet_state = "hidden"
    book.save(path)
    found = check(tmp_path, path)
    assert found.result["rows"] == ROWS and not found.errors
    assert "the first one that is not hidden, 'rows', was loaded" in found.message("several-sheets")


@pytest.mark.parametrize("dates", [0, 20], ids=["all of a column named date", "some beside dates"])
def test_serial_numbers_in_a_column_of_dates_are_dates(tmp_path: Path, dates: int) -> None:
    first = datetime.datetime(2023, 3, 1)
    days = [first + datetime.timedelta(days=i) for i in range(ROWS)]
    cells = [d if i < dates else (d - datetime.datetime(1899, 12, 30)).days for i, d in enumerate(days)]
    rows = [[d, *row[1:]] for d, row in zip(cells, body(), strict=True)]
    found = check(tmp_path, write(tmp_path, [["date", "mass", "class"], *rows]), valid_fraction=0)
    assert found.column("features:date") == days
    assert "'date', row " in found.message("serial-dates")


def test_numbers_of_that_size_in_other_columns_stay_numbers(tmp_path: Path) -> None:
    rows = [["price", "mass", "class"], *([45000 + 7 * i, *row[1:]] for i, row in enumerate(body()))]
    found = check(tmp_path, write(tmp_path, rows))
    assert "serial-dates" not in found.codes() and found.column("features:price")[0] >= 45000
