"""Classes, spelling, balance, duplicates: each a finding that names the place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.settings import Limits
from tests.unit.data.conftest import Check, classes, codes, errors, finding, names, plant


def test_one_class_is_an_error(tmp_path: Path, check: Check) -> None:
    for folder in ("cats", "photos/cats", "train/cats"):
        found = finding(
            check(plant(tmp_path / folder.replace("/", "-"), {f"{folder}/{i}.jpg": i for i in range(8)})), "one-class"
        )
        assert found["level"] == "error" and "'cats'" in found["message"] and "8 training rows" in found["message"]


def test_a_class_with_one_image_is_a_warning(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", {**classes("cat", "dog"), "cow/1.jpg": 5}))
    assert "'cow'" in finding(result, "class-with-one-row")["message"] and not errors(result)
    assert {label["name"]: label["validation"] for label in result["labels"]} == {"cat": 1, "cow": 0, "dog": 1}


def test_few_images_are_a_warning(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", {**classes("cat", count=5), **classes("dog", count=4, start=9000)}))
    assert (
        finding(result, "few-rows")["message"].count("'") == 2 and "'dog' (4)" in finding(result, "few-rows")["message"]
    )


def test_too_many_classes_are_an_error(tmp_path: Path, check: Check) -> None:
    limits = Limits(classes=20)
    result = check(plant(tmp_path / "in", classes(*(f"c{i}" for i in range(25)), count=1)), limits=limits)
    found = finding(result, "too-many-classes")
    assert found["level"] == "error" and "25 classes" in found["message"] and "at most 20" in found["message"]
    assert Limits().classes < 5000


def test_labels_that_differ_only_in_spelling_can_be_merged(tmp_path: Path, check: Check) -> None:
    rows = ["Cat", "cat", "cat ", "cat", "dog", "Dog_house", "dog house", "dog", "dog", "cat", "dog", "dog"]
    files: dict[str, Any] = {f"{i}.jpg": i for i in range(len(rows))}
    folder = plant(
        tmp_path / "in",
        {**files, "t.jsonl": "\n".join(f'{{"file": "{i}.jpg", "label": "{r}"}}' for i, r in enumerate(rows))},
    )
    result = check(folder)
    found = finding(result, "label-spelling")
    assert found["level"] == "warning" and "'Cat' (1)" in found["message"] and len(names(result)) == 6
    assert found["fix"]["change"]["labels"] == {"Cat": "cat", "cat ": "cat", "Dog_house": "dog house"}
    mended = check(folder, labels=found["fix"]["change"]["labels"])
    assert names(mended) == ["cat", "dog", "dog house"] and "label-spelling" not in codes(mended)


def test_imbalance_is_reported(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", {**classes("cat", count=61), **classes("dog", count=6, start=9000)}))
    found = finding(result, "imbalance")
    assert (
        "'cat' has 61 rows" in found["message"]
        and "'dog' 6 rows" in found["message"]
        and "class_weights" in found["hint"]
    )
    assert "imbalance" not in codes(
        check(plant(tmp_path / "b", {**classes("a", count=60), **classes("b", count=6, start=9000)}))
    )


def test_duplicate_image_in_two_classes_is_reported(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", {**classes("cat", "dog"), "cat/same.jpg": 7777, "dog/same.jpg": 7777}))
    found = finding(result, "same-in-two-classes")
    assert "cat/same.jpg (cat) = dog/same.jpg (dog)" in found["message"]


def test_duplicate_image_in_both_splits_is_reported(tmp_path: Path, check: Check) -> None:
    files = {
        **classes("cat", "dog", prefix="train/"),
        **classes("cat", "dog", prefix="valid/", start=50),
        "train/cat/x.jpg": 8888,
        "valid/cat/y.jpg": 8888,
    }
    found = finding(check(plant(tmp_path / "in", files)), "same-in-train-and-validation")
    assert "1 validation image is" in found["message"] and "train/cat/x.jpg = valid/cat/y.jpg" in found["message"]


def test_duplicates_stay_in_one_split(tmp_path: Path, check: Check, draft: Path) -> None:
    from autotrain_gradio import data

    files: dict[str, Any] = {
        f"{c}/{i}_{k}.jpg": 100 * ord(c[0]) + i for c in ("cat", "dog") for i in range(10) for k in range(3)
    }
    result = check(plant(tmp_path / "in", files), valid_fraction=0.3)
    assert "40 duplicate images" in finding(result, "duplicates")["message"]
    sides: dict[tuple[str, str], set[str]] = {}
    for name, part in data.load(draft).items():
        for row in part:
            path = Path(row["image"]["path"])
            sides.setdefault((path.parent.name, path.name.partition("_")[0]), set()).add(name)
    assert len(sides) == 20 and all(len(s) == 1 for s in sides.values())
    assert result["splits"] == {"train": 42, "validation": 18}


@pytest.mark.parametrize("broken", ["cat", "dog"])
def test_class_whose_images_are_all_damaged_is_removed(tmp_path: Path, check: Check, broken: str) -> None:
    files: dict[str, Any] = {**classes("cat", "dog", "cow"), **{f"{broken}/{i}.jpg": b"" for i in range(6)}}
    result = check(plant(tmp_path / "in", files))
    assert broken not in names(result) and len(names(result)) == 2
    assert result["dropped"] == [{"code": "image-empty", "count": 6}]


def test_class_without_training_rows_is_reported(tmp_path: Path, check: Check) -> None:
    files = {**classes("cat", "dog", prefix="train/"), **classes("cat", "cow", prefix="valid/", start=50)}
    assert "cow" in finding(check(plant(tmp_path / "in", files)), "class-not-trained")["message"]
