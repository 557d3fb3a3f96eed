"""The snapshot of a run that viewers see, folded from its files once for all viewers."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.runs.files import Record, Tail, read_json, read_object, write_json
from autotrain_gradio.runs.record import Run, State, derive
from autotrain_gradio.runs.series import Series
from autotrain_gradio.runs.states import ACTIVE, ENDED, REPORTED_END, title

POINTS = 300
SAMPLES = 12
NOTES = 20
PACE = 30
STORED = "snapshot.json"
SOURCES = ("control.jsonl", "events.jsonl", "spec.json", "report.json")
SCHEMA = 3
"""Part of what a stored snapshot depends on: raise it when a snapshot is made otherwise."""
STALLED_SECONDS = 300.0
LOOK_SECONDS = 0.5
"""How long an answer of the backend serves all viewers."""
Status = Callable[[Path, int, float], dict[str, Any]]
"""Directory, attempt, when it was started → `{"alive": bool, "reason": str, "hint": str}`."""


class Snapshots:
    """Foldings of runs, kept between calls; safe to use from several threads.

    keep: how many are kept, the least used go first.
    """

    def __init__(self, keep: int = 1000) -> None:
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
        self._control = Tail(run.control_path)
        self._tail = Tail(run.events_path)
        self._controls: list[Record] = []
        self._spec: Record = {}
        # Versions of two folds of one run (before and after a restart of the app) must not meet.
        self._version = int(time.time() * 1000)
        self._cached: dict[str, Any] = {}
        self._shown: tuple[Any, ...] = ()
        self._next_look = 0.0
        self._stored = self._read_stored()
        self._forget()

    def _forget(self) -> None:
        self._states: list[Record] = []
        self._series = Series(POINTS)
        self._samples: list[Record] = []
        self._notes: list[Record] = []
        self._result: dict[str, float] = {}
        self._error: Record | None = None
        self._progress: Record | None = None
        self._ends: float | None = None
        self._pace: list[tuple[float, int]] = []
        self._attempt = 0
        self._last_event = 0.0

    def snapshot(self, status: Status) -> dict[str, Any]:
        """Return the snapshot of now."""
        with self._lock:
            key = self._key()  # before the files are read: what is added meanwhile makes another
            if self._stored is not None:
                if self._stored.get("key") == key:
                    return dict(self._stored["value"])
                self._stored = None
            changed = self._read()
            state = derive(self._controls, self._states)
            if state.name in ACTIVE and time.monotonic() >= self._next_look:
                changed = self._reconcile(state.attempt, status) or changed
                state = derive(self._controls, self._states)
                self._next_look = time.monotonic() + LOOK_SECONDS
            quiet = int((time.time() - self._last_event) / 60) if state.name == "running" else 0
            stalled = quiet if quiet * 60 >= STALLED_SECONDS else 0
            started = self.run.is_started()
            draft = [0] if started else _stamp(self.run, "draft.json")
            shown = (state, stalled, started, draft, _stamp(self.run, "report.json"))
            if changed or shown != self._shown or not self._cached:
                self._shown = shown
                self._version += 1
                self._cached = self._build(state, stalled, started)
                if state.name in ENDED:
                    self._series.compact()
                    self._store(key)
            return self._cached

    def _key(self) -> list[Any]:
        """Return what a stored snapshot depends on."""
        return [SCHEMA, *(_stamp(self.run, name) for name in SOURCES)]

    def _store(self, key: list[Any]) -> None:
        """Keep the snapshot of an ended run, so that a list of many need not fold them all again."""
        with contextlib.suppress(OSError):  # it saves time only: a full disk or a deleted run does without
            write_json(self.run.directory / STORED, {"key": key, "value": self._cached}, indent=None)

    def _read_stored(self) -> Record | None:
        try:
            found = read_object(self.run.directory / STORED)
        except DataError:
            return None  # it is made again
        return found if found is not None and isinstance(found.get("value"), dict) else None

    def _reconcile(self, attempt: int, status: Status) -> bool:
        """Record an interruption if the worker has died; return whether anything is new."""
        asked = next((c for c in self._controls if c["kind"] == "started" and c["attempt"] == attempt), None)
        seen = status(self.run.directory, attempt, asked["time"] if asked else 0.0)
        if seen["alive"]:
            return False
        self.run.record_interruption(attempt, seen.get("reason", ""), seen.get("hint", ""))
        return self._read()

    def _read(self) -> bool:
        controls, again = self._control.read()
        self._controls = controls if again else self._controls + controls
        events, anew = self._tail.read()
        if anew:
            self._forget()
        for event in events:
            try:
                self._add(event)
            except (KeyError, TypeError, ValueError):
                self._tail.damaged += 1  # told in the notes
        return bool(controls or events or again or anew)

    def _add(self, event: Record) -> None:
        kind, attempt = event["kind"], event["attempt"]
        self._last_event = float(event.get("time", 0.0))
        if attempt > self._attempt:
            self._attempt, self._error, self._progress, self._pace, self._result = attempt, None, None, [], {}
        if kind == "state":
            self._states.append(event)
        elif kind == "error":
            self._error = dict(event["finding"])
            self._states.append(event)
        elif kind == "progress":
            self._reach(event["step"])
            self._pace = [*self._pace[-PACE:], (event["time"], event["step"])]
            self._progress = {name: event[name] for name in ("step", "total", "epoch", "epochs")}
            self._progress["unit"] = event.get("unit", "step")
            self._ends = None if event.get("left") is None else event["time"] + float(event["left"])
        elif kind == "metric":
            self._reach(event["step"])
            for name, value in event["values"].items():
                if value is not None:
                    self._series.add(name, event["step"], value)
        elif kind == "result":
            self._result = dict(event["values"])
        elif kind == "sample":
            kept = [s for s in self._samples if s["step"] != event["step"]]
            self._samples = [*kept, {"step": event["step"], "panel": event["panel"]}][-SAMPLES:]
        elif kind == "note":
            note = {k: event.get(k, "") for k in ("level", "message", "hint")}
            self._notes = [*[n for n in self._notes if n != note], note][-NOTES:]

    def _reach(self, step: int) -> None:
        if self._series.reach(step):
            self._pace = []
            self._samples = [s for s in self._samples if s["step"] < step]

    def _build(self, state: State, stalled: int, started: bool) -> dict[str, Any]:
        if not started or "id" not in self._spec:
            self._spec = self.run.spec()
        spec = self._spec
        asked = {c["kind"]: c["time"] for c in reversed(self._controls) if c["attempt"] == state.attempt}
        first = next((c["time"] for c in self._controls if c["kind"] == "started"), None)
        said = [e for e in self._states if e["attempt"] == state.attempt and e["kind"] == "state"]
        over = state.name in ENDED
        ends = [e["time"] for e in said if e.get("state") in REPORTED_END]
        ends += [asked[kind] for kind in ("interrupted", "cancelled", "failed") if kind in asked]
        notes, report = list(self._notes), None
        if over:
            try:
                report = read_json(self.run.directory / "report.json")
            except DataError as error:
                notes.append(_warning(error.message, error.hint))
        if stalled:
            hint = "Look at the log. If nothing moves there either, stop it and resume."
            notes.append(_warning(f"Nothing was heard from the training for {stalled} minutes.", hint))
        if lost := self._control.damaged + self._tail.damaged:
            what = "One line" if lost == 1 else f"{lost} lines"
            notes.append(_warning(f"{what} of the run's record cannot be read: some of its history is missing."))
        return {
            "id": self.run.id,
            "version": self._version,
            "state": state.name,
            "title": title(state.name),
            "reason": {"message": state.reason, "hint": state.hint} if state.reason else None,
            "error": self._error if state.name == "failed" else None,
            "detail": str(said[-1].get("detail", "")) if said and state.name in ACTIVE else "",
            "task": spec["task"],
            "model": spec.get("model", ""),
            "project_name": spec.get("project_name", "my-model"),
            "owner": spec["owner"],
            "attempt": state.attempt,
            "created": spec["created"],
            "started": first,
            "attempt_started": asked.get("started"),
            "finished": max(ends) if over and ends else None,
            "progress": self._progress_now(state.name),
            "metrics": {**self._series.latest(), **self._result},
            "series": self._series.shown(),
            "samples": list(self._samples),
            "notes": notes,
            "report": report,
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
        if state == "running" and self._ends is not None:
            left = max(0.0, self._ends - time.time())
            eta = left if eta is None else min(eta, left)
        return {**self._progress, "fraction": min(1.0, step / total) if total else 0.0, "eta_seconds": eta}


def _warning(message: str, hint: str = "") -> Record:
    return {"level": "warning", "message": message, "hint": hint}


def _stamp(run: Run, name: str) -> list[int]:
    """Return size and time of one of the run's files, in bytes and nanoseconds; zeros where there is none."""
    try:
        found = (run.directory / name).stat()
    except FileNotFoundError:
        return [0, 0]
    return [found.st_size, found.st_mtime_ns]
