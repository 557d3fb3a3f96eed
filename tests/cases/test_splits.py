"""Words of splits in names, files that are used nowhere, and the classes that the training rows have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cases.conftest import CheckCase, Checked, check_path
from tests.unit.data.conftest import picture, plant

TABLES = "tabular-classification"


def table(rows: int = 30, start: int = 0) -> str:
    lines = [f"{k * 7 % 50},{k % 9},{'late' if k % 3 else 'on time'}" for k in range(start, start + rows)]
    return "hour,rain,target\n" + "\n".join(lines) + "\n"


def checked(folder: Path, files: dict[str, Any], task: str = TABLES, **settings: Any) -> Checked:
    return check_path(folder, task, plant(folder / "in", files), **settings)


@pytest.mark.parametrize(
    ("names", "used", "message"),
    [
        pytest.param(
            ["train-2021.csv", "train-2022.csv", "bus-2021.csv"], 90, "'train' in train-2021.csv", id="trains and buses"
        ),
        pytest.param(["test_results.csv"], 30, "'test' in test_results.csv", id="results of a test"),
        pytest.param(["eval form 1.csv", "eval form 2.csv"], 60, "'eval' in eval form 1.csv", id="evaluation forms"),
        pytest.param(["dev-teams.csv", "ops-teams.csv", "hr.csv"], 90, "'dev' in dev-teams.csv", id="teams"),
        pytest.param(["my_train.csv"], 30, "", id="a table called train, alone"),
    ],
)
def test_a_word_in_a_name_alone_is_not_a_split(tmp_path: Path, names: list[str], used: int, message: str) -> None:
    found = checked(tmp_path, {name: table(start=30 * k) for k, name in enumerate(names)})
    assert not found.errors and len(found.rows()) == used
    assert message in found.message("split-word") if message else "split-word" not in found.codes()


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        pytest.param(["bus_train.csv", "bus_valid.csv"], (30, 30), id="two splits"),
        pytest.param(["bus.csv", "bus-test.csv"], (24, 6), id="a split beside its table"),
        pytest.param(["train.csv", "valid_2021.csv"], (30, 30), id="a split's own name beside a word"),
        pytest.param(["photos-train/a.csv", "photos-val/b.csv"], (30, 30), id="words in names of folders"),
    ],
)
def test_words_of_splits_beside_others_are_splits(tmp_path: Path, names: list[str], splits: Sequence[int]) -> None:
    found = checked(tmp_path, {name: table(start=30 * k) for k, name in enumerate(names)})
    assert not found.errors and "split-word" not in found.codes()
    assert found.result["splits"] == dict(zip(("train", "validation"), splits, strict=True))


@pytest.mark.parametrize(
    ("folder", "task", "rows"),
    [
        pytest.param("two", TABLES, 120, id="tables of trains and buses"),
        pytest.param("blood", TABLES, 40, id="results of a test"),
        pytest.param("files", "image-classification", 16, id="pictures of trains and test tubes"),
        pytest.param("vehicles", "image-classification", 24, id="a class called train"),
        pytest.param("trial", "image-classification", 16, id="a class called test"),
        pytest.param("coins", "image-classification", 16, id="valid beside invalid"),
        pytest.param("coins2", "image-classification", 20, id="valid beside invalid, with folders inside"),
    ],
)
def test_no_row_is_lost_to_a_word_of_a_split(check_case: CheckCase, folder: str, task: str, rows: int) -> None:
    found = check_case("35-split-words", task, folder)
    assert not found.codes("error", "warning") and len(found.rows()) == rows
    if folder == "coins2":
        assert found.classes == ["invalid", "valid"]


TEXTS = "text,label\n" + "".join(f"some words of the message {k},{{}}\n" for k in range(12))
ONE, TWO = TEXTS.replace("{}", "spam"), TEXTS.replace("some", "other").replace("{}", "spam", 6).replace("{}", "ham")


def test_one_class_to_learn_is_an_error(check_case: CheckCase) -> None:
    found = check_case("42-valid-has-more-classes", "text-classification")
    assert found.errors == ["one-class"] and "Only validation rows have 'ham'" in found.message("one-class")


@pytest.mark.parametrize(
    ("files", "task", "settings"),
    [
        pytest.param({"train.csv": ONE, "dev.csv": TWO}, "text-classification", {}, id="two files"),
        pytest.param(
            {"train.csv": ONE, "test.csv": TWO},
            "text-classification",
            {"valid_split": "test"},
            id="the test split, as chosen",
        ),
        pytest.param(
            {
                "a.csv": "split,text,label\n"
                + "".join(
                    f"{'train' if k < 9 else 'valid'},words {k} {k},{'ham' if k > 9 else 'spam'}\n" for k in range(12)
                )
            },
            "text-classification",
            {},
            id="a column of splits",
        ),
        pytest.param(
            {
                f"{s}/{c}/{k}.png": picture((9 * k, 5 * len(s), 7))
                for s, c in (("train", "cat"), ("valid", "cat"), ("valid", "dog"))
                for k in range(5)
            },
            "image-classification",
            {},
            id="folders",
        ),
    ],
)
def test_classes_are_counted_among_training_rows(
    tmp_path: Path, files: dict[str, Any], task: str, settings: dict[str, Any]
) -> None:
    assert "one-class" in checked(tmp_path, files, task, **settings).errors


def test_classes_of_training_rows_are_enough(tmp_path: Path) -> None:
    found = checked(tmp_path, {"train.csv": TWO, "dev.csv": ONE}, "text-classification")
    assert not found.errors and "class-not-trained" not in found.codes()
