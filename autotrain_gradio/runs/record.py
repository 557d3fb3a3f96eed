"""One run directory: its files, its control requests and events, and the state derived from them.

The contract is docs/architecture.md. The app writes `draft.json`, `spec.json` and `control.jsonl`;
the worker alone writes `events.jsonl` (see `reporter.py`).
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from autotrain_gradio.core.errors import DataError, NotFound, StateError
from autotrain_gradio.runs import worker_lock
from autotrain_gradio.runs.files import (
    Record,
    Tail,
    append_line,
    damaged,
    read_json,
    read_lines,
    read_object,
    write_json,
)
from autotrain_gradio.runs.record_lines import is_object, is_text, is_time, optional
from autotrain_gradio.runs.states import ACTIVE, ENDED, REPORTED_END

__all__ = ["Record", "Run", "State", "StateReader", "derive", "read_json", "write_json"]

VERSION = 1
EXAMPLES = "examples.json"
"""File of a draft with the number of training examples of a row, as the latest preview has counted them."""
LOCK_SECONDS = 20.0
EXITED = "The training process exited without reporting a reason."
RESUME_HINT = "Resume it: it continues from its last checkpoint."
RESTART_HINT = "Resume it: it starts from the beginning, because no checkpoint was saved yet."
NO_REASON = "The training failed and reported no reason."


@dataclass(frozen=True)
class State:
    """State of a run: its name, the attempt that it refers to, and the reason if there is one."""

    name: str
    attempt: int = 0
    reason: str = ""
    hint: str = ""


class Run:
    """A run directory, as the app sees it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def id(self) -> str:
        """The name of the directory."""
        return self.directory.name

    @property
    def events_path(self) -> Path:
        """Events, written by the worker."""
        return self.directory / "events.jsonl"

    @property
    def control_path(self) -> Path:
        """Control requests, written by the app."""
        return self.directory / "control.jsonl"

    # -- draft and spec

    def draft(self) -> Record:
        """Return `{task, owner, created, spec}`.

        Raises:
            NotFound: the file does not exist.
            DataError: the file is invalid.
        """
        path = self.directory / "draft.json"
        found = read_object(path)
        if found is None:
            raise NotFound(f"The run '{self.id}' has lost its draft.json.", "Delete it.", code="damaged-record")
        _with(path, found["spec"] if isinstance(found.get("spec"), dict) else {}, **OPTIONAL)
        return _with(path, found, **IDENTITY, spec=is_object)

    def save_draft(self, spec: Record) -> None:
        """Save the current form."""
        write_json(self.directory / "draft.json", {**self.draft(), "spec": spec})

    def discard_check(self) -> None:
        """Delete the result of the last check."""
        (self.directory / "check.json").unlink(missing_ok=True)

    def is_started(self) -> bool:
        """Whether the draft was started; also if `spec.json` was lost since."""
        return (self.directory / "spec.json").exists() or self.control_path.exists()

    def is_frozen_only(self) -> bool:
        """Whether the spec is frozen, and the run was never queued."""
        later = (self.control_path, self.events_path, self.directory / "backend.json")
        return (self.directory / "spec.json").exists() and not any(path.exists() for path in later)

    def freeze(self, spec: Record) -> bool:
        """Write `spec.json` if it does not exist; return whether it was written."""
        draft = self.draft()
        value = {**spec, "id": self.id, "owner": draft["owner"], "created": draft["created"]}
        with self._locked():
            if self.is_started():
                return False
            write_json(self.directory / "spec.json", value)
            touch(self.directory.parent)
        return True

    def spec(self) -> Record:
        """Return `spec.json`, or the draft's spec with `id`, `owner` and `created`.

        Raises:
            NotFound, DataError: neither exists, or the file is invalid.
        """
        path = self.directory / "spec.json"
        found = read_object(path)
        if found is not None:
            return _with(path, found, **IDENTITY, **OPTIONAL)
        if self.control_path.exists():
            raise DataError(
                f"The run '{self.id}' has lost its spec.json: its settings are unknown.",
                "Restore the file from a copy, or delete the run. Its model, if it has one, is in the run's folder, "
                "in the subfolder 'model'.",
                f"{self.id}/spec.json",
                "damaged-record",
            )
        draft = self.draft()
        return {**draft["spec"], "id": self.id, "owner": draft["owner"], "created": draft["created"]}

    def owner(self) -> str:
        """Return the owner of the run."""
        return str(self.spec()["owner"])

    # -- control

    def control(self, kind: str, attempt: int, **fields: Any) -> Record:
        """Append a line to `control.jsonl`, under its lock."""
        with self._locked():
            return self._append(kind, attempt, **fields)

    def controls(self) -> list[Record]:
        """Return all control lines."""
        return read_lines(self.control_path)[0]

    def enqueue(self, *, resume: bool, **fields: Any) -> int:
        """Queue a new attempt if the latest one has ended; return its number.

        fields: further fields of the control line.
        """
        with self._locked():
            state = self.state()
            if state.attempt and state.name not in ENDED:
                return state.attempt
            self._append("queued", state.attempt + 1, resume=resume, **fields)
            return state.attempt + 1

    def begin(self, attempt: int) -> Record | None:
        """Record that an attempt is submitted; return its `queued` line, None if it is no longer queued."""
        with self._locked():
            if self.state() != State("queued", attempt):
                return None
            self._append("started", attempt)
            return next(c for c in self.controls() if c["kind"] == "queued" and c["attempt"] == attempt)

    def request_stop(self, by: str) -> None:
        """Request a stop of the latest attempt, or cancel it in the queue; ignored after its end."""
        with self._locked():
            state = self.state()
            if state.name == "queued":
                self._append("cancelled", state.attempt, by=by)
            elif state.name in {"preparing", "running"}:
                self._append("stop", state.attempt, by=by)

    def close_attempt(self, attempt: int, kind: str, reason: str, hint: str = "") -> bool:
        """Record the end of an attempt unless its worker has reported one; return whether it was recorded."""
        with self._locked():
            state = self.state()
            if state.attempt != attempt or state.name in ENDED:
                return False
            self._append(kind, attempt, reason=reason, hint=hint)
            return True

    def record_interruption(self, attempt: int, reason: str = "", hint: str = "") -> bool:
        """Record that the worker of an attempt has exited (`interrupted`); return whether that was new.

        reason, hint: from the backend; not used if the worker was killed because it did not stop.
        """
        resume = self.resume_hint()
        killed = next((c for c in self.controls() if c["kind"] == "kill" and c["attempt"] == attempt), None)
        if killed is not None:
            why = killed.get("reason", "it did not stop")
            reason = f"The training was killed: {why}."
            hint = f"The steps since its last checkpoint are lost. {resume}" if resume == RESUME_HINT else resume
        return self.close_attempt(attempt, "interrupted", reason or EXITED, hint or resume)

    def resume_hint(self) -> str:
        """Return the hint to resume, which says where a new attempt begins."""
        return RESUME_HINT if self.has_checkpoint() else RESTART_HINT

    def has_checkpoint(self) -> bool:
        """Whether a checkpoint was saved from which a new attempt can continue."""
        folder = self.directory / "checkpoints"
        return folder.is_dir() and any(folder.iterdir())

    def state(self, alive: bool | None = None) -> State:
        """Derive the state. alive: whether the backend reports the latest attempt's worker as alive; None: unknown."""
        return StateReader(self).read(alive)

    def may_be_training(self) -> bool:
        """Whether the run is active by its record; if that cannot be read, whether a worker holds its lock."""
        try:
            return self.state().name in ACTIVE
        except OSError:  # a folder in the place of a file, or no permission: such a run can be deleted too
            return worker_lock.is_held(self.directory)

    def _append(self, kind: str, attempt: int, **fields: Any) -> Record:
        record = {"v": VERSION, "time": time.time(), "kind": kind, "attempt": attempt, **fields}
        append_line(self.control_path, record)
        touch(self.directory.parent)
        return record

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # FileLock would create the folder again.
        if not self.directory.is_dir():
            raise NotFound(f"The run '{self.id}' was deleted.", code="no-run")
        try:
            with FileLock(self.directory / "control.lock", timeout=LOCK_SECONDS):
                yield
        except Timeout:
            raise StateError(
                f"The run '{self.id}' has been locked by another process for {LOCK_SECONDS:.0f} s.",
                "Try again; if this persists, stop the other app that uses this folder.",
                code="record-locked",
            ) from None


class StateReader:
    """Derives a run's state incrementally, reading only new records; thread-safe."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.controls: list[Record] = []
        self._events: list[Record] = []
        self._control = Tail(run.control_path)
        self._tail = Tail(run.events_path, wanted=_about_state)
        self._lock = threading.Lock()
        self._state: State | None = None

    def read(self, alive: bool | None = None) -> State:
        """Return the current state; alive: see `Run.state`."""
        with self._lock:
            controls, controls_replaced = self._control.read()
            events, events_replaced = self._tail.read()
            if controls or events or controls_replaced or events_replaced or self._state is None:
                self.controls = controls if controls_replaced else self.controls + controls
                events = [e for e in events if e["kind"] in {"state", "error"}]
                self._events = (events if events_replaced else self._events + events)[-50:]
                self._state = derive(self.controls, self._events)
            return self._state if alive is not False else derive(self.controls, self._events, alive)

    def first_control(self, attempt: int, kind: str) -> Record | None:
        """Return the first control line of a kind for an attempt, among those read so far."""
        return next((c for c in self.controls if c["attempt"] == attempt and c["kind"] == kind), None)


def _about_state(line: bytes) -> bool:
    return b'"state"' in line or b'"error"' in line


def derive(controls: list[Record], events: list[Record], alive: bool | None = None) -> State:
    """Derive the state of the latest attempt (the table is in docs/architecture.md).

    alive: whether the backend reports its worker as alive; None: unknown.
    """
    attempt = max((c["attempt"] for c in controls if c["kind"] == "queued"), default=0)
    if not attempt:
        return State("draft")
    requested = {c["kind"]: c for c in reversed(controls) if c["attempt"] == attempt}
    reported = [e for e in events if e["attempt"] == attempt]
    last = next((e.get("state") for e in reversed(reported) if e["kind"] == "state"), "")
    if last in REPORTED_END:
        if last == "cancelled":  # requested by the user, unless there is a reason
            return State(
                last, attempt, next(str(e.get("detail") or "") for e in reversed(reported) if e["kind"] == "state")
            )
        if last != "failed":
            return State(last, attempt)
        error = next((e.get("finding") for e in reversed(reported) if e["kind"] == "error"), None) or {}
        return State(last, attempt, error.get("message") or NO_REASON, error.get("hint") or "Look at the log.")
    for kind in ("interrupted", "cancelled", "failed"):
        if kind in requested:
            return State(kind, attempt, requested[kind].get("reason", ""), requested[kind].get("hint", ""))
    submitted = "started" in requested or last in ACTIVE
    if submitted and alive is False:
        return State("interrupted", attempt, EXITED, RESUME_HINT)
    if "stop" in requested:
        return State("stopping" if submitted else "cancelled", attempt)
    if last in ACTIVE:
        return State(last, attempt)
    return State("preparing" if submitted else "queued", attempt)


def touch(folder: Path) -> None:
    """Set the modification time of the folder of runs, so that every list of runs looks for changes (`run_index`)."""
    now = time.time_ns()  # finer than what the system sets by itself: two changes have two times
    with contextlib.suppress(OSError):  # of another user, or on a full disk: the list finds the change a little later
        os.utime(folder, ns=(now, now))


IDENTITY: dict[str, Callable[[Any], bool]] = {"task": is_text, "owner": is_text, "created": is_time}
OPTIONAL: dict[str, Callable[[Any], bool]] = {
    "model": optional(is_text),
    "project_name": is_text,
    "data": lambda value: isinstance(value, dict) and isinstance(value.get("path", ""), str),
    "params": is_object,
    "backend": optional(is_text),
    "hub": optional(is_object),
    "resources": optional(is_object),
}
"""Fields of a spec that may be absent, as in a draft or in a run of an earlier version."""


def _with(path: Path, found: Record, **fields: Callable[[Any], bool]) -> Record:
    """Return the record if each of these fields passes its test, else raise DataError."""
    for name, test in fields.items():
        if (name in found or name not in OPTIONAL) and not test(found.get(name)):
            problem = "is missing" if name not in found else f"is invalid ({str(found[name])[:60]!r})"
            raise damaged(path, f"'{name}' {problem}")
    return found
