"""Speakers and recordings: rows that belong together are never parted, where there are enough of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotrain_gradio import data
from tests.unit.data import roles
from tests.unit.data.conftest import finding, plant


def write(folder: Path, speakers: int, recordings: int = 0) -> Path:
    lines = [
        f"sentence number {i} of them,{i}.5,s{i % speakers},{f'r{i % recordings}' if recordings else ''}\n"
        for i in range(100)
    ]
    return plant(folder, {"a.csv": "text,start,speaker,recording\n" + "".join(lines)})


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_speakers_are_not_divided_between_splits(tmp_path: Path, draft: Path, seed: int) -> None:
    result = roles.check(draft, roles.SPEECH, write(tmp_path / "in", 7 + seed))
    sides = [set(part["speaker"]) for part in data.load(draft).values()]
    assert len(sides) == 2 and not sides[0] & sides[1]
    assert "'speaker'" in result["split_how"] and 10 <= result["splits"]["validation"] <= 30


def test_recordings_are_used_where_speakers_are_too_few(tmp_path: Path, draft: Path) -> None:
    result = roles.check(draft, roles.SPEECH, write(tmp_path / "in", 3, 25))
    sides = [set(part["recording"]) for part in data.load(draft).values()]
    assert not sides[0] & sides[1] and "'recording'" in result["split_how"]


def test_too_few_groups_are_divided_between_splits(tmp_path: Path, draft: Path) -> None:
    result = roles.check(draft, roles.SPEECH, write(tmp_path / "in", 2))
    assert result["splits"] == {"train": 80, "validation": 20} and "groups" not in result["split_how"]


@pytest.mark.parametrize("sizes", [(60, 22, 18), (22, 60, 18), (18, 22, 60)])
def test_few_groups_are_used_where_one_is_small_enough(tmp_path: Path, draft: Path, sizes: tuple[int, ...]) -> None:
    speakers = [name for name, size in zip("abc", sizes, strict=True) for _ in range(size)]
    lines = [f"sentence number {i} of them,{s}\n" for i, s in enumerate(speakers)]
    folder = plant(tmp_path / "in", {"a.csv": "text,speaker\n" + "".join(lines)})
    result = roles.check(draft, roles.SPEECH, folder)
    assert result["splits"]["validation"] in {18, 22} and "'speaker'" in result["split_how"]


def test_rows_without_a_group_are_groups_of_their_own(tmp_path: Path, draft: Path) -> None:
    lines = [f"sentence number {i} of them,{'' if i < 50 else f's{i % 10}'}\n" for i in range(100)]
    folder = plant(tmp_path / "in", {"a.csv": "text,speaker\n" + "".join(lines)})
    roles.check(draft, roles.SPEECH, folder)
    loaded = data.load(draft)
    sides = [{s for s in part["speaker"] if s is not None} for part in loaded.values()]
    assert not sides[0] & sides[1] and None in loaded["validation"]["speaker"]


def test_missing_times_are_kept_and_rows_with_invalid_times_are_dropped(tmp_path: Path, draft: Path) -> None:
    folder = plant(
        tmp_path / "in", {"a.csv": "text,start\nfirst words here,\nmore words here,1.5\nthe last,-1\nand,x\n"}
    )
    result = roles.check(draft, roles.SPEECH, folder, valid_fraction=0)
    assert data.load(draft)["train"]["start"][:] == [None, 1.5] and roles.dropped(result) == {"time-unreadable": 2}
    assert "row 4: '-1'" in finding(result, "time-unreadable")["message"]


def test_optional_roles_without_a_column_are_absent(tmp_path: Path, draft: Path) -> None:
    roles.check(draft, roles.SPEECH, plant(tmp_path / "in", {"a.csv": "text\nfirst words here\nmore words\n"}))
    assert set(data.load(draft)["train"].features) == {"text"}
