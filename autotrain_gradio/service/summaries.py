"""Summaries of drafts and runs: rows of the list, allowed actions, and the estimated number of steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autotrain_gradio.runs.record import EXAMPLES, Run, read_json
from autotrain_gradio.runs.states import ACTIVE, RESUMABLE, UNREADABLE
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.tasks.registry import Resolved


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


def estimate(run: Run, resolved: Resolved) -> dict[str, Any]:
    """Estimate a training: `{train_rows, examples, validation_rows, epochs, steps_per_epoch, steps, uncounted}`.

    examples: of an epoch; a task may make several of a row, and a preview may have counted those of its settings. A
    step takes a batch of each process. epochs: a fraction, if `max_steps` decides. uncounted: why the tokens of the
    rows decide the number of examples, which no preview has counted; empty otherwise. Empty before a check, and for
    tasks without epochs.
    """
    task, params, resources = resolved.task, resolved.params, resolved.spec.resources
    check = read_json(run.directory / "check.json")
    if not check or not hasattr(params, "epochs") or not hasattr(params, "batch_size"):
        return {}
    rows = int(check["splits"].get("train", 0))
    format = str((check.get("format") or {}).get("name") or "")
    counted = examples(run, resolved).get("examples_per_row")
    per_row = counted if counted is not None else task.examples_per_row(params, format) if task.examples_per_row else 1
    count = round(rows * per_row)
    batch = params.batch_size * getattr(params, "gradient_accumulation", 1)
    batch *= resources.process_count * resources.nodes
    per_epoch = max(1, -(-count // batch)) if rows else 0
    steps, epochs = per_epoch * params.epochs, params.epochs
    most = getattr(params, "max_steps", -1)
    if most > 0 and per_epoch:
        steps, epochs = most, round(most / per_epoch, 2)
    return {
        "train_rows": rows,
        "examples": count,
        "validation_rows": int(check["splits"].get("validation", 0)),
        "epochs": epochs,
        "steps_per_epoch": per_epoch,
        "steps": steps,
        "uncounted": task.uncounted(params) if task.uncounted and counted is None else "",
    }


def examples(run: Run, resolved: Resolved) -> dict[str, Any]:
    """Return `{examples_per_row, longest_example, …}` as a preview with these settings has counted; empty: none has.

    longest_example: length of the longest training example of the preview's sample in tokens.
    """
    found = read_json(run.directory / EXAMPLES)
    if found is None or found["model"] != resolved.spec.model:
        return {}
    check = run.directory / "check.json"
    if check.stat().st_mtime_ns > (run.directory / EXAMPLES).stat().st_mtime_ns:
        return {}  # the data was checked again since
    params = resolved.params.model_dump(mode="json")
    if any(params.get(name) != value for name, value in found["params"].items()):
        return {}
    return found


def can(state: str, task: Task | None, *, model: bool, waiting_for_token: bool = False) -> dict[str, bool]:
    """Return which actions the state of a run allows.

    model: whether the run has one. waiting_for_token: it is queued, and starts once it gets a token.
    """
    return {
        "stop": state in ACTIVE - {"stopping"} or state == "queued",
        "resume": state in RESUMABLE or waiting_for_token,
        "delete": state not in ACTIVE,
        "predict": model and task is not None and "predict" in task.can,
        "call": model and task is not None and bool(task.public_verbs()),
        "download": model,
    }


def headline(task: Task | None, snapshot: Mapping[str, Any]) -> str:
    """Return the metric that the run's parameters name as its result; empty for tasks that declare theirs."""
    if task is None or not task.headline_param:
        return ""
    return str((snapshot["spec"].get("params") or {}).get(task.headline_param) or "")


def best(task: Task, metrics: Mapping[str, Any], named: str = "") -> dict[str, Any] | None:
    """Return `{name, value}` of the headline metric of a run; None before it was computed.

    named: see `headline`.
    """
    if named:
        return {"name": named, "value": metrics[named]} if metrics.get(named) is not None else None
    for name in (task.headline, *(m.name for m in task.metrics)):
        value = metrics.get(f"eval_{name}")
        if value is not None:
            return {"name": name, "value": value}
    return None


def entry(snapshot: Mapping[str, Any], *, model: bool, named: str = "") -> dict[str, Any]:
    """Return what the index of runs keeps of a snapshot. model: whether the run has one. named: see `headline`."""
    names = ("owner", "task", "project_name", "model", "state", "created", "started", "finished", "metrics")
    data = (snapshot["spec"].get("data") or {}).get("path", "")
    return {**{name: snapshot[name] for name in names}, "data": data, "has_model": model, "headline": named}


def row(run: Run, entry: Mapping[str, Any], task: Task | None, position: int | None = None) -> dict[str, Any]:
    """Return a run's row of the list; fields: see `Service.runs`. position: in the queue."""
    if entry["state"] == UNREADABLE:
        return unreadable(run, entry["problem"])
    names = ("task", "project_name", "model", "data", "state", "created", "started", "finished", "metrics")
    return {
        "id": run.id,
        **{name: entry[name] for name in names},
        "task_title": task.title if task else entry["task"],
        "queue_position": position,
        "can": can(entry["state"], task, model=entry["has_model"]),
        "best_metric": best(task, entry["metrics"], entry.get("headline", "")) if task else None,
        "path": str(run.directory),
    }


def unreadable(run: Run, problem: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a run that cannot be read, with the problem, a finding as data; it can only be deleted."""
    empty = dict.fromkeys(("task", "project_name", "model", "created", "started", "finished", "best_metric", "data"))
    nothing = dict.fromkeys(("stop", "resume", "predict", "call", "download"), False)
    stalled = problem["code"] == "run-stalled"
    return {
        **empty,
        "id": run.id,
        "state": UNREADABLE,
        "task_title": "",
        "queue_position": None,
        "metrics": {},
        "path": str(run.directory),
        "reason": " ".join(p for p in (problem["message"], problem.get("hint")) if p),
        "can": {**nothing, "delete": not stalled},
    }
