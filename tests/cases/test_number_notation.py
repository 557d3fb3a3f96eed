"""How numbers are written is a property of a file: decided from all its columns, before files are joined."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cases.conftest import CheckCase, Checked, check_path

NUMBERS = "tabular-regression"
ROWS = 40


def test_notation_of_two_files(check_case: CheckCase) -> None:
    found = check_case("48-two-locales", NUMBERS, columns={"target": "units"})
    assert all(1000 <= units <= 9999 for units in found.column("target:units")) and not found.errors
    assert all(0 < revenue < 100 for revenue in found.column("features:revenue"))
    message = found.message("notations-differ")
    assert "decimal comma berlin.csv ('" in message and "decimal point boston.csv ('" in message


def test_notation_of_a_file_decided_by_its_other_columns(check_case: CheckCase) -> None:
    found = check_case("41-targets", NUMBERS, "comma.csv")
    assert all(0 < price < 10 for price in found.column("target:price"))
    assert not found.codes("error", "warning")


def test_notation_of_times_decided_by_the_delimiter(check_case: CheckCase) -> None:
    found = check_case("25-comma-times", "automatic-speech-recognition")
    assert found.result["splits"]["train"] >= 16 and not found.errors
    assert found.column("start")[:2] == [1.204, 3.809]
    message = found.message("decimal-mark-unclear")
    assert "'1,204' in 'begin', row 2" in message and "separated by ';'" in message


def csv(folder: Path, rows: Sequence[Sequence[str]], name: str = "t.csv", delimiter: str = ",") -> Path:
    quoted = [delimiter.join(f'"{c}"' if delimiter in c else c for c in row) for row in rows]
    (folder / name).write_text("\n".join(quoted) + "\n", encoding="utf-8")
    return folder / name


def check(folder: Path, path: Path, **given: Any) -> Checked:
    return check_path(folder, NUMBERS, path, **({"columns": {"target": "t"}, "valid_fraction": 0} | given))


DECIMALS = [f"{i % 9 + 1},{i * 37 % 1000:03}" for i in range(ROWS)]
"""Of three digits, as a scale writes them: 1,234."""


@pytest.mark.parametrize(
    "other, read",
    [
        ([f"{i % 7},5" for i in range(ROWS)], 1e-3),
        (["0,125", *["2"] * (ROWS - 1)], 1e-3),
        (["1.234.567", *["2"] * (ROWS - 1)], 1e-3),
        (["€ 12,50", *["€ 3"] * (ROWS - 1)], 1e-3),
        (["12,5 %", *["3 %"] * (ROWS - 1)], 1e-3),
        ([*["2"] * (ROWS - 1), "2.345,6"], 1e-3),
        ([f"{i % 7}.5" for i in range(ROWS)], 1.0),
        (["1,234,567", *["2"] * (ROWS - 1)], 1.0),
        (["$1,234.50", *["$3"] * (ROWS - 1)], 1.0),
        (["1.5e3", *["2"] * (ROWS - 1)], 1.0),
    ],
    ids=["decimals", "0,125", "two points", "euro", "percent", "last row", "point", "two commas", "dollar", "exponent"],
)
@pytest.mark.parametrize("delimiter", [",", "\t"], ids=["csv", "tsv"])
def test_one_column_decides_for_the_file(tmp_path: Path, delimiter: str, other: list[str], read: float) -> None:
    name = "t.tsv" if delimiter == "\t" else "t.csv"
    rows = [["mass", "other", "t"], *([d, o, str(i % 5)] for i, (d, o) in enumerate(zip(DECIMALS, other, strict=True)))]
    found = check(tmp_path, csv(tmp_path, rows, name, delimiter))
    assert found.column("features:mass") == pytest.approx([float(d.replace(",", "")) * read for d in DECIMALS])
    assert not {"decimal-mark-unclear", "two-decimal-marks"} & set(found.codes()) and not found.errors


@pytest.mark.parametrize(
    "cells, wanted",
    [
        (["1'234.50", "12.25", "1'000"], [1234.5, 12.25, 1000]),
        (["1’234,50", "12,25", "1’000"], [1234.5, 12.25, 1000]),
        (["1\u2009234,50", "12,25", "1\u2009000"], [1234.5, 12.25, 1000]),
        (["1\u00a0234.50", "12.25", "1\u202f000"], [1234.5, 12.25, 1000]),
        (["CHF 1'234.50", "CHF 12.25", "CHF 1'000"], [1234.5, 12.25, 1000]),
        (["12,34,567.50", "12.25", "1,000"], [1234567.5, 12.25, 1000]),
    ],
    ids=["Swiss", "Swiss with comma", "thin space", "no-break space", "francs", "lakhs"],
)
def test_marks_between_thousands(tmp_path: Path, cells: list[str], wanted: list[float]) -> None:
    rows = [["mass", "t"], *([cells[i % 3], str(i % 5)] for i in range(ROWS))]
    found = check(tmp_path, csv(tmp_path, rows))
    assert found.column("features:mass")[:3] == wanted


@pytest.mark.parametrize("delimiter, read", [(";", 1e-3), (",", 1.0), ("\t", 1.0)], ids=["semicolon", "comma", "tab"])
def test_a_notation_that_no_number_shows_can_be_changed(tmp_path: Path, delimiter: str, read: float) -> None:
    rows = [["mass", "t"], *([d, str(i % 5)] for i, d in enumerate(DECIMALS))]
    path = csv(tmp_path, rows, "t.tsv" if delimiter == "\t" else "t.csv", delimiter)
    found = check(tmp_path, path)
    values = [float(d.replace(",", "")) for d in DECIMALS]
    assert found.column("features:mass") == pytest.approx([v * read for v in values])
    unclear = next(f for f in found.result["findings"] if f["code"] == "decimal-mark-unclear")
    assert unclear["level"] == ("warning" if delimiter == "\t" else "info")
    assert "'1,000' in 'mass', row 2" in unclear["message"]
    (tmp_path / "again").mkdir()
    again = check(tmp_path / "again", path, **unclear["fix"]["change"])
    assert again.column("features:mass") == pytest.approx([v * (1e-3 if read == 1.0 else 1.0) for v in values])
    assert "decimal-mark-unclear" not in again.codes()


@pytest.mark.parametrize("type_", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())], ids=str)
def test_one_cell_among_many_decides(tmp_path: Path, type_: pa.DataType) -> None:
    count = 3_000
    other = ["0,125" if i == 1_234 else "2" for i in range(count)]
    columns = {"mass": [DECIMALS[i % ROWS] for i in range(count)], "other": other}
    table = pa.table({n: pa.array(c).cast(type_) for n, c in columns.items()} | {"t": [i % 5 for i in range(count)]})
    pq.write_table(table, tmp_path / "t.parquet")
    found = check(tmp_path, tmp_path / "t.parquet", options={"kinds": {"mass": "number", "other": "number"}})
    assert max(found.column("features:mass")) < 10 and "decimal-mark-unclear" not in found.codes()


def test_points_that_may_be_thousands_are_said_beside_semicolons(tmp_path: Path) -> None:
    cells = [d.replace(",", ".") for d in DECIMALS]
    rows = [["mass", "t"], *([d, str(i % 5)] for i, d in enumerate(cells))]
    found = check(tmp_path, csv(tmp_path, rows, delimiter=";"))
    assert found.column("features:mass") == [float(c) for c in cells]
    assert "'1.000' in 'mass', row 2" in found.message("decimal-mark-unclear")
    (tmp_path / "comma").mkdir()
    assert "decimal-mark-unclear" not in check(tmp_path / "comma", csv(tmp_path / "comma", rows)).codes()


def test_a_contradiction_in_a_file_names_rows_of_both(tmp_path: Path) -> None:
    rows = [["mass", "size", "t"], *([f"{i},5", f"{i}.25", str(i % 5)] for i in range(ROWS))]
    found = check(tmp_path, csv(tmp_path, rows))
    assert "decimal comma ('0,5' in 'mass', row 2)" in found.message("two-decimal-marks")
    assert "decimal point ('0.25' in 'size', row 2)" in found.message("two-decimal-marks")
    assert found.column("features:mass")[3] == 3.5 and found.column("features:size")[3] == 3.25


def test_a_contradiction_in_a_column_is_a_warning(tmp_path: Path) -> None:
    rows = [["mass", "t"], *([f"{i},5" if i % 2 else f"{i}.25", str(i % 5)] for i in range(ROWS))]
    found = check(tmp_path, csv(tmp_path, rows))
    assert "row 2)" in found.message("two-decimal-marks") and found.column("features:mass")[:2] == [0.25, 1.5]


@pytest.mark.parametrize(
    "cells",
    [
        [f"{i % 28 + 1:02}.03.2024" for i in range(ROWS)],
        [f"0{i % 9 + 1}.2024" for i in range(ROWS)],
        [["1,2", "1", "2,3", "3", "1,3"][i % 5] for i in range(ROWS)],
        [f"1.{i % 5}.{i % 3}" for i in range(ROWS)],
        [f"the price was {i},5" for i in range(ROWS)],
    ],
    ids=["dates", "months", "options", "versions", "words"],
)
def test_columns_that_hold_no_numbers_do_not_decide(tmp_path: Path, cells: list[str]) -> None:
    of = [f"{i}.25" if "," in cells[0] else f"{i},25" for i in range(ROWS)]
    rows = [["mass", "other", "t"], *([m, c, str(i % 5)] for i, (m, c) in enumerate(zip(of, cells, strict=True)))]
    found = check(tmp_path, csv(tmp_path, rows, delimiter=";"))
    assert "two-decimal-marks" not in found.codes() and found.column("features:mass")[3] == 3.25


def test_files_of_three_formats_are_read_each_in_its_own_notation(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    mass = [round(1.234 + i, 3) for i in range(ROWS)]
    german = [f"{m + 1000:,.3f}".translate(str.maketrans(",.", ".,")) for m in mass]
    csv(folder, [["mass", "t"], *([g, str(i % 5)] for i, g in enumerate(german))], "a.csv", ";")
    csv(folder, [["mass", "t"], *([f"{m + 1000:,.3f}", str(i % 5)] for i, m in enumerate(mass))], "b.csv")
    pq.write_table(pa.table({"mass": mass, "t": [i % 5 for i in range(ROWS)]}), folder / "c.parquet")
    book = openpyxl.Workbook()
    for row in [("mass", "t"), *((m, i % 5) for i, m in enumerate(mass))]:
        book.active.append(row)
    book.save(folder / "d.xlsx")
    found = check(tmp_path, folder)
    assert found.column("features:mass") == pytest.approx([m + 1000 for m in mass] * 2 + mass * 2)


def test_floats_and_texts_in_one_column_of_a_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in [("mass", "t"), *((1.234 + i if i % 3 else f"{i},25", i % 5) for i in range(ROWS))]:
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    found = check(tmp_path, tmp_path / "t.xlsx")
    assert found.column("features:mass") == pytest.approx([1.234 + i if i % 3 else i + 0.25 for i in range(ROWS)])
