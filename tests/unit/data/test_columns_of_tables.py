"""Columns of tables: what each holds, what is said of those that tell nothing or too much."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio import data
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.tasks.registry import resolve
from tests.unit.data import roles
from tests.unit.data.conftest import codes, errors, finding, plant

Maker = Callable[[int], Any]
ROWS = 60
BASE: dict[str, Maker] = {
    "age": lambda i: (i * 7) % 50 + 0.5,
    "target": lambda i: "no" if (i * i) % 7 < 3 else "yes",
}


def check(
    draft: Path, cells: Mapping[str, Maker], of: tuple[Column, ...] = roles.TABLES, count: int = ROWS, **given: Any
) -> dict[str, Any]:
    rows = [[cells[n](i) for n in cells] for i in range(count)]
    lines = [",".join(cells), *(",".join(f'"{"" if c is None else c}"' for c in row) for row in rows)]
    return roles.check(draft, of, plant(draft.parent / "in", {"a.csv": "\n".join(lines) + "\n"}), **given)


def kinds(draft: Path) -> dict[str, str]:
    return dict(json.loads((draft / "data" / "manifest.json").read_text())["features"])


def about(result: Mapping[str, Any], name: str) -> dict[str, Any]:
    return dict(next(c for c in result["columns"] if c["name"] == name))


WORDS = ["quite", "a", "number", "of", "words", "about", "this", "thing", "and", "that"]


@pytest.mark.parametrize(
    "maker, kind",
    [
        (lambda i: i * 1.5, "number"),
        (lambda i: (i * 13) % 40, "number"),
        (lambda i: f"{i},5", "number"),
        (lambda i: None if i % 2 else -i, "number"),
        (lambda i: "n/a" if i % 3 else i, "number"),
        (lambda i: "abc"[i % 3], "category"),
        (lambda i: i % 2 == 0, "category"),
        (lambda i: f"{i % 20:05}", "category"),
        (lambda i: "red wine" if i % 3 else "white wine from the north", "category"),
        (lambda i: f"2024-01-{i % 28 + 1:02}", "date"),
        (lambda i: f"{i % 28 + 1}.3.2024", "date"),
        (lambda i: f"2024-01-{i % 28 + 1:02}T10:{i % 60:02}:00Z", "date"),
        (lambda i: f"{i % 28 + 1:02}/03/2024", "date"),
        (lambda i: f"{' '.join(WORDS[i % 5 : i % 5 + 5])} {i}", "text"),
        (lambda i: "n/a" if i % 4 else f"2024-01-{i % 28 + 1:02}", "date"),
        (lambda i: "-" if i % 4 else f"{i % 28 + 1}.3.2024", "date"),
        (lambda i: "TRUE" if i % 20 == 7 else i % 2, "category"),
        (lambda i: ("yes", "No", "1", "FALSE")[i % 4], "category"),
        (lambda i: f"{i:05}", "id"),
        (lambda i: f"k{i}x", "id"),
        (lambda i: 1000 + i, "id"),
        (lambda i: None, "ignore"),
        (lambda i: f"{i % 28 + 1} December 2023", "date"),
        (lambda i: f"May {i % 28 + 1}, 2023", "date"),
        (lambda i: f"{i % 28 + 1}.3.24", "date"),
        (lambda i: f"5/{i % 28 + 1}/24 {i % 12 + 1}:05 PM", "date"),
        (lambda i: f"{i % 9 + 1}'234.5", "number"),
        (lambda i: f"{i % 9 + 1}\u00a0234", "number"),
        (lambda i: f"\u2212{i % 9}.5", "number"),
        (lambda i: 2**60 + i * i % 23, "category"),
        (lambda i: 2**60 + i * i, "id"),
        (lambda i: f"{10**30 + i % 7}", "category"),
        (lambda i: f"{i % 7}e300", "number"),
    ],
)
def test_kinds_of_columns_are_detected(draft: Path, maker: Maker, kind: str) -> None:
    result = check(draft, {**BASE, "it": maker})
    assert kinds(draft)["it"] == kind and not errors(result), result["findings"]
    assert about(result, "it")["feature"] == kind and about(result, "it")["guessed"] is True
    features = data.load(draft)["train"].features
    wanted = {"number": "float64", "category": "string", "text": "string", "date": "timestamp[us]"}
    if kind in wanted:
        assert features["features:it"].dtype == wanted[kind]
    else:
        assert "features:it" not in features


def test_numbers_of_which_the_name_says_that_they_are_ids(draft: Path) -> None:
    result = check(draft, {**BASE, "customer_id": lambda i: (i * 37) % 1009, "visits": lambda i: (i * 37) % 1009})
    assert kinds(draft)["customer_id"] == "id" and kinds(draft)["visits"] == "number"
    assert "'customer_id'" in finding(result, "id-like")["message"]


def test_values_are_what_the_cells_say(draft: Path) -> None:
    check(
        draft,
        {
            "n": lambda i: None if i == 3 else f"{i % 9}.5",
            "d": lambda i: f"{i % 28 + 1:02}.03.2024",
            "c": lambda i: None if i == 3 else "ab"[i % 2],
            "id": lambda i: f"row{i}",
            "target": lambda i: "xy"[i // 7 % 2],
        },
        valid_fraction=0,
    )
    rows = list(data.load(draft)["train"])
    assert rows[3] == {
        "_place": 5,
        "features:n": None,
        "features:d": datetime.datetime(2024, 3, 4),
        "features:c": None,
        "target:target": 0,
        "id": "row3",
    }
    assert rows[10]["features:n"] == 1.5 and rows[10]["id"] == "row10"


def test_the_user_says_what_a_column_holds(draft: Path) -> None:
    columns = {**BASE, "code": lambda i: (i * 13) % 4, "k": lambda i: f"k{i}x"}
    result = check(draft, columns, options={"kinds": {"code": "category", "k": "text", "age": "ignore"}})
    assert kinds(draft) == {"age": "ignore", "code": "category", "k": "text"}
    assert about(result, "code")["guessed"] is False
    features = data.load(draft)["train"].features
    assert set(features) == {"_place", "features:code", "features:k", "target:target"}


def test_unknown_columns_and_kinds_are_answered_with_the_known_ones(draft: Path) -> None:
    result = check(draft, BASE, options={"kinds": {"agee": "number"}})
    assert "'age'" in finding(result, "unknown-column")["hint"]
    result = check(draft, BASE, options={"kinds": {"age": "numbre"}})
    assert finding(result, "unknown-kind")["level"] == "error" and "'number'" in finding(result, "unknown-kind")["hint"]
    assert errors(check(draft, BASE, options={"kinds": "number"})) == ["invalid-setting"]


def test_missing_cells_and_different_values_are_counted(draft: Path) -> None:
    result = check(draft, {**BASE, "n": lambda i: None if i < 40 else i % 5})
    found = about(result, "n")
    assert (found["missing"], found["distinct"]) == (40, 5)
    fix = finding(result, "mostly-missing")["fix"]["change"]
    assert fix == {"options": {"kinds": {"n": "ignore"}}}
    assert "mostly-missing" not in codes(check(draft, {**BASE, "n": lambda i: None if i < 40 else i % 5}, **fix))


def test_columns_that_tell_nothing(draft: Path) -> None:
    result = check(draft, {**BASE, "same": lambda i: "x", "void": lambda i: None})
    assert "'same'" in finding(result, "constant-column")["message"]
    assert "'void'" in finding(result, "empty-column")["message"]
    only = check(draft, {"same": lambda i: 1, "target": BASE["target"]})
    assert "no-useful-column" in errors(only)


def test_cells_of_several_kinds_in_one_column(draft: Path) -> None:
    result = check(draft, {**BASE, "n": lambda i: "unknown" if i in {5, 9} else i % 12 + 0.5})
    found = finding(result, "mixed-types")
    assert "'n': 2 (a.csv, row 7: 'unknown', a.csv, row 11: 'unknown')" in found["message"]
    assert about(result, "n")["missing"] == 2 and kinds(draft)["n"] == "number"
    check(draft, {**BASE, "n": lambda i: "unknown" if i in {5, 9} else i % 12 + 0.5}, **found["fix"]["change"])
    assert kinds(draft)["n"] == "category"
    words = check(draft, {**BASE, "w": lambda i: 7 if i == 4 else "abc"[i % 3]})
    assert finding(words, "mixed-types")["level"] == "info" and "'w': 1" in finding(words, "mixed-types")["message"]


def test_a_truth_value_has_one_spelling(draft: Path) -> None:
    spelled = ("TRUE", "True", "1", "false", "FALSE", "0")
    result = check(draft, {**BASE, "flag": lambda i: spelled[i % 6] if i % 9 else "TRUE"})
    assert set(data.load(draft)["train"]["features:flag"][:]) == {"TRUE", "FALSE"}
    assert about(result, "flag")["distinct"] == 2 and "category-spelling" not in codes(result)


@pytest.mark.parametrize("word", ["NaN", "N/A", "NULL", "#N/A", "<NA>"])
def test_words_for_a_missing_value_are_none_of_the_categories(draft: Path, word: str) -> None:
    result = check(draft, {**BASE, "colour": lambda i: ("red", "blue", word, None)[i % 4]})
    assert set(data.load(draft)["train"]["features:colour"][:]) == {"red", "blue", None}
    assert about(result, "colour")["missing"] == ROWS // 2


def test_words_that_may_be_categories_are_kept(draft: Path) -> None:
    check(draft, {**BASE, "allergy": lambda i: ("none", "nuts", "-", "nd")[i % 4]})
    assert set(data.load(draft)["train"]["features:allergy"][:]) == {"none", "nuts", "-", "nd"}


def test_dates_in_two_formats(draft: Path) -> None:
    result = check(draft, {**BASE, "d": lambda i: f"2024-01-{i % 28 + 1:02}" if i % 4 else f"{i % 28 + 1}.01.2024"})
    message = finding(result, "dates-in-two-formats")["message"]
    assert "2024-05-31: 45, 31.05.2024: 15" in message
    unclear = check(draft, {**BASE, "d": lambda i: f"0{i % 9 + 1}/0{i % 8 + 1}/2024"})
    assert "'d'" in finding(unclear, "day-or-month-first")["message"]


def test_numbers_with_commas_are_reported(draft: Path) -> None:
    columns = {**BASE, "a": lambda i: f"1.2{i % 10}0,5", "b": lambda i: f"1,{i % 10}00.5"}
    result = check(draft, columns, valid_fraction=0)
    assert "'a' (60)" in finding(result, "decimal-comma")["message"]
    assert "'b' (60)" in finding(result, "thousands-comma")["message"]
    row = data.load(draft)["train"][3]
    assert (row["features:a"], row["features:b"]) == (1230.5, 1300.5)


def test_numbers_beside_percentages_are_reported(draft: Path) -> None:
    result = check(draft, {**BASE, "a": lambda i: f"{i} %" if i % 4 else f"{i + 20}"}, valid_fraction=0)
    assert "'a' (45)" in finding(result, "percent-as-fraction")["message"]
    found = finding(result, "percent-beside-numbers")
    assert "'a' (15)" in found["message"] and found["level"] == "warning"


def test_words_with_numbers_in_them_have_no_unit(draft: Path) -> None:
    columns = {"a": lambda i: f"k{i % 9}x", "b": lambda i: f"town {i % 9}", "c": lambda i: f"{i % 9}{'abcd'[i % 4]}"}
    columns["d"] = lambda i: "xyz"[i % 3]
    assert "numbers-with-units" not in codes(check(draft, {**BASE, **columns}))


def test_thousands_separators_are_reported(draft: Path) -> None:
    result = check(draft, {**BASE, "it": lambda i: f"{i % 9 + 1}'234"})
    assert "'it' (60)" in finding(result, "thousands-marks")["message"]
    rows = data.load(draft)["train"]
    assert {r["features:it"] for r in rows} <= {1234.0 + 1000 * k for k in range(9)}
    result = check(draft, {"age": BASE["age"], "target": lambda i: f"{i % 9 + 1} 234,5"}, roles.NUMBERS)
    assert "decimal-comma" in codes(result) and not errors(result)


def test_classes_that_are_numbers_are_better_predicted_as_numbers(draft: Path) -> None:
    of = (*resolve({"task": "tabular-classification"}).task.checks,)
    assert "table-target" in [c.name for c in of]
    ages = {"age": BASE["age"], "target": lambda i: (i * 7) % 24}
    found = finding(check(draft, ages, count=240), "classes-are-numbers")
    assert "24 classes of 'target' are numbers, from 0 to 23" in found["message"] and "regression" in found["hint"]
    few = {"age": BASE["age"], "target": lambda i: i % 19}
    assert "classes-are-numbers" not in codes(check(draft, few, count=240))
    named = {"age": BASE["age"], "target": lambda i: f"c{i % 24}"}
    assert "classes-are-numbers" not in codes(check(draft, named, count=240))
    assert "classes-of-one-row" in errors(check(draft, {"age": BASE["age"], "target": lambda i: f"c{i}"}))


def test_categories_that_hardly_repeat(draft: Path) -> None:
    result = check(draft, {**BASE, "c": lambda i: f"name {i % 45}"})
    assert "'c' (45)" in finding(result, "many-categories")["message"]


def test_lists_are_not_features(tmp_path: Path, draft: Path) -> None:
    rows = "\n".join(json.dumps({"a": i % 7, "l": [i], "target": "xy"[i // 5 % 2]}) for i in range(30))
    result = roles.check(draft, roles.TABLES, plant(tmp_path / "in", {"a.jsonl": rows}))
    assert "'l'" in finding(result, "nested-column")["message"] and kinds(draft) == {"a": "number", "l": "ignore"}


# -- columns that give the answer away


def test_a_column_that_is_the_target(draft: Path) -> None:
    def outcome(i: int) -> str:
        return {"no": "N", "yes": "Y"}[BASE["target"](i)]

    result = check(draft, {**BASE, "outcome": outcome})
    found = finding(result, "column-equals-target")
    assert "'outcome'" in found["message"] and found["level"] == "warning"
    mended = check(draft, {**BASE, "outcome": outcome}, **found["fix"]["change"])
    assert "column-equals-target" not in codes(mended)


def test_a_column_that_decides_the_target(draft: Path) -> None:
    result = check(draft, {**BASE, "code": lambda i: f"{BASE['target'](i)}{i % 3}"})
    assert "'code'" in finding(result, "column-decides-target")["message"]


def test_a_number_that_is_the_target_in_another_unit(draft: Path) -> None:
    columns = {"grams": lambda i: (i * 17 % 31) * 1000 + 5, "other": lambda i: i * 29 % 37}
    columns["price"] = lambda i: i * 17 % 31
    result = check(draft, columns, roles.NUMBERS)
    assert "'grams'" in finding(result, "column-equals-target")["message"]
    assert "'other'" not in finding(result, "column-equals-target")["message"]


def test_ordinary_columns_have_no_findings(draft: Path) -> None:
    columns = {**BASE, "city": lambda i: f"c{i * i % 11}", "note": lambda i: f"{' '.join(WORDS[:5])} {i}"}
    assert not [c for c in codes(check(draft, columns)) if c.startswith("column-")]


# -- rows


def test_rows_that_are_there_twice(tmp_path: Path, draft: Path) -> None:
    body = "".join(f"{i},{i * 7 % 19}.5,{'xyz'[i % 3]},{'no' if i % 2 else 'yes'}\n" for i in range(40))
    files = {"train.csv": "id,a,b,target\n" + body + "90,7.5,y,no\n91,14.5,z,no\n", "valid.csv": "id,a,b,target\n"}
    files["valid.csv"] += "70,7.5,y,no\n71,3.25,x,yes\n"
    result = roles.check(draft, roles.TABLES, plant(tmp_path / "in", files))
    assert "2 duplicate rows" not in finding(result, "same-in-two-classes")["message"]
    assert "train.csv, rows 4 (yes) = 43 (no)" in finding(result, "same-in-two-classes")["message"]
    assert "1 validation row is" in finding(result, "same-in-train-and-validation")["message"]


def test_copies_of_a_row_stay_on_one_side(draft: Path) -> None:
    columns = {
        "a": lambda i: i if i % 10 else i // 10 % 9 * 1000,  # nine rows that are there twice
        "b": lambda i: "xyz"[i // 3 % 3],
        "target": lambda i: "no" if i // 3 % 2 else "yes",
    }
    result = check(draft, columns, count=180)
    assert "9 duplicate rows" in finding(result, "duplicates")["message"]
    assert "same split" in finding(result, "duplicates")["message"]
    sides = [{r["features:a"] for r in part} for part in data.load(draft).values()]
    assert len(sides) == 2 and not sides[0] & sides[1]


def test_rows_of_a_coarse_table_are_split_freely(draft: Path) -> None:
    columns = {"a": lambda i: i % 2, "b": lambda i: i % 3, "target": lambda i: "no" if i // 6 % 2 else "yes"}
    result = check(draft, columns, count=120)
    assert result["splits"] == {"train": 96, "validation": 24}
    assert finding(result, "same-in-two-classes")["level"] == "info"
