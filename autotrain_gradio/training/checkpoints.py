"""Checkpoints of a Trainer: which are complete, and from which one to resume."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

from autotrain_gradio.runs.record import write_json
from autotrain_gradio.runs.reporter import Reporter, step_of
from autotrain_gradio.training import distributed
from autotrain_gradio.training.safetensors_header import safetensors_header

STATE = "trainer_state.json"


def to_resume(run: Reporter) -> Path | None:
    """Return the complete checkpoint with the highest step; None at the first attempt and if there is none.

    Incomplete ones are removed with a message. If the run was moved, the path of the best checkpoint in its state is
    updated.
    """
    if run.attempt <= 1 and run.resume_from is None:
        return None
    # Rank 0 repairs and removes, and broadcasts the name.
    name = distributed.on_first_rank(lambda: _latest_complete(run))
    return run.checkpoints / name if name else None


def _latest_complete(run: Reporter) -> str | None:
    for checkpoint in reversed(_by_step(run.checkpoints)):
        if is_complete(checkpoint):
            _relocate(checkpoint)
            run.note(f"Resumed from the checkpoint of step {step_of(checkpoint)}.")
            return checkpoint.name
        run.note(f"The checkpoint of step {step_of(checkpoint)} is incomplete and was removed.")
        shutil.rmtree(checkpoint)
    run.note("There was no checkpoint to resume from: the training starts from the beginning.")
    return None


def is_complete(checkpoint: Path) -> bool:
    """Whether weights, optimizer, scheduler and state exist, and none of them is truncated.

    A Trainer writes `trainer_state.json` last. The lengths of the others are compared with their headers,
    since files may be truncated after a power failure.
    """
    try:
        json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
        weights = sorted(checkpoint.glob("*.safetensors"))
        if not weights:
            return False
        return all(_whole_safetensors(w) for w in weights) and all(
            zipfile.is_zipfile(checkpoint / name) for name in ("optimizer.pt", "scheduler.pt")
        )
    except (OSError, ValueError):
        return False


def _by_step(folder: Path) -> list[Path]:
    found = folder.glob("checkpoint-*") if folder.is_dir() else ()
    return sorted((p for p in found if p.is_dir() and step_of(p) >= 0), key=step_of)


def _whole_safetensors(path: Path) -> bool:
    """Compare the file's length with the last offset in its header."""
    header, begin = safetensors_header(path)
    end = max((tensor["data_offsets"][1] for tensor in header.values()), default=0)
    return path.stat().st_size == begin + end


def _relocate(checkpoint: Path) -> None:
    state = json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
    best = state.get("best_model_checkpoint")
    if not best:
        return
    here = checkpoint.parent / Path(best).name
    if str(here) != best and here.is_dir():
        state["best_model_checkpoint"] = str(here)
        write_json(checkpoint / STATE, state)
