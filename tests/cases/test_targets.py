"""Targets of a regression that are written as people write them, and those that are no amounts."""

from __future__ import annotations

import datetime
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


def test_target_in_percent(check_case: CheckCase) -> None:
    found = check_case("41-targets", NUMBERS, "percent.csv", columns={"target": "score"}, valid_fraction=0)
    assert all(0 <= score <= 1 for score in found.column("target:score"))
    assert "44 numbers have a percent sign" in found.message("percent-as-fraction")
    assert not found.codes("error", "warning")


def test_target_of_accounts(check_case: CheckCase) -> None:
    found = check_case("41-targets", NUMBERS, "accounting.csv", columns={"target": "price"}, valid_fraction=0)
    assert set(found.column("target:price")) == {12.0, 1204.5, -1204.5, 1000.0, 999.0} and not found.errors
    assert "9 rows have no value" in found.message("number-missing") and "'-'" in found.message("number-missing")
    assert "in $" in found.message("unit-taken-off")


def test_target_with_limits(check_case: CheckCase) -> None:
    found = check_case("54-limits-in-target", NUMBERS, columns={"target": "lead"}, valid_fraction=0)
    limit = next(f for f in found.result["findings"] if f["code"] == "number-limit")
    assert "'<1.0'" in limit["message"] and limit["level"] == "warning" and "number-unreadable" not in found.codes()
    skipped = next(d["count"] for d in found.result["dropped"] if d["code"] == "number-limit")
    assert skipped + found.result["splits"]["train"] == 60


def test_target_with_limits_that_are_read_as_values(check_case: CheckCase) -> None:
    options = {"limits": "values"}
    found = check_case("54-limits-in-target", NUMBERS, columns={"target": "lead"}, options=options, valid_fraction=0)
    assert found.result["splits"] == {"train": 60} and 1.0 in found.column("target:lead")
    assert "limits" in found.codes("info")


def test_target_of_dates(check_case: CheckCase) -> None:
    found = check_case("56-date-target", NUMBERS, columns={"target": "delivered"})
    message = found.message("target-is-date")
    assert "2023-" in message and "days" in message and "number-unreadable" not in found.codes()


def test_target_of_truth_values(check_case: CheckCase) -> None:
    found = check_case("57-bool-target-regression", NUMBERS)
    assert "classification" in found.message("target-is-truth-value") and "number-unreadable" not in found.codes()


@pytest.mark.parametrize("file, column", [("load.csv", "Timestamp"), ("load-us-zone.csv", "when")])
def test_timestamps_are_dates(check_case: CheckCase, file: str, column: str) -> None:
    found = check_case("11-timestamps", NUMBERS, file, columns={"target": "load"})
    about = next(c for c in found.result["columns"] if c["name"] == column)
    assert about["feature"] == "date" and about["missing"] == 0 and not found.errors


def csv(folder: Path, cells: Sequence[Any]) -> Path:
    lines = [f'{i % 7},"{cell}"' for i, cell in enumerate(cells)]
    (folder / "t.csv").write_text("\n".join(["a,t", *lines]) + "\n", encoding="utf-8")
    return folder / "t.csv"


def xlsx(folder: Path, cells: Sequence[Any]) -> Path:
    book = openpyxl.Workbook()
    for row in [("a", "t"), *((i % 7, cell) for i, cell in enumerate(cells))]:
        book.active.append(row)
    book.save(folder / "t.xlsx")
    return folder / "t.xlsx"


def parquet(folder: Path, cells: Sequence[Any]) -> Path:
    pq.write_table(pa.table({"a": [i % 7 for i in range(len(cells))], "t": list(cells)}), folder / "t.parquet")
    return folder / "t.parquet"


def check(folder: Path, path: Path, **given: Any) -> Checked:
    return check_path(folder, NUMBERS, path, **({"columns": {"target": "t"}, "valid_fraction": 0} | given))


@pytest.mark.parametrize("write", [csv, xlsx, parquet])
@pytest.mark.parametrize(
    "cells, code",
    [
        ([i % 3 == 0 for i in range(ROWS)], "target-is-truth-value"),
        ([["yes", "No"][i % 2] for i in range(ROWS)], "target-is-truth-value"),
        ([datetime.datetime(2024, 1, 1) + datetime.timedelta(days=i) for i in range(ROWS)], "target-is-date"),
        ([f"{i % 28 + 1}.3.2024" for i in range(ROWS)], "target-is-date"),
    ],
    ids=["boolean values", "yes and no", "dates", "dates as text"],
)
def test_targets_that_are_no_amounts(tmp_path: Path, write: Any, cells: list[Any], code: str) -> None:
    found = check(tmp_path, write(tmp_path, cells))
    assert code in found.errors and "no-numbers" not in found.codes()


@pytest.mark.parametrize(
    "cells, wanted",
    [
        ([f"{i}.5%" for i in range(ROWS)], [(i + 0.5) / 100 for i in range(ROWS)]),
        ([f"{i},5 %" for i in range(ROWS)], [(i + 0.5) / 100 for i in range(ROWS)]),
        (
            [f"({i} %)" if i % 2 else f"{i} %" for i in range(ROWS)],
            [-i / 100 if i % 2 else i / 100 for i in range(ROWS)],
        ),
        ([f"EUR {i}" if i % 2 else f"€{i}" for i in range(ROWS)], [float(i) for i in range(ROWS)]),
        ([f"Fr. {i}" if i % 2 else f"CHF {i}" for i in range(ROWS)], [float(i) for i in range(ROWS)]),
        (
            [f"{i}.50-" if i % 2 else f"{i}.50" for i in range(ROWS)],
            [-i - 0.5 if i % 2 else i + 0.5 for i in range(ROWS)],
        ),
    ],
    ids=["percent", "percent with comma", "negative percent", "euro", "francs", "minus behind"],
)
def test_amounts_as_people_write_them(tmp_path: Path, cells: list[str], wanted: list[float]) -> None:
    found = check(tmp_path, csv(tmp_path, cells))
    assert found.column("target:t") == pytest.approx(wanted) and not found.codes("error", "warning")


def test_percents_of_a_workbook_are_those_of_a_csv(tmp_path: Path) -> None:
    shares = [round(0.013 * i, 3) for i in range(ROWS)]
    folders = [tmp_path / "csv", tmp_path / "xlsx"]
    for folder in folders:
        folder.mkdir()
    found = [
        check(folders[0], csv(folders[0], [f"{100 * s:.1f}%" for s in shares])),
        check(folders[1], xlsx(folders[1], shares)),
    ]
    assert found[0].column("target:t") == found[1].column("target:t") == shares


def test_numbers_without_a_sign_beside_percents_are_a_warning(tmp_path: Path) -> None:
    found = check(tmp_path, csv(tmp_path, [f"{i} %" if i % 4 else i + 20 for i in range(ROWS)]))
    assert "10 numbers have no percent sign" in found.message("percent-beside-numbers")


@pytest.mark.parametrize("limit", ["<{}", "> {}", "≤{}", "{}+"])
def test_limits_in_a_target_can_be_read_as_values(tmp_path: Path, limit: str) -> None:
    path = csv(tmp_path, [limit.format(5) if i % 4 == 0 else i for i in range(ROWS)])
    found = check(tmp_path, path)
    fix = next(f["fix"] for f in found.result["findings"] if f["code"] == "number-limit")
    assert found.result["splits"] == {"train": 30} and not found.errors
    (tmp_path / "again").mkdir()
    again = check(tmp_path / "again", path, **fix["change"])
    assert again.result["splits"] == {"train": 40} and again.column("target:t")[0] == 5


@pytest.mark.parametrize(
    "cell, wanted",
    [
        ("2024-03-{:02}-10:30:00", "2024-03-{:02} 10:30"),
        ("2024-03-{:02}_10:30", "2024-03-{:02} 10:30"),
        ("3/{}/24 10:30 AM EST", "2024-03-{:02} 15:30"),
        ("{}.3.2024 10:30 MESZ", "2024-03-{:02} 08:30"),
        ("{} Mar 2024 10:30 CET", "2024-03-{:02} 09:30"),
        ("2024-03-{:02}T10:30:00 PDT", "2024-03-{:02} 17:30"),
    ],
)
def test_times_and_zones_of_dates(tmp_path: Path, cell: str, wanted: str) -> None:
    lines = [f'"{cell.format(i % 28 + 1)}",{i % 7}' for i in range(ROWS)]
    (tmp_path / "t.csv").write_text("\n".join(["when,t", *lines]) + "\n", encoding="utf-8")
    found = check(tmp_path, tmp_path / "t.csv")
    assert [f"{d:%Y-%m-%d %H:%M}" for d in found.column("features:when")] == [
        wanted.format(i % 28 + 1) for i in range(ROWS)
    ]


@pytest.mark.parametrize(
    "cell", ["2024-Q{3}", "2024W{0}", "202403{1:02}T1030", "{1:02}/03/2024 10h30", "2024-03-{1:02} at noon"], ids=repr
)
def test_dates_in_an_unknown_form_are_said(tmp_path: Path, cell: str) -> None:
    lines = [f'"{cell.format(i + 10, i % 28 + 1, i, i % 4 + 1)}",{i % 7}' for i in range(ROWS)]
    (tmp_path / "t.csv").write_text("\n".join(["when,t", *lines]) + "\n", encoding="utf-8")
    found = check(tmp_path, tmp_path / "t.csv")
    assert "'when' ('20" in found.message("unknown-dates") or "'when' ('01/03" in found.message("unknown-dates")


@pytest.mark.parametrize("cell", ["2024-{0:04}", "v{0}.2.20", "{0}2024", "10.0.0.{0}", "room {0}"])
def test_ids_and_names_are_not_called_dates(tmp_path: Path, cell: str) -> None:
    lines = [f'"{cell.format(i + 100)}",{i % 5},{i % 7}' for i in range(ROWS)]
    (tmp_path / "t.csv").write_text("\n".join(["what,b,t", *lines]) + "\n", encoding="utf-8")
    assert "unknown-dates" not in check(tmp_path, tmp_path / "t.csv").codes()
