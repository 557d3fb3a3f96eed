"""Categories of a feature that differ only in their spelling are named."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cases.conftest import CheckCase, check_path

TASK = "tabular-classification"


def test_spellings_of_a_feature_cities(check_case: CheckCase) -> None:
    message = check_case("49-feature-spellings", TASK, "cities.csv").message("category-spelling")
    assert "'city'" in message and "'Berlin'" in message and "'BERLIN'" in message and "'berlin'" in message


def _table(folder: Path, categories: Sequence[str]) -> Path:
    rows = [f'"{categories[i % len(categories)]}",{i % 7},{"ab"[i % 2]}' for i in range(60)]
    path = folder / "t.csv"
    path.write_text("\n".join(["city,size,target", *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    "categories",
    [
        ["Zürich", unicodedata.normalize("NFD", "Zürich"), "Bern"],
        ["New York", "new york", "Boston"],
        ["New York", "New  York", "Boston"],
        ["full-time", "full time", "half"],
        ["ＡＢ", "AB", "C"],
    ],
    ids=["NFC and NFD", "case", "spaces", "hyphen", "full width"],
)
def test_spellings_of_a_feature_are_named(tmp_path: Path, categories: list[str]) -> None:
    found = check_path(tmp_path, TASK, _table(tmp_path, categories))
    message = found.message("category-spelling")
    assert "(20) = " in message and "'city'" in message and not found.errors


@pytest.mark.parametrize(
    "categories", [["A", "A-", "A+"], ["C", "C++", "C#"], ["red", "green", "blue"]], ids=["A-", "C++", "words"]
)
def test_categories_with_signs_are_not_spellings_of_each_other(tmp_path: Path, categories: list[str]) -> None:
    assert "category-spelling" not in check_path(tmp_path, TASK, _table(tmp_path, categories)).codes()
