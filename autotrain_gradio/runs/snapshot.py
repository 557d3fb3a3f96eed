"""The snapshot of a run, built from its files incrementally and once for all viewers."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.runs.files import Record, Tail, damaged, read_json, read_object, write_json
from autotrain_gradio.runs.record import Run, State, derive
from autotrain_gradio.runs.record_lines import is_panel
from autotrain_gradio.runs.series import Series
from autotrain_gradio.runs.states import ACTIVE, ENDED, REPORTED_END, title

POINTS = 300
SAMPLES = 12
NOTES = 20
PACE = 30
STORED = "snapshot.json"
SOURCES = ("control.jsonl", "events.jsonl", "spec.json", "report.json", "model")
SCHEMA = 4
"""Version of the snapshot format, part of the cache key: increase it when the format changes."""
STALLED_SECONDS = 300.0
STATUS_CACHE_SECONDS = 0.5
"""Time for which the status of the backend is cached for all viewers."""
Status = Callable[[Path, int, float], dict[str, Any]]
"""Directory, attempt, start time → `{"alive": bool, "reason": str, "hint": str}`, and perhaps `detail`."""


class Snapshots:
    """An LRU cache of snapshot builders; thread-safe.

    keep: size of the cache.
    """

    def __init__(self, keep: int = 1000) -> None:
        self._keep = keep
        self._builders: dict[str, SnapshotBuilder] = {}
        self._lock = threading.Lock()

    def get(self, run: Run, status: Status) -> dict[str, Any]:
        """Return the run's snapshot as plain data; do not change it.

        status: gets the status of an active run from the backend.
        """
        with self._lock:
            builder = self._builders.pop(run.id, None) or SnapshotBuilder(run)
            self._builders[run.id] = builder
            while len(self._builders) > self._keep:
                del self._builders[next(iter(self._builders))]
        return builder.snapshot(status)

    def get_once(self, run: Run, status: Status) -> dict[str, Any]:
        """Return the run's snapshot; cache its builder only if the run has not ended: a list reads thousands."""
        with self._lock:
            builder = self._builders.get(run.id)
        builder = builder or SnapshotBuilder(run)
        snapshot = builder.snapshot(status)
        if snapshot["state"] not in ENDED:
            with self._lock:
                self._builders.setdefault(run.id, builder)
        return snapshot

    def drop(self, run: str) -> None:
        """Remove a run from the cache."""
        with self._lock:
            self._builders.pop(run, None)


class SnapshotBuilder:
    """Builds a run's snapshot incrementally from the records that were appended since the last call."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._lock = threading.Lock()
        self._control = Tail(run.control_path)
        self._tail = Tail(run.events_path)
        self._controls: list[Record] = []
        self._spec: Record = {}
        # Versions from before and after a restart of the app must differ.
        self._version = int(time.time() * 1000)
        self._cached: dict[str, Any] = {}
        self._shown: tuple[Any, ...] = ()
        self._next_status = 0.0
        self._detail = ""
        """Current activity of an active run, if its backend reports it."""
        self._stored: Record | None = None
        self._stored_read = False  # not here: the cache is locked meanwhile, and the files may not respond
        self._reset()

    def _reset(self) -> None:
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
        """Return the current snapshot."""
        with self._lock:
            key = self._key()  # before the files are read: records that are appended meanwhile change the key
            if not self._stored_read:
                self._stored, self._stored_read = self._read_stored(), True
            if self._stored is not None:
                if self._stored.get("key") == key:
                    return dict(self._stored["value"])
                self._stored = None
            changed = self._read()
            state = derive(self._controls, self._states)
            if state.name in ACTIVE and time.monotonic() >= self._next_status:
                changed = self._reconcile(state.attempt, status) or changed
                state = derive(self._controls, self._states)
                self._next_status = time.monotonic() + STATUS_CACHE_SECONDS
            quiet = int((time.time() - self._last_event) / 60) if state.name == "running" else 0
            stalled = quiet if quiet * 60 >= STALLED_SECONDS else 0
            started = self.run.is_started()
            draft = [0] if started else _stamp(self.run, "draft.json")
            shown = (state, stalled, started, draft, self._detail, _stamp(self.run, "report.json"))
            if changed or shown != self._shown or not self._cached:
                self._shown = shown
                self._version += 1
                self._cached = self._build(state, stalled, started)
                if state.name in ENDED:
                    self._series.compact()
                    self._store(key)
            return self._cached

    def _key(self) -> list[Any]:
        """Return the cache key of a stored snapshot."""
        return [SCHEMA, *(_stamp(self.run, name) for name in SOURCES)]

    def _store(self, key: list[Any]) -> None:
        """Store the snapshot of an ended run, so that a list of many runs loads fast."""
        with contextlib.suppress(OSError):  # only a cache: not written on a full disk or for a deleted run
            stored = {"key": key, "digest": _digest(self._cached), "value": self._cached}
            write_json(self.run.directory / STORED, stored, indent=None)

    def _read_stored(self) -> Record | None:
        try:
            found = read_object(self.run.directory / STORED)
        except DataError:
            return None  # it is built again
        if found is None or not isinstance(found.get("value"), dict):
            return None
        return found if found.get("digest") == _digest(found["value"]) else None

    def _reconcile(self, attempt: int, status: Status) -> bool:
        """Record an interruption if the worker has exited; return whether anything is new."""
        started = next((c for c in self._controls if c["kind"] == "started" and c["attempt"] == attempt), None)
        found = status(self.run.directory, attempt, started["time"] if started else 0.0)
        if found["alive"]:
            self._detail = str(found.get("detail") or "")
            return False
        self.run.record_interruption(attempt, found.get("reason", ""), found.get("hint", ""))
        return self._read()

    def _read(self) -> bool:
        controls, controls_replaced = self._control.read()
        self._controls = controls if controls_replaced else self._controls + controls
        events, events_replaced = self._tail.read()
        if events_replaced:
            self._reset()
        for event in events:
            self._add(event)
        return bool(controls or events or controls_replaced or events_replaced)

    def _add(self, event: Record) -> None:
        kind, attempt = event["kind"], event["attempt"]
        self._last_event = event["time"]
        if attempt > self._attempt:
            self._attempt, self._error, self._progress, self._pace, self._result = attempt, None, None, [], {}
        if kind == "state":
            self._states.append(event)
        elif kind == "error":
            self._error = dict(event["finding"])
            self._states.append(event)
        elif kind == "progress":
            self._set_step(event)
            self._pace = [*self._pace[-PACE:], (event["time"], event["step"])]
            self._progress = {name: event[name] for name in ("step", "total", "epoch", "epochs")}
            self._progress["unit"] = event.get("unit", "step")
            self._ends = None if event.get("left") is None else event["time"] + float(event["left"])
        elif kind == "metric":
            self._set_step(event)
            for name, value in event["values"].items():
                if value is not None:
                    self._series.add(name, event["step"], value)
        elif kind == "result":
            self._result = dict(event["values"])
        elif kind == "sample":
            others = [s for s in self._samples if s["step"] != event["step"]]
            self._samples = [*others, {"step": event["step"], "panel": event["panel"]}][-SAMPLES:]
        elif kind == "note":
            note = {k: event.get(k, "") for k in ("level", "message", "hint")}
            self._notes = [*[n for n in self._notes if n != note], note][-NOTES:]

    def _set_step(self, event: Record) -> None:
        step = event["step"]
        if event.get("own_steps"):  # each metric, and the progress, counts its steps on its own
            if event["kind"] == "progress" and self._pace and step < self._pace[-1][1]:
                self._pace = []
        elif self._series.set_step(step):
            self._pace = []
            self._samples = [s for s in self._samples if s["step"] < step]

    def _build(self, state: State, stalled: int, started: bool) -> dict[str, Any]:
        if not started or "id" not in self._spec:
            self._spec = self.run.spec()
        spec = self._spec
        requested = {c["kind"]: c["time"] for c in reversed(self._controls) if c["attempt"] == state.attempt}
        first = next((c["time"] for c in self._controls if c["kind"] == "started"), None)
        reported = [e for e in self._states if e["attempt"] == state.attempt and e["kind"] == "state"]
        over = state.name in ENDED
        ends = [e["time"] for e in reported if e.get("state") in REPORTED_END]
        ends += [requested[kind] for kind in ("interrupted", "cancelled", "failed") if kind in requested]
        notes, report = list(self._notes), None
        detail = self._detail or (str(reported[-1].get("detail", "")) if reported else "")
        if over:
            try:
                report = _read_report(self.run.directory / "report.json")
            except DataError as error:
                notes.append(_warning(error.message, error.hint))
            if state.name == "completed" and not has_files(self.run.directory / "model"):
                hint = "Restore the run's folder 'model' from a copy, or train again with the same settings."
                notes.append(_warning("The model of this run is missing: its folder 'model' has no files.", hint))
        if stalled:
            hint = "See the log. If it does not grow either, stop the run and resume it."
            notes.append(_warning(f"The training has reported no progress for {stalled} minutes.", hint))
        if lost := self._control.damaged + self._tail.damaged:
            lines = pluralize(lost, "line")
            notes.append(_warning(f"{lines} of the run's record cannot be read: some of its history is missing."))
        return {
            "id": self.run.id,
            "version": self._version,
            "state": state.name,
            "title": title(state.name),
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
            "attempt_started": requested.get("started"),
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


def has_files(folder: Path) -> bool:
    """Whether a folder exists and is not empty."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except (FileNotFoundError, NotADirectoryError):
        return False


def _read_report(path: Path) -> list[Record] | None:
    """Return the panels of the report; None if there is none.

    Raises:
        DataError: it is not a list of panels.
    """
    found = read_json(path)
    if found is None:
        return None
    if not isinstance(found, list) or not all(map(is_panel, found)):
        raise damaged(
            path, "it is not a list of panels", "Restore it from a copy; the rest of the run is not affected."
        )
    return found


def _digest(value: Record) -> int:
    """Return a checksum of a snapshot: a stored one that was changed is built again."""
    return zlib.crc32(json.dumps(value, sort_keys=True).encode())


def _warning(message: str, hint: str = "") -> Record:
    return {"level": "warning", "message": message, "hint": hint}


def _stamp(run: Run, name: str) -> list[int]:
    """Return size and time of one of the run's files, in bytes and nanoseconds; zeros if it does not exist."""
    try:
        found = (run.directory / name).stat()
    except FileNotFoundError:
        return [0, 0]
    return [found.st_size, found.st_mtime_ns]
