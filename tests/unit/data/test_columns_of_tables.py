"""Columns of tables: what each holds, what is said of those that tell nothing or too much, numbers and dates."""

from __future__ import annotations

import datetime
import json
import math
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from autotrain_gradio import data
from autotrain_gradio.data import dates, numbers
from autotrain_gradio.data.declare import Column
from autotrain_gradio.registry import resolve
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
def test_what_a_column_holds_is_recognised(draft: Path, maker: Maker, kind: str) -> None:
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


def test_dates_in_two_formats(draft: Path) -> None:
    result = check(draft, {**BASE, "d": lambda i: f"2024-01-{i % 28 + 1:02}" if i % 4 else f"{i % 28 + 1}.01.2024"})
    message = finding(result, "dates-in-two-formats")["message"]
    assert "2024-05-31: 45, 31.05.2024: 15" in message
    unclear = check(draft, {**BASE, "d": lambda i: f"0{i % 9 + 1}/0{i % 8 + 1}/2024"})
    assert "'d'" in finding(unclear, "day-or-month-first")["message"]


def test_numbers_with_commas_are_told(draft: Path) -> None:
    columns = {**BASE, "a": lambda i: f"1.2{i % 10}0,5", "b": lambda i: f"1,{i % 10}00.5"}
    result = check(draft, columns, valid_fraction=0)
    assert "'a' (60)" in finding(result, "decimal-comma")["message"]
    assert "'b' (60)" in finding(result, "thousands-comma")["message"]
    row = data.load(draft)["train"][3]
    assert (row["features:a"], row["features:b"]) == (1230.5, 1300.5)


def test_words_with_numbers_in_them_have_no_unit(draft: Path) -> None:
    columns = {"a": lambda i: f"k{i % 9}x", "b": lambda i: f"town {i % 9}", "c": lambda i: f"{i % 9}{'abcd'[i % 4]}"}
    columns["d"] = lambda i: "xyz"[i % 3]
    assert "numbers-with-units" not in codes(check(draft, {**BASE, **columns}))


def test_marks_between_thousands_are_told(draft: Path) -> None:
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


def test_lists_are_not_learnt_from(tmp_path: Path, draft: Path) -> None:
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


def test_nothing_is_said_of_ordinary_columns(draft: Path) -> None:
    columns = {**BASE, "city": lambda i: f"c{i * i % 11}", "note": lambda i: f"{' '.join(WORDS[:5])} {i}"}
    assert not [c for c in codes(check(draft, columns)) if c.startswith("column-")]


# -- rows


def test_rows_that_are_there_twice(tmp_path: Path, draft: Path) -> None:
    body = "".join(f"{i},{i * 7 % 19}.5,{'xyz'[i % 3]},{'no' if i % 2 else 'yes'}\n" for i in range(40))
    files = {"train.csv": "id,a,b,target\n" + body + "90,7.5,y,no\n91,14.5,z,no\n", "valid.csv": "id,a,b,target\n"}
    files["valid.csv"] += "70,7.5,y,no\n71,3.25,x,yes\n"
    result = roles.check(draft, roles.TABLES, plant(tmp_path / "in", files))
    assert "2 rows are copies" not in finding(result, "same-in-two-classes")["message"]
    assert "train.csv, rows 4 (yes) = 43 (no)" in finding(result, "same-in-two-classes")["message"]
    assert "1 validation row is" in finding(result, "same-in-train-and-validation")["message"]


def test_copies_of_a_row_stay_on_one_side(draft: Path) -> None:
    columns = {
        "a": lambda i: i if i % 10 else i // 10 % 9 * 1000,  # nine rows that are there twice
        "b": lambda i: "xyz"[i // 3 % 3],
        "target": lambda i: "no" if i // 3 % 2 else "yes",
    }
    result = check(draft, columns, count=180)
    assert "9 rows are copies" in finding(result, "duplicates")["message"]
    assert "same side" in finding(result, "duplicates")["message"]
    sides = [{r["features:a"] for r in part} for part in data.load(draft).values()]
    assert len(sides) == 2 and not sides[0] & sides[1]


def test_rows_of_a_coarse_table_are_split_freely(draft: Path) -> None:
    columns = {"a": lambda i: i % 2, "b": lambda i: i % 3, "target": lambda i: "no" if i // 6 % 2 else "yes"}
    result = check(draft, columns, count=120)
    assert result["splits"] == {"train": 96, "validation": 24}
    assert finding(result, "same-in-two-classes")["level"] == "info"


# -- targets


def test_a_missing_target_offers_the_last_column(draft: Path) -> None:
    found = finding(
        check(draft, {"a": BASE["age"], "b": BASE["age"], "z": BASE["target"]}, roles.NUMBERS), "column-unclear"
    )
    assert found["fix"]["change"] == {"columns": {"target": ["z"]}}
    assert found["message"] == "Say which column holds the target: any of them could."
    assert found["hint"] == "Choose it among a, b, z."


def test_no_number_is_taken_for_the_target_because_it_is_one(tmp_path: Path, draft: Path) -> None:
    columns = {n: [math.sin(i * k) for i in range(ROWS)] for k, n in enumerate("abc", 2)}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    result = roles.check(draft, roles.NUMBERS, tmp_path / "t.parquet")
    assert codes(result, "error") == ["column-unclear"] and "target" not in result["mapping"]


def test_a_column_of_splits_is_not_learnt_from(draft: Path) -> None:
    result = check(draft, {**BASE, "split": lambda i: "validation" if i % 5 == 0 else "train"})
    assert result["splits"] == {"train": 48, "validation": 12}
    assert result["mapping"]["features"] == ["age"]


@pytest.mark.parametrize("name", ["_price", "_where", "_row"])
def test_columns_may_have_any_name(draft: Path, name: str) -> None:
    result = check(draft, {**BASE, name: lambda i: (i * 13) % 17 + 0.25})
    assert not errors(result) and result["mapping"]["features"] == ["age", name]


def test_a_column_that_the_user_leaves_out_is_not_called_empty(draft: Path) -> None:
    result = check(draft, {**BASE, "more": lambda i: i % 7}, options={"kinds": {"more": "ignore"}})
    assert "empty-column" not in codes(result)


def test_a_label_that_one_of_several_targets_has_is_used(draft: Path) -> None:
    cells: dict[str, Maker] = {**BASE, "second": lambda i: "pqr"[i % 3]}
    given = {"columns": {"target": ["target", "second"]}, "labels": {"p": "q", "nobody": "q"}}
    result = check(draft, cells, **given)
    unused = [f["message"] for f in result["findings"] if f["code"] == "label-mapping-unused"]
    assert len(unused) == 1 and "'nobody'" in unused[0]


@pytest.mark.parametrize("of, role", [(roles.TABLES, "features"), (roles.TEXTS, "text")])
def test_a_column_is_not_learnt_from_and_predicted(draft: Path, of: tuple[Column, ...], role: str) -> None:
    result = check(draft, BASE, of, columns={role: ["age", "target"], "target": ["target"]})
    assert codes(result, "error") == ["column-twice-used"]
    assert finding(result, "column-twice-used")["where"] == f"data.columns.{role}"


def test_several_targets(draft: Path) -> None:
    columns = {"a": BASE["age"], "t1": lambda i: i * 5 % 13, "t2": lambda i: None if i == 4 else i * 3 % 11}
    result = check(draft, columns, roles.NUMBERS, columns={"target": ["t1", "t2"]})
    assert set(data.load(draft)["train"].features) == {"_place", "features:a", "target:t1", "target:t2"}
    assert roles.dropped(result) == {"number-missing": 1}


def test_targets_that_are_no_numbers(draft: Path) -> None:
    odd = {3: "", 4: "NaN", 5: "inf", 6: "-Infinity", 7: "cheap", 8: "1e999"}
    result = check(draft, {"a": BASE["age"], "price": lambda i: odd.get(i, i * 1.5)}, roles.NUMBERS)
    assert roles.dropped(result) == {"number-missing": 2, "number-not-finite": 3, "number-unreadable": 1}
    assert "a.csv, row 9: 'cheap'" in finding(result, "number-unreadable")["message"]


def test_a_target_that_never_changes(draft: Path) -> None:
    assert "one-value" in errors(check(draft, {"a": BASE["age"], "price": lambda i: 3}, roles.NUMBERS))
    assert "no-numbers" in errors(check(draft, {"a": BASE["age"], "price": lambda i: "x"}, roles.NUMBERS))


def test_a_histogram_of_the_target(draft: Path) -> None:
    result = check(draft, {"a": BASE["age"], "price": lambda i: i * 1.5}, roles.NUMBERS)
    histogram = next(p for p in result["profile"] if p["title"] == "price")
    assert sum(map(sum, histogram["series"].values())) == ROWS and "largest 88.5" in histogram["note"]
    columns = next(p for p in result["profile"] if p["title"] == "Columns")
    assert columns["rows"] == [["a", "number", "0", 50, "0.5 to 49.5, median 24"]]


@pytest.mark.parametrize("values", [(2.0**63, 2.0**63 + 2048), (-1.7e308, 1.7e308), (5e-324, 0.0)])
def test_a_histogram_of_numbers_that_are_hard_to_cut(draft: Path, values: tuple[float, float]) -> None:
    cells: dict[str, Maker] = {"age": BASE["age"], "target": lambda i: values[i % 2]}
    shown = check(draft, cells, roles.NUMBERS)["profile"]
    counts = next(p for p in shown if p["title"] == "target")["series"]
    assert sum(counts["train"]) + sum(counts["validation"]) == ROWS


def test_times_of_day_are_hours_and_durations_are_seconds(tmp_path: Path, draft: Path) -> None:
    times = [datetime.time(i % 5, 30) for i in range(ROWS)]
    spans = [datetime.timedelta(seconds=1.5 * i) for i in range(ROWS)]
    target = ["yes" if (i * i) % 7 < 3 else "no" for i in range(ROWS)]
    pq.write_table(pa.table({"at": times, "took": spans, "target": target}), tmp_path / "t.parquet")
    assert not errors(roles.check(draft, roles.TABLES, tmp_path / "t.parquet"))
    assert kinds(draft) == {"at": "number", "took": "number"}
    rows = data.load(draft)["train"]
    assert rows["features:at"][0] % 1 == 0.5 and max(rows["features:took"]) > 80


# -- numbers and dates one by one


@pytest.mark.parametrize(
    "cells, wanted",
    [
        (["1", " 2.5 ", "-3", "+4", "1e3", ".5", "7."], [1, 2.5, -3, 4, 1000, 0.5, 7]),
        (["1,5", "1234,25", "1.234,5"], [1.5, 1234.25, 1234.5]),
        (["1,234", "1,234,567.5"], [1234, 1234567.5]),
        (["1,234", "2,5"], [1.234, 2.5]),
        (["0,532", "1,234"], [0.532, 1.234]),
        (["1 234,5", "5"], [1234.5, 5]),
    ],
)
def test_numbers_as_people_write_them(cells: list[str], wanted: list[float]) -> None:
    found = numbers.parse(pa.chunked_array([cells]))
    assert found.values.tolist() == wanted and not found.unreadable.any()


def test_what_is_no_number_is_marked() -> None:
    cells = ["x", "12 kg", "", None, "N/A", "nan", "inf", "1,2,3", "0x10", "1_000", "٣"]
    found = numbers.parse(pa.chunked_array([pa.array(cells)]))
    assert np.isnan(found.values).all() and found.words == 2
    assert found.unreadable.tolist() == [True, True, *[False] * 5, True, True, True, True]
    assert found.missing.tolist() == [False, False, True, True, True, True, *[False] * 5]
    assert found.infinite.tolist() == [False] * 6 + [True] + [False] * 4


@pytest.mark.parametrize("seed", range(10))
def test_numbers_are_read_as_python_reads_them(seed: int) -> None:
    rng = random.Random(seed)
    values = [rng.choice([rng.uniform(-1e6, 1e6), float(rng.randint(-9, 9)), rng.random() * 1e-9]) for _ in range(50)]
    for column in (pa.array([repr(v) for v in values]), pa.array(values)):
        assert numbers.parse(pa.chunked_array([column])).values.tolist() == values
    mixed = [repr(v) if rng.random() < 0.9 else "?" for v in values]
    found = numbers.parse(pa.chunked_array([pa.array(mixed)]))
    assert [None if math.isnan(v) else v for v in found.values] == [None if m == "?" else float(m) for m in mixed]


def test_dates_as_people_write_them() -> None:
    cells = [
        "2024-05-31",
        "2024/5/1",
        "31.5.2024 10:30",
        "2024-05-31T10:30:15.5+02:00",
        "3 May 2024",
        "",
        None,
        "May",
        "2024-13-01",
    ]
    found = dates.parse(pa.chunked_array([pa.array(cells)]))
    assert [None if np.isnat(v) else v.item() for v in found.values] == [
        datetime.datetime(2024, 5, 31),
        datetime.datetime(2024, 5, 1),
        datetime.datetime(2024, 5, 31, 10, 30),
        datetime.datetime(2024, 5, 31, 8, 30, 15),
        datetime.datetime(2024, 5, 3),
        *[None] * 4,
    ]
    assert found.missing.tolist() == [False] * 5 + [True, True, False, False]
    assert found.unreadable.tolist() == [False] * 7 + [True, True]


def test_dates_with_names_of_months_short_years_and_half_days() -> None:
    cells = [
        "3 December 2023",
        "May 3, 2024",
        "1.2.99",
        "31/12/24",
        "13/5/2024 12:05 AM",
        "13/5/24 1:05:09 pm",
        "May 2024",
    ]
    found = dates.parse(pa.chunked_array([cells]))
    assert [None if np.isnat(v) else str(v)[:19] for v in found.values] == [
        *("2023-12-03T00:00:00", "2024-05-03T00:00:00", "1999-02-01T00:00:00", "2024-12-31T00:00:00"),
        *("2024-05-13T00:05:00", "2024-05-13T13:05:09", None),
    ]


def test_moments_with_a_time_zone_are_brought_to_utc() -> None:
    cells = ["2024-05-31T10:30:00Z", "2024-05-31 10:30+0530", "31.05.2024 23:30:00.5 -02", "2024-05-31 10:30 UTC"]
    cells += [
        "31/05/2024 01:00:00-03:30",
        "2024-05-31 10:30 +00:00",
        "2024-05-31 10:30",
        "2024-05-31 10:30+15:00",
        None,
    ]
    found = dates.parse(pa.chunked_array([cells]))
    assert [None if np.isnat(v) else str(v)[5:16] for v in found.values] == [
        *("05-31T10:30", "05-31T05:00", "06-01T01:30", "05-31T10:30"),
        *("05-31T04:30", "05-31T10:30", "05-31T10:30", None, None),
    ]
    assert found.zones == {"UTC": 3, "+05:30": 1, "-02:00": 1, "-03:30": 1}
    moment = datetime.datetime(2024, 5, 31, 10, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    typed = dates.parse(pa.chunked_array([pa.array([moment, None], pa.timestamp("us", "Europe/Berlin"))]))
    assert typed.values[0].item().hour == 8 and typed.zones == {"Europe/Berlin": 1}
    assert not dates.parse(pa.chunked_array([["2024-05-31 10:30"]])).zones


def test_time_zones_are_told(draft: Path) -> None:
    columns = {
        **BASE,
        "when": lambda i: f"2024-05-{i % 28 + 1:02} 10:00:00" + ("+02:00", "-05:00", "Z", "")[i % 4],
        "plain": lambda i: f"2024-05-{i % 28 + 1:02}T10:00:00Z",
        "none": lambda i: f"2024-05-{i % 28 + 1:02} 10:00",
    }
    result = check(draft, columns)
    found = finding(result, "time-zones")
    assert found["level"] == "info" and "'plain'" not in found["message"] and "'none'" not in found["message"]
    for part in ("'when'", "+02:00: 15", "-05:00: 15", "UTC: 15", "without a zone, taken as UTC: 15"):
        assert part in found["message"]
    hours = {r["features:when"].hour for part in data.load(draft).values() for r in part}
    assert hours == {8, 15, 10}


def test_days_and_months_with_slashes() -> None:
    def read(*cells: str) -> list[Any]:
        return [
            None if np.isnat(v) else (v.item().day, v.item().month)
            for v in dates.parse(pa.chunked_array([cells])).values
        ]

    assert read("01/02/2024", "13/02/2024") == [(1, 2), (13, 2)]
    assert read("01/02/2024", "02/13/2024") == [(2, 1), (13, 2)]
    assert read("01/02/2024", "02/13/2024", "02/14/2024", "13/02/2024") == [(2, 1), (13, 2), (14, 2), (13, 2)]
    assert dates.parse(pa.chunked_array([["01/02/2024"]])).unclear


def test_numbers_that_differ_beyond_what_a_model_can_tell_are_not_called_equal(draft: Path) -> None:
    result = check(draft, {"age": BASE["age"], "target": lambda i: 2**60 + i}, roles.NUMBERS)
    assert "differ behind the 15th digit" in finding(result, "numbers-too-alike")["message"]
    result = check(draft, {"age": BASE["age"], "target": lambda i: 2**60}, roles.NUMBERS)
    assert "Every row has the same value" in finding(result, "one-value")["message"]


@pytest.mark.parametrize("task", ["tabular-regression", "tabular-classification"])
@pytest.mark.parametrize("filled, enough", [(3, False), (4, False), (7, True)])
def test_too_few_rows_are_refused_by_the_check(draft: Path, task: str, filled: int, enough: bool) -> None:
    lines = [f"{i}.5,{i % 2 if i < filled else ''}" for i in range(9)]
    path = plant(draft.parent / "in", {"a.csv": "\n".join(["a,target", *lines]) + "\n"})
    resolved = resolve({"task": task, "data": {"source": "path", "path": str(path), "columns": {"target": "target"}}})
    result = data.check(draft, data.Request.of(resolved))
    found = [f for f in result["findings"] if f["code"] == "too-few-rows"]
    assert len(found) == (not enough) and bool(errors(result)) == (not enough)
    for refused in found:
        assert refused["level"] == "error" and "4 training rows are needed" in refused["hint"]
        assert not (draft / "data" / "manifest.json").exists()


@pytest.mark.parametrize("times", [2, 3])
def test_a_table_that_was_pasted_again_is_not_parted_between_copies(draft: Path, times: int) -> None:
    columns = {"c": lambda i: (i % 30 * 3) % 31 + 0.5, "target": lambda i: "xy"[i % 30 % 2]}
    check(draft, columns, count=30 * times, valid_fraction=0.2)
    train, validation = ({r["features:c"] for r in data.load(draft)[n]} for n in ("train", "validation"))
    assert validation and not train & validation
    draw = random.Random(1)
    check(draft, {"c": lambda i: draw.randrange(9), "target": lambda i: "xy"[i % 2]}, count=90, valid_fraction=0.2)
    train, validation = ({r["features:c"] for r in data.load(draft)[n]} for n in ("train", "validation"))
    assert train & validation, "of few values, the same row is chance"


NUMBERS = (
    "1| 2.5 |-3|+4|1e3|.5|7.|1,5|1.234,5|1,234.5|1 234,5|1'234.5|−5|inf|-Infinity|12 kg|€ 5|5 €|$1,200.50|US$ 12|EUR 12"
    "|-€5|€-5|Rs. 12|kr 5|Fr. 5|30%|(1.23)|($1.23)|€ (5)|(5) €|1.23-|12,-|12.--|5,– €|5 m²|+.5|CHF 1'200.-|1 234 €"
)


def test_what_is_read_as_a_number_is_not_ruled_out_by_how_it_begins() -> None:
    for cell in NUMBERS.split("|"):
        column = pa.chunked_array([[cell] * 12])
        read = numbers.parse(column, unit=None, brackets=True)
        assert read.infinite.all() or not np.isnan(read.values).any(), cell
        assert numbers.nearly_all(column, 1.0), cell
    assert all(numbers.nearly_all(pa.chunked_array([[w.upper()]]), 1.0) for w in (*numbers.WORDS, *numbers.ERRORS))
    some = pa.chunked_array([["1"] * 9 + ["pending"], pa.array(["", None], pa.string())])
    assert numbers.nearly_all(some, 0.9) and not numbers.nearly_all(some, 0.95)
    assert not any(numbers.nearly_all(pa.chunked_array([[t]]), 0.1) for t in ("city12", "note 12", "yes", "x 5"))


def test_what_is_read_as_a_date_is_not_ruled_out_by_how_it_begins() -> None:
    written = (
        *("2024-05-31", "2024/5/1", "31.5.2024 10:30", "2024-05-31T10:30:15.5+02:00", "3 May 2024", "3 December 2023"),
        *(
            "May 3, 2024",
            "1.2.99",
            "31/12/24",
            "13/5/2024 12:05 AM",
            "31-05-2024",
            " 2024-05-31 ",
            "1/2/2024 1:05:09 pm",
        ),
    )
    for cell in written:
        assert not np.isnat(dates.parse(pa.chunked_array([[cell]])).values[0]), cell
        assert dates.looks_like_dates(pa.chunked_array([[cell] * 20])), cell
    assert not dates.looks_like_dates(pa.chunked_array([["2024-05-31"] * 9 + ["soon"]]))
    assert dates.looks_like_dates(pa.chunked_array([["2024-05-31"] * 19 + ["soon"]]))
    assert not dates.looks_like_dates(pa.chunked_array([["20240531"] * 20]))  # more often a number
