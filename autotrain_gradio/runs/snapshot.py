"""What a viewer of a run sees, folded from its files; one folding serves all viewers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autotrain_gradio.runs.record import TERMINAL, Record, Run, derive, read_json, read_lines

POINTS = 300
SAMPLES = 12
STALLED_SECONDS = 300.0
TITLES = {
    "draft": "Draft",
    "queued": "Waiting",
    "preparing": "Preparing",
    "running": "Training",
    "stopping": "Stopping",
    "completed": "Completed",
    "failed": "Failed",
    "cancelled": "Stopped",
    "interrupted": "Interrupted",
}
Status = Callable[[Path, int, float], dict[str, Any]]
"""Directory, attempt, when it was started → `{"alive": bool, "reason": str, "hint": str}`."""
ACTIVE = frozenset({"preparing", "running", "stopping"})
GONE = "The training process is gone without a last word."
GONE_HINT = "Resume it: it continues from its last checkpoint."


class Snapshots:
    """Foldings of runs, kept between calls; safe to use from several threads."""

    def __init__(self, keep: int = 200) -> None:
        self._keep = keep
        self._folds: dict[str, Fold] = {}
        self._lock = threading.Lock()

    def get(self, run: Run, status: Status) -> dict[str, Any]:
        """Return the run's snapshot as plain data; do not change it.

        status: asks the backend about an active run.
        """
        with self._lock:
            fold = self._folds.pop(run.id, None) or Fold(run)
            self._folds[run.id] = fold
            while len(self._folds) > self._keep:
                del self._folds[next(iter(self._folds))]
        return fold.snapshot(status)

    def drop(self, run: str) -> None:
        """Forget a run."""
        with self._lock:
            self._folds.pop(run, None)


class Fold:
    """Reads what was added to a run's files since the last look, and keeps the sum."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._lock = threading.Lock()
        self._offsets = {"events": 0, "control": 0}
        self._controls: list[Record] = []
        self._states: list[Record] = []
        self._spec: Record = {}
        self._series: dict[str, list[list[float]]] = {}
        self._samples: list[Record] = []
        self._notes: list[Record] = []
        self._metrics: dict[str, float] = {}
        self._result: dict[str, float] = {}
        self._error: Record | None = None
        self._progress: Record | None = None
        self._pace: list[tuple[float, int]] = []
        self._attempt = 0
        self._last_event = 0.0
        self._version = 0
        self._cached: dict[str, Any] = {}
        self._shown: tuple[Any, ...] = ()

    def snapshot(self, status: Status) -> dict[str, Any]:
        with self._lock:
            changed = self._read()
            state = derive(self._controls, self._states)
            if state.name in ACTIVE:
                changed = self._reconcile(state.attempt, status) or changed
                state = derive(self._controls, self._states)
            stalled = state.name == "running" and time.time() - self._last_event > STALLED_SECONDS
            started = (self.run.directory / "spec.json").exists()
            shown = (state, stalled, started, _mtime(self.run, "report.json"))
            if changed or shown != self._shown or not self._cached:
                self._shown = shown
                self._version += 1
                self._cached = self._build(state, stalled, started)
            return self._cached

    def _reconcile(self, attempt: int, status: Status) -> bool:
        """Write down that the worker has vanished, if it has."""
        times = [c["time"] for c in self._controls if c["kind"] == "started" and c["attempt"] == attempt]
        seen = status(self.run.directory, attempt, times[0] if times else 0.0)
        if seen["alive"]:
            return False
        # Its last words may have been written between our reading and its death.
        self._read()
        if derive(self._controls, self._states).name in {*TERMINAL, "interrupted"}:
            return True
        self.run.close_attempt(attempt, "interrupted", seen.get("reason") or GONE, seen.get("hint") or GONE_HINT)
        return self._read()

    def _read(self) -> bool:
        controls, self._offsets["control"] = read_lines(self.run.control_path, self._offsets["control"])
        events, self._offsets["events"] = read_lines(self.run.events_path, self._offsets["events"])
        self._controls += controls
        for event in events:
            self._add(event)
        return bool(controls or events)

    def _add(self, event: Record) -> None:
        kind, attempt = event.get("kind"), event.get("attempt", 0)
        self._last_event = event.get("time", 0.0)
        if attempt > self._attempt:
            self._attempt, self._error, self._progress, self._pace, self._result = attempt, None, None, [], {}
        if kind == "state":
            self._states.append(event)
        elif kind == "error":
            self._states.append(event)
            self._error = event["finding"]
        elif kind == "progress":
            self._progress = event
            self._pace = [*self._pace[-30:], (event["time"], event["step"])]
        elif kind == "metric":
            for name, value in event["values"].items():
                self._point(name, event["step"], value)
        elif kind == "result":
            self._result = event["values"]
        elif kind == "sample":
            kept = [s for s in self._samples if s["step"] < event["step"]]
            self._samples = [*kept, {"step": event["step"], "panel": event["panel"]}][-SAMPLES:]
        elif kind == "note":
            note = {k: event.get(k, "") for k in ("level", "message", "hint")}
            self._notes = [*[n for n in self._notes if n != note], note][-20:]

    def _point(self, name: str, step: int, value: float | None) -> None:
        points = self._series.setdefault(name, [])
        # A resumed attempt starts again at its checkpoint: what the earlier one did beyond it is gone.
        while points and points[-1][0] >= step:
            points.pop()
        if value is None:
            return
        points.append([step, value])
        self._metrics[name] = value
        if len(points) > 20 * POINTS:
            self._series[name] = downsample(points, 10 * POINTS)

    def _build(self, state: Any, stalled: bool, started: bool) -> dict[str, Any]:
        if not self._spec or (started and "id" not in self._spec):
            self._spec = self.run.spec()
        asked = {c["kind"]: c["time"] for c in self._controls if c["attempt"] == state.attempt}
        ended = next((e["time"] for e in reversed(self._states) if e.get("state") in TERMINAL), None)
        over = state.name in {*TERMINAL, "interrupted"}
        first = next((c["time"] for c in self._controls if c["kind"] == "started"), None)
        finished = max(
            filter(None, [ended, *(asked.get(k) for k in ("interrupted", "cancelled", "failed"))]), default=None
        )
        detail = next((e.get("detail", "") for e in reversed(self._states) if e["kind"] == "state"), "")
        notes = list(self._notes)
        if stalled:
            minutes = int((time.time() - self._last_event) / 60)
            hint = "Look at the log. If nothing moves there either, stop it and resume."
            notes.append(
                {
                    "level": "warning",
                    "message": f"Nothing was heard from the training for {minutes} minutes.",
                    "hint": hint,
                }
            )
        spec = self._spec
        return {
            "id": self.run.id,
            "version": self._version,
            "state": state.name,
            "title": TITLES[state.name],
            "reason": {"message": state.reason, "hint": state.hint} if state.reason else None,
            "error": self._error if state.name == "failed" else None,
            "detail": detail if state.name in ACTIVE else "",
            "task": spec["task"],
            "model": spec.get("model", ""),
            "project_name": spec.get("project_name", "my-model"),
            "owner": spec["owner"],
            "attempt": state.attempt,
            "created": spec["created"],
            "started": first,
            "attempt_started": asked.get("started"),
            "finished": finished if over else None,
            "progress": self._progress_now(state.name),
            "metrics": {**self._metrics, **self._result},
            "series": {name: downsample(points, POINTS) for name, points in self._series.items()},
            "samples": list(self._samples),
            "notes": notes,
            "report": read_json(self.run.directory / "report.json") if over else None,
            "spec": {k: v for k, v in spec.items() if k not in {"id", "owner", "created"}},
        }

    def _progress_now(self, state: str) -> dict[str, Any] | None:
        if self._progress is None:
            return None
        step, total = self._progress["step"], self._progress["total"]
        eta = None
        if state == "running" and len(self._pace) > 2:
            (t0, s0), (t1, s1) = self._pace[0], self._pace[-1]
            if s1 > s0 and t1 > t0:
                eta = (total - s1) * (t1 - t0) / (s1 - s0)
        return {
            "step": step,
            "total": total,
            "epoch": self._progress["epoch"],
            "epochs": self._progress["epochs"],
            "fraction": min(1.0, step / total) if total else 0.0,
            "eta_seconds": eta,
        }


def downsample(points: list[list[float]], limit: int) -> list[list[float]]:
    """Keep at most `limit` points: the first, the last, and the extremes of equal stretches between."""
    if len(points) <= limit:
        return [list(p) for p in points]
    buckets = max(1, (limit - 2) // 2)
    inner, kept = points[1:-1], [points[0]]
    for i in range(buckets):
        part = inner[i * len(inner) // buckets : (i + 1) * len(inner) // buckets]
        if part:
            low, high = min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])
            kept += [low] if low is high else sorted((low, high), key=lambda p: p[0])
    return [list(p) for p in [*kept, points[-1]]]


def _mtime(run: Run, name: str) -> int:
    try:
        return (run.directory / name).stat().st_mtime_ns
    except FileNotFoundError:
        return 0
