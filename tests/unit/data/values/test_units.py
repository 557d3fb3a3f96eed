"""Numbers with a unit, with marks between their thousands, and in accountants' brackets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from autotrain_gradio import data
from autotrain_gradio.data.values import numbers
from tests.unit.data import roles
from tests.unit.data.conftest import codes, errors, finding
from tests.unit.data.test_columns_of_tables import BASE, about, check, kinds

NAN = float("nan")


def parsed(*cells: str | None, **given: Any) -> numbers.Numbers:
    return numbers.parse(pa.chunked_array([pa.array(list(cells), pa.string())]), **{"unit": None, **given})


def values(*cells: str | None, **given: Any) -> list[float]:
    return list(parsed(*cells, **given).values.tolist())


@pytest.mark.parametrize(
    "cell, unit",
    [
        ("{} kg", "kg"),
        ("{}‰", "‰"),
        ("€ {},50", "€"),
        ("{},50 €", "€"),
        ("${}", "$"),
        ("US$ {}", "US$"),
        ("Rs. {}", "Rs."),
        ("{}.5 m²", "m²"),
        ("{} km/h", "km/h"),
        ("CHF {}", "CHF"),
        ("{} sq ft", "sq ft"),
        ("{}\u00a0EUR", "EUR"),
    ],
)
def test_numbers_with_one_unit_are_numbers(draft: Path, cell: str, unit: str) -> None:
    result = check(draft, {**BASE, "it": lambda i: cell.format(i * i % 23)}, valid_fraction=0)
    assert kinds(draft)["it"] == "number" and "numbers-with-units" not in codes(result)
    assert f"'it' in {unit} (60)" in finding(result, "unit-taken-off")["message"]
    line = next(p for p in result["profile"] if p["title"] == "Columns")["rows"][1]
    assert line[:2] == ["it", f"number, in {unit}"]
    found = np.array(data.load(draft)["train"]["features:it"])
    half = 0.5 if "5" in cell else 0.0
    assert found.tolist() == [i * i % 23 + half for i in range(60)]
    assert json.loads((draft / "data" / "manifest.json").read_text())["units"] == {"it": unit}


def test_a_numeric_target_may_have_a_unit(draft: Path) -> None:
    result = check(draft, {"age": BASE["age"], "target": lambda i: f"€{i * i % 23}.25"}, roles.NUMBERS)
    assert not errors(result) and "in € (60)" in finding(result, "unit-taken-off")["message"]
    assert json.loads((draft / "data" / "manifest.json").read_text())["units"] == {"target": "€"}
    assert data.load(draft)["train"]["target:target"][0] % 1 == 0.25


def test_the_unit_is_optional_and_may_come_before_or_after_the_number() -> None:
    found = parsed("€28.41", "28.41 €", "€ 1,200.50", "12", "-€3", "€-4", None)
    assert found.values[:6].tolist() == [28.41, 28.41, 1200.5, 12, -3, -4] and (found.unit, found.united) == ("€", 5)
    assert values("12 pcs", "1 pc", "30 pcs") == [12, 1, 30]
    found = parsed(*["5 m"] * 5, *["7 ms"] * 5)
    assert found.unit == "" and found.unreadable.all()


def test_percentages_are_fractions_except_for_models_that_have_stored_the_sign() -> None:
    assert values("10%", "9.3 %", "0.5", "-3%", "1,5 %") == [0.1, 0.093, 0.5, -0.03, 0.015]
    assert values("10%", "0.1", unit="") == [0.1, 0.1] and parsed("10%", "5%").unit == ""
    found = parsed("10%", "5 %", "7", unit="%")
    assert found.values.tolist() == [10, 5, 7] and found.united == 2 and not found.percent
    assert parsed("10%", "20", "0.5").beyond == 1


@pytest.mark.parametrize("cells", [("$1", "USD 2", "US$ 3"), ("€1", "2 EUR"), ("CHF 1", "Fr. 2"), ("1 zł", "2 PLN")])
def test_spellings_of_a_currency_are_one_unit(cells: tuple[str, ...]) -> None:
    found = parsed(*cells)
    assert found.values.tolist() == [float(k) for k in range(1, len(cells) + 1)] and found.united == len(cells)
    assert parsed("$1", "CAD 2", "AUD 3").unreadable.any()


def test_cells_that_are_invalid_without_their_unit_are_reported(draft: Path) -> None:
    assert values("€5€", "€7", "€8", "€9")[0] != 5
    result = check(draft, {**BASE, "it": lambda i: "about 5 kg" if i in (3, 7) else f"{i % 9} kg"})
    assert kinds(draft)["it"] == "number" and "row 5: 'about 5 kg'" in finding(result, "mixed-types")["message"]


def test_different_units_are_not_merged(draft: Path) -> None:
    columns = {"it": lambda i: f"{i % 9} kg" if i % 2 else f"{i % 9}00 g", "paid": lambda i: f"{'€$'[i % 2]}{i % 11}"}
    result = check(draft, {**BASE, **columns})
    found = finding(result, "numbers-with-units")
    assert "'it' ('000 g', '1 kg')" in found["message"] and "'paid' ('€0', '$1')" in found["message"]
    assert "Convert them to one unit" in found["hint"] and "unit-taken-off" not in codes(result)
    assert kinds(draft)["it"] == kinds(draft)["paid"] == "category"
    result = check(draft, {"age": BASE["age"], "target": columns["it"]}, roles.NUMBERS)
    assert "'000 g', '1 kg'" in finding(result, "no-numbers")["hint"]


def test_a_few_cells_with_another_unit_are_missing_and_reported(draft: Path) -> None:
    result = check(draft, {**BASE, "it": lambda i: "500 g" if i == 3 else f"{i % 9} kg"}, valid_fraction=0)
    assert "row 5: '500 g'" in finding(result, "mixed-types")["message"]
    assert data.load(draft)["train"]["features:it"][3] is None


def test_numbers_with_different_units_are_not_reported_as_many_categories(draft: Path) -> None:
    columns = {"price": lambda i: f"{'€$'[i % 2]} {i * i // 2},50", "town": lambda i: f"town {i * i // 2}"}
    result = check(draft, {**BASE, **columns})
    assert "'price'" in finding(result, "numbers-with-units")["message"]
    assert "'town'" in finding(result, "many-categories")["message"]
    assert "'price'" not in finding(result, "many-categories")["message"]


def test_a_column_with_a_unit_can_be_set_to_category(draft: Path) -> None:
    result = check(draft, {**BASE, "it": lambda i: f"{i % 9} kg"}, options={"kinds": {"it": "category"}})
    assert kinds(draft)["it"] == "category" and "unit" not in about(result, "it")
    check(draft, {**BASE, "it": lambda i: f"{i % 3:05}A"})
    assert kinds(draft)["it"] == "category", "leading zeros are those of codes"
    check(draft, {**BASE, "order no": lambda i: f"{1000 + i * 7}A"})
    assert kinds(draft)["order no"] == "id"
    check(draft, {**BASE, "batch": lambda i: f"{1000 + i}A"})
    assert kinds(draft)["batch"] == "id", "what counts the rows is no amount, with a letter or without"


def test_numbers_in_brackets_are_negative(draft: Path) -> None:
    found = parsed("(1.23)", "4", "5-", "($6)", brackets=None)
    assert found.values.tolist() == [-1.23, 4, -5, -6] and found.negated == 3
    assert values("$1,200.50", "($12.00)", "$(3)", brackets=None) == [1200.5, -12, -3]
    assert parsed("(1)", "(2)", "(3)", brackets=None).unreadable.all()
    assert parsed("(1)", "a", "b", "4", brackets=None).unreadable.tolist() == [True, True, True, False]
    assert parsed("(1)", brackets=True).values[0] == -1 and parsed("(1)", "2").unreadable[0]
    result = check(draft, {**BASE, "it": lambda i: f"({i}.5)" if i % 9 == 1 else f"{i}.25"}, valid_fraction=0)
    assert "'it' (7)" in finding(result, "negative-in-brackets")["message"]
    assert data.load(draft)["train"]["features:it"][1] == -1.5


def test_school_grades_are_not_negative_numbers(draft: Path) -> None:
    check(draft, {**BASE, "mark": lambda i: ["1", "1-", "2+", "2", "2-", "3+", "3", "4"][i * i % 23 % 8]})
    assert kinds(draft)["mark"] == "category"
    assert parsed("1", "2", "3", "2+", "2-", brackets=None, limits=None).unreadable.tolist() == [False] * 3 + [True] * 2
    assert parsed("1", "2", "2-", brackets=None, limits=None).values.tolist() == [1, 2, -2]
    assert parsed("1", "2", "2+", brackets=None, limits=None).values.tolist() == [1, 2, 2]


def test_thousands_separators_are_detected() -> None:
    assert values("1,23,456.00", "12,345.00", "950.00", "1,00,00,000") == [123456, 12345, 950, 1e7]
    assert values("1.234,5", "1.234", "950,0") == [1234.5, 1234, 950]
    assert values("1.234.567", "1.234", "950") == [1234567, 1234, 950]
    assert values("1.200", "950", "12.500") == [1200, 950, 12500], "whoever means decimals does not write this"
    for decimals in (("1.200", "1.250", "2.5"), ("1.200", "0.500", "3"), ("1.200", "1500"), ("1.203", "2.456", "3")):
        assert values(*decimals) == [float(d) for d in decimals]
    assert values("1.234", "1,5", "1.5") == [1.234, 1.5, 1.5]
    assert values("12,- €", "13,50 €", "1.200,-- €", brackets=None) == [12, 13.5, 1200]


def test_a_detected_notation_parses_the_same_cells_again() -> None:
    for cells in (("1.234,5", "1.234"), ("1,234.5", "1,234"), ("1.234", "1,5", "1.5"), ("1.200", "950", "12.500")):
        found = parsed(*cells)
        assert [values(c, notation=found.reading)[0] for c in cells] == found.values.tolist(), cells
    mixed = (("1.234.567", "1.234", "1.5"), ("1.234.567", "4.126", "3.1e4"), ("1,234", "5.678.901", "2.345"))
    for cells in mixed:
        found = parsed(*cells)
        assert [values(c, notation=found.reading)[0] for c in cells] == found.values.tolist(), cells
    assert values("1.200 €", "950 €") == [1200, 950] and values("1.200 €", "950 €", unit="€") == [1.2, 950]


def test_points_as_thousands_separators_are_reported(draft: Path) -> None:
    result = check(draft, {**BASE, "it": lambda i: f"{i % 9 + 1}.{i % 10}00" if i % 2 else 100 + i}, valid_fraction=0)
    assert "'it' (30)" in finding(result, "thousands-points")["message"]
    assert data.load(draft)["train"]["features:it"][1] == 2100
