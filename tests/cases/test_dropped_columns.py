"""Columns that look like dates or numbers but are dropped as ids, or taken as text, say so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cases.conftest import Checked, check_path


def checked(folder: Path, cell: Callable[[int], str], **settings: object) -> Checked:
    folder.mkdir(exist_ok=True)
    rows = "".join(f'"{cell(k)}",{k * 7 % 11},{"ab"[k * k % 3 % 2]}\n' for k in range(60))
    (folder / "a.csv").write_text(f"seen,size,target\n{rows}", encoding="utf-8")
    return check_path(folder, "tabular-classification", folder / "a.csv", **settings)


def kind(found: Checked) -> str:
    return next(c["feature"] for c in found.result["columns"] if c["name"] == "seen")


@pytest.mark.parametrize(
    ("cell", "code", "shown", "fixed"),
    [
        (lambda k: f"2024-05-{k % 28 + 1:02}" if k % 4 else f"soon {k}", "mostly-dates", "'soon 0'", "date"),
        (lambda k: f"{k % 28 + 1}.{k % 12 + 1}.2023" if k % 3 else "spring", "mostly-dates", "'spring'", "date"),
        (lambda k: f"{k * 1.7:.2f}" if k % 3 else f"no one saw it at {k}", "mostly-numbers", "as text", "number"),
        (lambda k: str(k + 1000), "id-like", "'seen' holds numbers", "number"),
    ],
    ids=["dates and words", "German dates and one word", "numbers and sentences", "counter"],
)
def test_a_column_that_is_mostly_of_another_kind(
    tmp_path: Path, cell: Callable[[int], str], code: str, shown: str, fixed: str
) -> None:
    found = checked(tmp_path / "1", cell)
    assert shown in found.message(code) and kind(found) != fixed
    fix = next(f["fix"]["change"] for f in found.result["findings"] if f["code"] == code)
    assert kind(checked(tmp_path / "2", cell, **fix)) == fixed


@pytest.mark.parametrize(
    "cell",
    [lambda k: f"A{k:04}", lambda k: f"{k * 37:05}", lambda k: ["red", "green", "blue"][k % 3]],
    ids=["codes", "codes with leading zeros", "categories"],
)
def test_other_columns_are_not_reported(tmp_path: Path, cell: Callable[[int], str]) -> None:
    found = checked(tmp_path, cell)
    assert not {"mostly-dates", "mostly-numbers"} & set(found.codes())
    assert not any("fix" in f for f in found.result["findings"] if f["code"] == "id-like")
