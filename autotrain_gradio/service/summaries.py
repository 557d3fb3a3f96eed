"""Summaries of drafts and runs: rows of the list, allowed actions, and the estimated number of steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.runs.record import Run, read_json
from autotrain_gradio.runs.states import ACTIVE, RESUMABLE
from autotrain_gradio.tasks.base import Params, Task


def upload_bytes(run: Run) -> int:
    """Return the size of the draft's uploaded files, as they were uploaded."""
    return sum(int(file["bytes"]) for file in uploaded_files(run))


def uploaded_files(run: Run) -> list[dict[str, Any]]:
    """Return `[{name, bytes}]` of the draft's uploaded files."""
    upload = run.directory / "data" / "upload"
    files = [{"name": f.name, "bytes": f.stat().st_size} for f in sorted(upload.iterdir())] if upload.is_dir() else []
    if not files:  # a check has unpacked the files and recorded their names
        recorded = read_json(run.directory / "data" / "upload.json") or {}
        files = [{"name": f["name"], "bytes": f["bytes"]} for f in recorded.get("files", [])]
    return files


def draft(run: Run) -> dict[str, Any]:
    """Return `{id, task, spec, files: [{name, bytes}], check: dict | None}` of a draft."""
    spec = run.draft()["spec"]
    return {
        "id": run.id,
        "task": spec["task"],
        "spec": spec,
        "files": uploaded_files(run),
        "check": read_json(run.directory / "check.json"),
    }


def estimate(run: Run, params: Params) -> dict[str, Any]:
    """Estimate a training: `{train_rows, validation_rows, epochs, steps_per_epoch, steps}`.

    Empty before a check, and for tasks without epochs.
    """
    check = read_json(run.directory / "check.json")
    if not check or not hasattr(params, "epochs") or not hasattr(params, "batch_size"):
        return {}
    rows = int(check["splits"].get("train", 0))
    batch = params.batch_size * getattr(params, "gradient_accumulation", 1)
    per_epoch = max(1, -(-rows // batch)) if rows else 0
    return {
        "train_rows": rows,
        "validation_rows": int(check["splits"].get("validation", 0)),
        "epochs": params.epochs,
        "steps_per_epoch": per_epoch,
        "steps": per_epoch * params.epochs,
    }


def can(state: str, task: Task | None, *, model: bool) -> dict[str, bool]:
    """Return which actions the state of a run allows. model: whether the run has one."""
    return {
        "stop": state in ACTIVE - {"stopping"} or state == "queued",
        "resume": state in RESUMABLE,
        "delete": state not in ACTIVE,
        "predict": model and task is not None and "predict" in task.can,
        "download": model,
    }


def best(task: Task, metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return `{name, value}` of the headline metric of a run; None before the first evaluation."""
    for name in (task.headline, *(m.name for m in task.metrics)):
        value = metrics.get(f"eval_{name}")
        if value is not None:
            return {"name": name, "value": value}
    return None


def row(snapshot: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return a run's row of the list; fields: see `Service.runs`."""
    names = ("id", "task", "project_name", "model", "state", "created", "started", "finished", "metrics")
    return {
        **{name: snapshot.get(name) for name in names},
        "data": snapshot["spec"]["data"].get("path", ""),
        "task_title": snapshot["task_title"],
        "queue_position": snapshot["queue_position"],
        "can": snapshot["can"],
        "best_metric": snapshot["best"],
        "path": str(run.directory),
    }


def unreadable(run: Run, error: UserError) -> dict[str, Any]:
    """Return the row of a run whose files are damaged, with the error; it can only be deleted."""
    empty = dict.fromkeys(("task", "project_name", "model", "created", "started", "finished", "best_metric", "data"))
    nothing = dict.fromkeys(("stop", "resume", "predict", "download"), False)
    return {
        **empty,
        "id": run.id,
        "state": "unreadable",
        "metrics": {},
        "path": str(run.directory),
        "reason": str(error),
        "can": {**nothing, "delete": True},
    }
