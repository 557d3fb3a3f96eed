"""Tables as spreadsheets, shops, surveys and laboratories export them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pytest

from autotrain_gradio import data
from autotrain_gradio.data.values import dates, numbers
from autotrain_gradio.data.values.multi_select import find_multi_select
from tests.unit.data import roles
from tests.unit.data.conftest import codes, finding, plant
from tests.unit.data.test_columns_of_tables import BASE, check, kinds


def column(*cells: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(list(cells), pa.string())])


def values(*cells: str | None, unit: str | None = None) -> list[float]:
    return list(numbers.parse(column(*cells), unit=unit, brackets=None, limits=None).values.tolist())


@pytest.mark.parametrize(
    "cell, day",
    [
        ("31-May-2024", "2024-05-31"),
        ("31-MAY-24", "2024-05-31"),
        ("21. März 2024", "2024-03-21"),
        ("7-Mai-24", "2024-05-07"),
        ("1er févr. 2024", "2024-02-01"),
        ("12 août 1999", "1999-08-12"),
        ("3 de enero de 2024", "2024-01-03"),
        ("14 outubro 2021", "2021-10-14"),
        ("5 dicembre 2020", "2020-12-05"),
        ("3 maart 2020", "2020-03-03"),
        ("3. Dez. 99", "1999-12-03"),
        ("3 Sept. 2020", "2020-09-03"),
        ("4 juil. 2020", "2020-07-04"),
        ("31-May-2024 10:30:00", "2024-05-31T10:30"),
        ("2024/01/05 10:33:12 AM GMT+1", "2024-01-05T09:33:12"),
        ("2024/01/05 10:33:12 PM UTC-05:30", "2024-01-06T04:03:12"),
        ("1/5/24, 10:33 AM", "2024-05-01T10:33"),
        ("Jan. 5, 2024, 10:33 AM", "2024-01-05T10:33"),
        ("Mai 5, 2024", "2024-05-05"),
        ("Fri Jan 05 2024", "2024-01-05"),
        ("Freitag, 5. Januar 2024 um 10:33 Uhr", "2024-01-05T10:33"),
        ("05/01/2024 - 10:33", "2024-01-05T10:33"),
        ("2024.01.05", "2024-01-05"),
        ("2024-05", "2024-05-01"),
        ("05/2024", "2024-05-01"),
    ],
)
def test_dates_of_many_languages_and_programs_are_parsed(cell: str, day: str) -> None:
    found = dates.parse(column(cell, None, cell))
    assert found.values[[0, 2]].tolist() == [np.datetime64(day, "us").item()] * 2 and np.isnat(found.values[1])
    assert dates.looks_like_dates(column(*[cell] * 20)), "what is read is not ruled out by how it begins"


def test_months_such_as_05_2024_are_dates_not_numbers(draft: Path) -> None:
    check(draft, {**BASE, "it": lambda i: f"{i % 12 + 1:02}.{2020 + i % 5}"}, valid_fraction=0)
    assert kinds(draft)["it"] == "date" and str(data.load(draft)["train"]["features:it"][0])[:10] == "2020-01-01"
    check(draft, {**BASE, "it": lambda i: f"{i % 15 + 1}.{2020 + i % 5}"}, valid_fraction=0)
    assert kinds(draft)["it"] == "number"


def test_other_words_are_not_parsed_as_months(draft: Path) -> None:
    assert dates.parse(column("12 kg 2024", "5 apples 2024", "31-Foo-2024")).unreadable.all()
    for word in ("sets", "Marche", "Decanter", "Junior", "Nova", "Jui"):
        assert dates.parse(column(f"3 {word} 2010", f"3 {word} 10")).unreadable.all(), word
    check(draft, {**BASE, "it": lambda i: f"{i % 28 + 1}-{['Jan', 'Feb', 'Mär', 'Mai'][i % 4]}-2024"})
    assert kinds(draft)["it"] == "date"


def test_limits_are_parsed_as_the_limit_and_reported(draft: Path) -> None:
    result = check(draft, {**BASE, "it": lambda i: "<0.1" if i % 5 == 0 else f"{i}.5"}, valid_fraction=0)
    assert "'it' (12)" in finding(result, "limits")["message"] and kinds(draft)["it"] == "number"
    assert data.load(draft)["train"]["features:it"][0] == 0.1
    assert values("<5 mg", "7 mg", ">= 8 mg", "9") == [5, 7, 8, 9] and values("10+", "3", "4") == [10, 3, 4]
    check(draft, {**BASE, "it": lambda i: ("<18", "18-25", ">65")[i % 3]})
    assert kinds(draft)["it"] == "category", "bands are no numbers"
    check(draft, {**BASE, "it": lambda i: ("<5", ">5", "7")[i % 3]})
    assert kinds(draft)["it"] == "category", "most of these are no numbers"


def test_a_limit_in_a_target_is_invalid(draft: Path) -> None:
    result = check(draft, {"age": BASE["age"], "target": lambda i: "<5" if i == 3 else i}, roles.NUMBERS)
    assert "row 5: '<5'" in finding(result, "number-limit")["message"]


def test_failed_formulas_are_missing_and_reported(draft: Path) -> None:
    columns = {"word": lambda i: "#REF!" if i == 3 else "ab"[i % 2], "size": lambda i: "#DIV/0!" if i == 4 else i * 1.5}
    result = check(draft, {**BASE, **columns}, valid_fraction=0)
    told = finding(result, "failed-formulas")["message"]
    assert "'word': 1 (a.csv, row 5: '#REF!')" in told and "'size': 1 (a.csv, row 6: '#DIV/0!')" in told
    rows = data.load(draft)["train"]
    assert rows["features:word"][3] is None and rows["features:size"][4] is None
    target = {"target": lambda i: "#N/A" if i % 9 == 0 else "xy"[i % 2]}
    found = finding(check(draft, {"age": BASE["age"], **target}), "failed-formulas")
    assert "'#N/A' is not a class" in found["message"] and found["fix"]["change"] == {"labels": {"#N/A": None}}
    result = check(draft, {"age": BASE["age"], "target": lambda i: "#DIV/0!" if i == 3 else i}, roles.NUMBERS)
    assert "row 5: '#DIV/0!'" in finding(result, "number-missing")["message"]
    late = {**BASE, "word": lambda i: "#REF!" if i == 4400 else "ab"[i % 2]}
    result = check(draft, late, count=4500, valid_fraction=0)
    assert "'word': 1 (a.csv, row 4,402: '#REF!')" in finding(result, "failed-formulas")["message"]


def test_words_for_missing_values_of_laboratories_are_missing() -> None:
    assert values("3,6E-01", "1,5E+2") == [0.36, 150]
    found = numbers.parse(column("n.d.", "n.a.", "k.A.", "--", "1.2e-3", "N/A", "—"))
    assert found.values[4] == 0.0012 and found.missing.sum() == 6 and not found.unreadable.any()


@pytest.mark.parametrize("mark", [";", "|", ", "])
def test_multi_select_cells_are_reported(draft: Path, mark: str) -> None:
    several = [mark.join(p for p, there in zip(("mail", "call", "web"), bits, strict=True) if there) for bits in BITS]
    result = check(draft, {**BASE, "by": lambda i: several[i % len(several)]})
    told = finding(result, "several-answers")
    assert "7 combinations of 3 answers" in told["message"]
    assert told["fix"]["change"] == {"options": {"kinds": {"by": "text"}}}


BITS = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)]


def test_names_with_commas_are_not_multi_select_cells() -> None:
    for cells in (
        ["Berlin, DE", "Paris, FR", "Lyon, FR", "Rome, IT"],
        ["a;a", "b;b", "a;b", "b"],
        ["x", "y", "z", "w"],
    ):
        assert find_multi_select(column(*cells * 5)) == {}


def test_clock_times_are_parsed_as_hours(draft: Path) -> None:
    result = check(draft, {**BASE, "it": lambda i: f"{i % 24}:{i % 60:02}"}, valid_fraction=0)
    assert kinds(draft)["it"] == "number" and "'it' (60)" in finding(result, "clock-times")["message"]
    assert "unit-taken-off" not in codes(result)
    assert data.load(draft)["train"]["features:it"][30] == 6.5
    assert values("2:30 PM", "12:15 AM", "12:00 pm", "-")[:3] == [14.5, 0.25, 12] and values("14:30", unit="h") == [
        14.5
    ]
    assert np.isnan(values("1:02:03", "59:30")).all(), "hours or minutes: nobody knows"
    assert np.isnan(values("1:16", "1:128", "1:8")).all()


@pytest.mark.parametrize("cell, most", [("{}.5/5", "out of 5"), ("{} out of 5 stars", "out of 5 stars")])
def test_ratings_with_a_maximum_are_numbers(draft: Path, cell: str, most: str) -> None:
    result = check(draft, {**BASE, "it": lambda i: cell.format(i * i % 5)})
    assert kinds(draft)["it"] == "number" and f"'it' {most} (60)" in finding(result, "unit-taken-off")["message"]


def test_numbers_with_a_unit_among_words_are_reported(draft: Path) -> None:
    result = check(draft, {**BASE, "it": lambda i: "out of stock" if i % 4 == 0 else f"{i % 7} pcs"})
    assert kinds(draft)["it"] == "category" and "'it': 45" in finding(result, "mixed-types")["message"]


@pytest.mark.parametrize("word", ["Total", "Summe:", "Total général", "Grand total"])
def test_a_row_of_totals_is_reported(draft: Path, word: str) -> None:
    lines = [f"d{i % 9},{i},{i % 7}" for i in range(30)]
    path = plant(draft.parent / "in", {"a.csv": "\n".join(["day,size,target", *lines, f"{word},435,99"]) + "\n"})
    found = finding(roles.check(draft, roles.NUMBERS, path), "total-row")
    assert found["where"] == "a.csv, row 32" and repr(word) in found["message"]
    path = plant(draft.parent / "in", {"a.csv": "\n".join(["day,size,target", *lines, f"{word}s of,4,9"]) + "\n"})
    assert "total-row" not in codes(roles.check(draft, roles.NUMBERS, path))


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_title_above_the_table_is_guessed(draft: Path, form: str) -> None:
    rows = [["Sales of 2024"], ["day", "size", "target"], *([f"d{i}", i, i % 7] for i in range(30))]
    path = draft.parent / f"in.{form}"
    if form == "csv":
        path.write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n", encoding="utf-8")
    else:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
    result = roles.check(draft, roles.NUMBERS, path)
    assert "'Sales of 2024'" in finding(result, "title-above")["message"] and result["rows"] == 30
