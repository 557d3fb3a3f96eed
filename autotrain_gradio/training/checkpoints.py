"""Checkpoints of a Trainer: which are complete and restore the whole model, and from which one to resume."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.runs.record import write_json
from autotrain_gradio.runs.reporter import Reporter, step_of
from autotrain_gradio.training import checkpoint_weights, distributed
from autotrain_gradio.training.safetensors_header import safetensors_header

STATE = "trainer_state.json"
UNUSABLE = "unusable_checkpoints"
"""Folder of the run for complete checkpoints that do not restore the model."""


def to_resume(run: Reporter, model: Any = None) -> Path | None:
    """Return the latest complete checkpoint that restores the model; None at the first attempt and if there is none.

    Incomplete ones are removed with a message. Weights with other names, as older versions of this package wrote them
    for some types of models, are converted; a checkpoint that lacks weights of the model is moved aside with a message.
    If the run was moved, the path of the best checkpoint in its state is updated.

    model: the Trainer's; None: the weights are not compared.
    """
    if run.attempt <= 1 and run.resume_from is None:
        return None
    # Rank 0 repairs and removes, and broadcasts the name.
    name = distributed.on_first_rank(lambda: _latest_usable(run, model))
    return run.checkpoints / name if name else None


def _latest_usable(run: Reporter, model: Any) -> str | None:
    for checkpoint in reversed(_by_step(run.checkpoints)):
        if not is_complete(checkpoint):
            run.note(f"The checkpoint of step {step_of(checkpoint)} is incomplete and was removed.")
            shutil.rmtree(checkpoint)
        elif _restores(run, model, checkpoint):
            _relocate(checkpoint)
            _require_best(run, model, checkpoint)
            run.note(f"Resumed from the checkpoint of step {step_of(checkpoint)}.")
            return checkpoint.name
    run.note("There was no checkpoint to resume from: the training starts from the beginning.")
    return None


def _restores(run: Reporter, model: Any, checkpoint: Path) -> bool:
    """Whether a complete checkpoint has all weights of the model, after a conversion if need be.

    One that does not is moved aside: a Trainer would load a part of it, and count it as the latest one.
    """
    if model is None or not (missing := checkpoint_weights.missing_weights(model, checkpoint)):
        return True
    step = step_of(checkpoint)
    if checkpoint_weights.convert(model, checkpoint):
        run.note(f"The checkpoint of step {step} was written by an older version; its weights were renamed.")
        return True
    aside = checkpoint.parent.with_name(UNUSABLE) / checkpoint.name
    aside.parent.mkdir(exist_ok=True)
    if aside.is_dir():
        shutil.rmtree(aside)
    checkpoint.rename(aside)
    run.note(
        f"The checkpoint of step {step} lacks {pluralize(len(missing), 'weight')} of the model, such as "
        f"'{missing[0]}', and was not used; it was moved to {UNUSABLE}/{aside.name}.",
        level="warning",
    )
    return False


def _require_best(run: Reporter, model: Any, latest: Path) -> None:
    """Forget the best checkpoint in the state of the latest one if its weights cannot be restored."""
    state = json.loads((latest / STATE).read_text(encoding="utf-8"))
    best = state.get("best_model_checkpoint")
    if not best or Path(best).name == latest.name:
        return
    if is_complete(Path(best)) and _restores(run, model, Path(best)):
        return
    run.note(
        f"The best checkpoint so far ({Path(best).name}) is missing or unusable: the best one is selected among the "
        "evaluations from now on.",
        level="warning",
    )
    write_json(latest / STATE, state | dict.fromkeys(("best_model_checkpoint", "best_metric", "best_global_step")))


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
