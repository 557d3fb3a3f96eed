"""Which labels are one class, whatever the format of the file, and which are never taken for a spelling of another."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cases.conftest import CheckCase, check_path

TABLE, TEXT = "tabular-classification", "text-classification"


@pytest.mark.parametrize(
    "file, task, classes",
    [
        ("sentiment.csv", TEXT, ["-1", "0", "1"]),
        ("grades.csv", TABLE, ["1.1", "11", "A", "A-", "B"]),
    ],
    ids=["identity of labels: -1 and 1", "identity of labels: A and A-, 1.1 and 11"],
)
def test_signs_in_labels(check_case: CheckCase, file: str, task: str, classes: list[str]) -> None:
    column = "grade" if task == TABLE else "label"
    found = check_case("01-labels-signs", task, file, columns={"target": column})
    assert sorted(found.classes) == classes and "label-spelling" not in found.codes() and not found.errors


def test_identity_of_labels_floats_in_one_of_two_files(check_case: CheckCase) -> None:
    found = check_case("05-float-labels", TABLE)
    assert found.classes == ["0", "1", "2", "10"] and not found.codes("error", "warning")
    assert "'0.0' = '0'" in found.message("label-same-number") or "'0' = '0.0'" in found.message("label-same-number")


def test_identity_of_labels_floats_in_one_file(check_case: CheckCase) -> None:
    found = check_case("05b-float-labels-one-file", TABLE)
    assert found.classes == ["0", "1", "2"] and not found.errors


def test_identity_of_labels_ratings_with_halves(check_case: CheckCase) -> None:
    found = check_case("41-targets", TEXT, "ratings.csv")
    assert found.classes == ["1", "3", "4.5", "5"] and not found.errors


ROWS = 24
WORDS = [f"the {'soup' if i % 3 else 'fish'} number {i} was as it was" for i in range(ROWS)]


def _csv(labels: Sequence[Any], path: Path) -> Path:
    path = path.with_suffix(".csv")
    path.write_text("text,label\n" + "".join(f'"{w}",{v}\n' for w, v in zip(WORDS, labels, strict=True)))
    return path


def _xlsx(labels: Sequence[Any], path: Path) -> Path:
    book = openpyxl.Workbook()
    for row in [("text", "label"), *zip(WORDS, labels, strict=True)]:
        book.active.append(row)
    path = path.with_suffix(".xlsx")
    book.save(path)
    return path


def _parquet(labels: Sequence[Any], path: Path) -> Path:
    path = path.with_suffix(".parquet")
    pq.write_table(pa.table({"text": WORDS, "label": pa.array(labels)}), path)
    return path


def _json(labels: Sequence[Any], path: Path) -> Path:
    path = path.with_suffix(".jsonl")
    path.write_text("\n".join(json.dumps({"text": w, "label": v}) for w, v in zip(WORDS, labels, strict=True)))
    return path


WRITERS: list[Callable[[Sequence[Any], Path], Path]] = [_csv, _xlsx, _parquet, _json]
RATINGS = [1, 2, 4.5]


@pytest.mark.parametrize("write", WRITERS, ids=lambda w: w.__name__.strip("_"))
@pytest.mark.parametrize(
    "labels, classes",
    [
        ([float(i % 3) for i in range(ROWS)], ["0", "1", "2"]),
        ([i % 3 for i in range(ROWS)], ["0", "1", "2"]),
        ([str(float(i % 3)) for i in range(ROWS)], ["0", "1", "2"]),
        ([float(RATINGS[i % 3]) for i in range(ROWS)], ["1", "2", "4.5"]),
        ([-float(i % 2) for i in range(ROWS)], ["-1", "0"]),
    ],
    ids=["floats", "integers", "texts", "ratings", "negative zero"],
)
def test_a_number_is_the_same_class_in_every_format(
    tmp_path: Path, write: Callable[[Sequence[Any], Path], Path], labels: list[Any], classes: list[str]
) -> None:
    found = check_path(tmp_path, TEXT, write(labels, tmp_path / "reviews"))
    assert sorted(found.classes) == classes and not found.errors


def test_formats_that_are_joined_have_one_class_for_a_number(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number, write in enumerate(WRITERS):
        write([[0, 1], [0.0, 1.0], ["0", "1"], [0.0, 1]][number] * (ROWS // 2), folder / f"part{number}")
    found = check_path(tmp_path, TEXT, folder)
    assert found.classes == ["0", "1"] and not found.errors and found.result["rows"] == ROWS * len(WRITERS)


@pytest.mark.parametrize(
    "labels",
    [
        [[0.0, 1.0], [1.0], [0.0]],
        [["0", "1.0"], ["1"], ["0.0"]],
        ["[0, 1]", "[1.0]", "[0.0]"],
        ["0;1", "1.0", "0"],
    ],
    ids=["lists of floats", "lists of texts", "texts of lists", "texts with delimiters"],
)
def test_numbers_are_one_class_among_several_labels_a_row(tmp_path: Path, labels: list[Any]) -> None:
    options = {"label_delimiter": ";"} if ";" in labels[0] else {}
    found = check_path(tmp_path, TEXT, _json(labels * (ROWS // 3), tmp_path / "t"), options=options)
    assert found.classes == ["0", "1"] and not found.errors
    assert sorted({tuple(row["target"]) for row in found.rows()}) == [(0,), (0, 1), (1,)]


@pytest.mark.parametrize(
    "labels",
    [["+", "-", "0"], ["C", "C++", "C#"], ["A", "A-", "A+"], ["1.1", "11", "1.10"], ["007", "7", "07"]],
    ids=" ".join,
)
def test_labels_that_differ_by_a_sign_stay_as_they_are(tmp_path: Path, labels: list[str]) -> None:
    found = check_path(tmp_path, TEXT, _csv(labels * (ROWS // 3), tmp_path / "t"))
    assert sorted(found.classes) == sorted(labels) and "label-spelling" not in found.codes()


def test_a_renaming_of_an_earlier_draft_still_applies(tmp_path: Path) -> None:
    path = _csv(["0.0", "1.0", "2.0"] * (ROWS // 3), tmp_path / "t")
    found = check_path(tmp_path, TEXT, path, labels={"0.0": "bad", "2.0": None})
    assert sorted(found.classes) == ["1", "bad"] and "label-mapping-unused" not in found.codes()
