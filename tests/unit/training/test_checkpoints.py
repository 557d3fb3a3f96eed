"""Checkpoints that are whole, torn, and moved."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from autotrain_gradio.training import checkpoints


def checkpoint(folder: Path, step: int, **state: Any) -> Path:
    """Write what a Trainer writes, in small."""
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    save_file({"weight": torch.zeros(1000)}, path / "model.safetensors")
    for name in ("optimizer.pt", "scheduler.pt"):
        torch.save({"a": torch.zeros(10)}, path / name)
    (path / "trainer_state.json").write_text(json.dumps({"global_step": step, **state}))
    return path


def run(folder: Path, attempt: int = 2) -> Any:
    """A reporter's half that a resume needs."""
    notes: list[str] = []

    def note(message: str, level: str = "info") -> None:
        notes.append(message)

    return SimpleNamespace(checkpoints=folder, attempt=attempt, resume_from=None, note=note, notes=notes)


@pytest.mark.parametrize("torn", ["trainer_state.json", "model.safetensors", "optimizer.pt", "scheduler.pt"])
@pytest.mark.parametrize("how", ["missing", "cut off"])
def test_an_incomplete_checkpoint_is_skipped_for_the_previous_one(tmp_path: Path, torn: str, how: str) -> None:
    good, bad = checkpoint(tmp_path, 9), checkpoint(tmp_path, 12)
    (tmp_path / "checkpoint-best").mkdir()
    if how == "missing":
        (bad / torn).unlink()
    else:
        data = (bad / torn).read_bytes()
        (bad / torn).write_bytes(data[: len(data) * 2 // 3])
    assert checkpoints.is_complete(good) and not checkpoints.is_complete(bad)
    resumed = run(tmp_path)
    assert checkpoints.to_resume(resumed) == good
    assert "step 12" in resumed.notes[0] and "step 9" in resumed.notes[1]
    assert not bad.exists()


def test_the_highest_step_is_the_latest(tmp_path: Path) -> None:
    made = [checkpoint(tmp_path, step) for step in (100, 20, 9)]
    assert checkpoints.to_resume(run(tmp_path)) == made[0]


def test_an_attempt_without_a_checkpoint_starts_from_the_beginning_with_a_note(tmp_path: Path) -> None:
    checkpoint(tmp_path / "a", 5)
    assert checkpoints.to_resume(run(tmp_path / "a", attempt=1)) is None
    second = run(tmp_path / "b")
    assert checkpoints.to_resume(second) is None
    assert "starts from the beginning" in second.notes[0]


def test_the_best_checkpoint_of_a_run_that_was_moved_is_found(tmp_path: Path) -> None:
    checkpoint(tmp_path, 5)
    latest = checkpoint(tmp_path, 10, best_model_checkpoint="/elsewhere/checkpoints/checkpoint-5")
    assert checkpoints.to_resume(run(tmp_path)) == latest
    state = json.loads((latest / "trainer_state.json").read_text())
    assert state["best_model_checkpoint"] == str(tmp_path / "checkpoint-5")


def test_a_best_checkpoint_that_is_gone_is_forgotten_with_a_note(tmp_path: Path) -> None:
    gone = str(tmp_path / "checkpoint-5")
    latest = checkpoint(tmp_path, 10, best_model_checkpoint=gone, best_metric=0.9, best_global_step=5)
    resumed = run(tmp_path)
    assert checkpoints.to_resume(resumed) == latest
    state = json.loads((latest / "trainer_state.json").read_text())
    assert (state["best_model_checkpoint"], state["best_metric"], state["best_global_step"]) == (None, None, None)
    assert "checkpoint-5) is missing or unusable" in resumed.notes[0]
