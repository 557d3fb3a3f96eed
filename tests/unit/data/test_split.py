"""Training and validation rows: stratified, grouped, repeatable, capped by class."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio import data
from autotrain_gradio.core.errors import SpecError
from autotrain_gradio.data.pipeline.split import balanced, split
from autotrain_gradio.data.rows import Cells, Rows
from tests.unit.data.conftest import Check, classes, codes, finding, plant, resolved


def rows_of(counts: dict[str, int], copies: int = 1) -> Rows:
    labels = [name for name, n in counts.items() for _ in range(n)]
    where = [f"{i}" for i in range(len(labels))]
    rows = Rows(where, [False] * len(labels))
    rows.cells["target"] = Cells(list(labels), [None] * len(labels), names=list(counts))
    rows.cells["image"] = Cells(
        where, [None] * len(labels), {"digest": [f"{i // copies}" for i in range(len(labels))]}, media=True
    )
    rows.columns = {c.role: c for c in request().columns}
    return rows


def request(**given: Any) -> data.Request:
    return data.Request.of(resolved(**given))


def counts(rows: Rows, part: str) -> Counter[str]:
    return Counter(rows.cells["target"].values[i] for i in rows.indices(part))


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5])
def test_split_is_stratified_by_class(fraction: float) -> None:
    rows = rows_of({"a": 100, "b": 40, "c": 10})
    how, found = split(rows, request(valid_fraction=fraction), None)
    assert counts(rows, "validation") == {"a": 100 * fraction, "b": 40 * fraction, "c": 10 * fraction}
    assert f"{fraction:.0%} of each class" in how and "seed 42" in how and not found


def test_small_classes_have_rows_in_both_splits() -> None:
    rows = rows_of({"one": 1, "two": 2, "three": 3, "many": 50})
    split(rows, request(valid_fraction=0.01), None)
    assert counts(rows, "train") == {"one": 1, "two": 1, "three": 2, "many": 49}
    rows = rows_of({"two": 2, "three": 3})
    split(rows, request(valid_fraction=0.95), None)
    assert min(counts(rows, "train").values()) >= 1


def test_split_depends_on_the_seed(check: Check, tmp_path: Path, draft: Path) -> None:
    def chosen(seed: int) -> list[int]:
        rows = rows_of({"a": 50, "b": 50})
        spec = resolved()
        spec.params.seed = seed
        split(rows, data.Request.of(spec), None)
        return list(rows.indices("validation"))

    assert chosen(42) == chosen(42) and chosen(42) != chosen(43)


def test_fraction_of_zero_means_no_validation(tmp_path: Path, check: Check, draft: Path) -> None:
    result = check(plant(tmp_path / "in", classes("cat", "dog")), valid_fraction=0)
    assert result["splits"] == {"train": 12} and "No validation" in result["split_how"]
    assert list(data.load(draft)) == ["train"]


def test_groups_are_never_divided_between_splits() -> None:
    rng = random.Random(0)
    for _ in range(50):
        copies = rng.choice([2, 3, 5])
        rows = rows_of({"a": rng.randint(1, 60) * copies, "b": rng.randint(1, 9) * copies}, copies)
        split(rows, request(valid_fraction=rng.choice([0.1, 0.3])), None)
        digest = rows.cells["image"].facts["digest"]
        assert not {digest[i] for i in rows.indices("train")} & {digest[i] for i in rows.indices("validation")}
        assert counts(rows, "train")["a"] and counts(rows, "train")["b"]


def test_too_few_rows_to_validate_are_reported(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "in", classes("cat", "dog", count=1)))
    assert result["splits"] == {"train": 2} and "no-validation" in codes(result, "warning")


@pytest.mark.parametrize(
    "sizes, limit, want",
    [
        ({"a": 100, "b": 100}, 10, {"a": 5, "b": 5}),
        ({"a": 100, "b": 2}, 10, {"a": 8, "b": 2}),
        ({"a": 100, "b": 100, "c": 100}, 10, {"a": 4, "b": 3, "c": 3}),
        ({"a": 3, "b": 4}, 100, {"a": 3, "b": 4}),
        ({"a": 5, "b": 5, "c": 5}, 2, {"a": 1, "b": 1, "c": 0}),
    ],
)
def test_limit_is_distributed_evenly_among_classes(sizes: dict[str, int], limit: int, want: dict[str, int]) -> None:
    assert balanced(sizes, limit) == want


def test_max_samples_is_balanced_counted_and_reported(tmp_path: Path, check: Check) -> None:
    files = {**classes("cat", count=40), **classes("dog", count=8, start=9000)}
    result = check(plant(tmp_path / "in", files), max_samples=10)
    assert result["splits"] == {"train": 10, "validation": 2}
    assert {label["name"]: label["train"] for label in result["labels"]} == {"cat": 5, "dog": 5}
    assert result["dropped"] == [{"code": "over-max-samples", "count": 36}]
    assert "10 of 38 training rows" in result["split_how"]


def test_max_samples_leaves_a_given_validation_split_alone(tmp_path: Path, check: Check) -> None:
    files = {**classes("cat", "dog", prefix="train/"), **classes("cat", "dog", prefix="valid/", start=70)}
    assert check(plant(tmp_path / "in", files), max_samples=4)["splits"] == {"train": 4, "validation": 12}


def test_one_split_for_both_is_an_error(tmp_path: Path, check: Check) -> None:
    folder = plant(tmp_path / "in", classes("cat", "dog", prefix="train/"))
    assert finding(check(folder, valid_split="train"), "same-split")["level"] == "error"


def test_a_fraction_out_of_range_is_refused_by_the_spec() -> None:
    with pytest.raises(SpecError):
        resolved(valid_fraction=1.0)
