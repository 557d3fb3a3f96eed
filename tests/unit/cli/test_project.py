"""The model at ./<project_name>: placed whole, and never over something of the user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotrain_gradio.cli import project
from autotrain_gradio.core.errors import StateError

RUN = "20260101-000000-cats-abcdefghij"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "run" / "model"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"w" * (project.LINK_FROM + 1))
    return folder


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def test_weights_are_linked_and_small_files_are_copied(model: Path, base: Path) -> None:
    placed = project.place(model, base, "cats", RUN)
    assert placed == base / "cats"
    assert (placed / "model.safetensors").stat().st_ino == (model / "model.safetensors").stat().st_ino
    assert (placed / "config.json").stat().st_ino != (model / "config.json").stat().st_ino
    assert sorted(p.name for p in base.iterdir()) == ["cats"]


def test_a_placed_model_is_replaced_by_the_next(model: Path, base: Path) -> None:
    project.place(model, base, "cats", RUN)
    (model / "config.json").write_text('{"second": true}')
    (model / "extra.json").write_text("{}")
    project.place(model, base, "cats", RUN)
    assert (base / "cats" / "config.json").read_text() == '{"second": true}'
    assert (base / "cats" / "extra.json").exists()
    assert sorted(p.name for p in base.iterdir()) == ["cats"]


def test_an_existing_folder_is_refused_and_unchanged(model: Path, base: Path) -> None:
    (base / "cats").mkdir()
    (base / "cats" / "photo.jpg").write_text("mine")
    with pytest.raises(StateError, match="was not made here"):
        project.reserve(base, "cats")
    with pytest.raises(StateError):
        project.place(model, base, "cats", RUN)
    assert (base / "cats" / "photo.jpg").read_text() == "mine"
    assert [p.name for p in base.iterdir()] == ["cats"]


@pytest.mark.parametrize("change", ["added", "edited", "removed"])
def test_a_modified_model_is_not_replaced(model: Path, base: Path, change: str) -> None:
    placed = project.place(model, base, "cats", RUN)
    if change == "added":
        (placed / "notes.txt").write_text("mine")
    elif change == "edited":
        (placed / "config.json").write_text("{   }")
    else:
        (placed / "config.json").unlink()
    with pytest.raises(StateError, match="modified since"):
        project.reserve(base, "cats")


def test_a_file_or_link_of_that_name_is_refused(base: Path, tmp_path: Path) -> None:
    (base / "file").write_text("x")
    (base / "link").symlink_to(tmp_path)
    for name in ("file", "link"):
        with pytest.raises(StateError, match="a file exists there"):
            project.reserve(base, name)


def test_a_failed_replacement_keeps_the_old_model(model: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project.place(model, base, "cats", RUN)

    def full(source: str, target: str) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(project, "_link_or_copy", full)
    with pytest.raises(OSError):
        project.place(model, base, "cats", RUN)
    assert (base / "cats" / "config.json").read_text() == "{}"
    assert [p.name for p in base.iterdir()] == ["cats"]
