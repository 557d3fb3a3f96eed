"""Targets of tables: which column is predicted, what is said of it, and rows that are too few or the same."""

from __future__ import annotations

import datetime
import math
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from autotrain_gradio import data
from autotrain_gradio.data.checks import table_rows
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.tasks.registry import resolve
from tests.unit.data import roles
from tests.unit.data.conftest import codes, errors, finding, plant
from tests.unit.data.test_columns_of_tables import BASE, ROWS, Maker, check, kinds


def test_a_missing_target_offers_the_last_column(draft: Path) -> None:
    found = finding(
        check(draft, {"a": BASE["age"], "b": BASE["age"], "z": BASE["target"]}, roles.NUMBERS), "column-unclear"
    )
    assert found["fix"]["change"] == {"columns": {"target": ["z"]}}
    assert found["message"] == "Select the column that holds the target: any of them could."
    assert found["hint"] == "Choose it among a, b, z."


def test_no_number_is_taken_for_the_target_because_it_is_one(tmp_path: Path, draft: Path) -> None:
    columns = {n: [math.sin(i * k) for i in range(ROWS)] for k, n in enumerate("abc", 2)}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    result = roles.check(draft, roles.NUMBERS, tmp_path / "t.parquet")
    assert codes(result, "error") == ["column-unclear"] and "target" not in result["mapping"]


def test_a_column_of_splits_is_not_a_feature(draft: Path) -> None:
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
def test_a_column_is_not_both_feature_and_target(draft: Path, of: tuple[Column, ...], role: str) -> None:
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


def test_numbers_that_differ_beyond_what_a_model_can_tell_are_not_called_equal(draft: Path) -> None:
    result = check(draft, {"age": BASE["age"], "target": lambda i: 2**60 + i}, roles.NUMBERS)
    assert "differ only after the 15th digit" in finding(result, "numbers-too-alike")["message"]
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


def test_too_many_labels_are_refused_by_the_check(draft: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_rows, "MAX_LABEL_CELLS", 200)
    rows = [f"{i}.5,{'|'.join(n for k, n in enumerate('abcde') if k == i % 5 or i % (k + 2) == 0)}" for i in range(60)]
    path = plant(draft.parent / "in", {"a.csv": "\n".join(["a,target", *rows]) + "\n"})
    spec = {"source": "path", "path": str(path), "columns": {"target": "target"}, "valid_fraction": 0.2}
    for task, most, refused in (("tabular", None, True), ("tabular", 20, False), ("text-classification", None, False)):
        columns = {"target": "target"} if task == "tabular" else {"target": "target", "text": "a"}
        given = {"task": task, "data": {**spec, "columns": columns, "max_samples": most}}
        result = data.check(draft, data.Request.of(resolve(given)))
        assert errors(result) == (["too-many-labels"] if refused else [])
        if refused:
            found = finding(result, "too-many-labels")
            assert found["message"].startswith("60 rows with 5 labels are too many")
            assert "lower max_samples: with 5 labels at most 40 rows can be used" in found["hint"]


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
