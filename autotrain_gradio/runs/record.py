"""One run directory: its files, what was asked of it, what happened in it, and the state that follows.

The contract is docs/architecture.md. The app writes `draft.json`, `spec.json` and `control.jsonl`;
the worker alone writes `events.jsonl` (see `reporter.py`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from autotrain_gradio.core.errors import NotFound, StateError
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
from autotrain_gradio.runs.states import ACTIVE, ENDED, REPORTED_END

__all__ = ["Record", "Run", "State", "StateReader", "derive", "read_json", "write_json"]

VERSION = 1
LOCK_SECONDS = 20.0
GONE = "The training process is gone; it reported no reason."
GONE_HINT = "Resume it: it continues from its last checkpoint."
NO_REASON = "The training failed and reported no reason."


@dataclass(frozen=True)
class State:
    """What a run is doing: its state, the attempt that it is about, and why where there is a reason."""

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
        """The worker's record of what happened."""
        return self.directory / "events.jsonl"

    @property
    def control_path(self) -> Path:
        """The app's record of what was asked for."""
        return self.directory / "control.jsonl"

    # -- draft and spec

    def draft(self) -> Record:
        """Return `{task, owner, created, spec}`.

        Raises:
            NotFound: it has none any more.
            DataError: it is damaged.
        """
        path = self.directory / "draft.json"
        found = read_object(path)
        if found is None:
            raise NotFound(f"The run '{self.id}' has lost its draft.json.", "Delete it.", code="damaged-record")
        return _with(path, found, task=str, owner=str, created=(int, float), spec=dict)

    def save_draft(self, spec: Record) -> None:
        """Remember the form as it stands."""
        write_json(self.directory / "draft.json", {**self.draft(), "spec": spec})

    def discard_check(self) -> None:
        """Forget the result of the last check."""
        (self.directory / "check.json").unlink(missing_ok=True)

    def is_started(self) -> bool:
        """Whether the draft was started."""
        return (self.directory / "spec.json").exists()

    def freeze(self, spec: Record) -> bool:
        """Write `spec.json`, once; return whether this call did it."""
        draft = self.draft()
        value = {**spec, "id": self.id, "owner": draft["owner"], "created": draft["created"]}
        with self._locked():
            if self.is_started():
                return False
            write_json(self.directory / "spec.json", value)
        return True

    def spec(self) -> Record:
        """Return `spec.json`, or the draft's spec with `id`, `owner` and `created`.

        Raises:
            NotFound, DataError: there is neither, or it is damaged.
        """
        path = self.directory / "spec.json"
        found = read_object(path)
        if found is not None:
            return _with(path, found, task=str, owner=str, created=(int, float))
        draft = self.draft()
        return {**draft["spec"], "id": self.id, "owner": draft["owner"], "created": draft["created"]}

    def owner(self) -> str:
        """Return who made the run."""
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
        """Ask for a new attempt, unless the latest one has not ended; return its number.

        fields: what else the line says.
        """
        with self._locked():
            state = self.state()
            if state.attempt and state.name not in ENDED:
                return state.attempt
            self._append("queued", state.attempt + 1, resume=resume, **fields)
            return state.attempt + 1

    def begin(self, attempt: int) -> Record | None:
        """Write that an attempt is handed to the backend and return its `queued` line; None if it no longer waits."""
        with self._locked():
            if self.state() != State("queued", attempt):
                return None
            self._append("started", attempt)
            return next(c for c in self.controls() if c["kind"] == "queued" and c["attempt"] == attempt)

    def ask_stop(self, by: str) -> None:
        """Ask the latest attempt to stop, once, or take it out of the queue; one that has ended stays as it is."""
        with self._locked():
            state = self.state()
            if state.name == "queued":
                self._append("cancelled", state.attempt, by=by)
            elif state.name in {"preparing", "running"}:
                self._append("stop", state.attempt, by=by)

    def close_attempt(self, attempt: int, kind: str, reason: str, hint: str = "") -> bool:
        """Record the end of an attempt that its worker did not report, unless it has by now; return whether."""
        with self._locked():
            state = self.state()
            if state.attempt != attempt or state.name in ENDED:
                return False
            self._append(kind, attempt, reason=reason, hint=hint)
            return True

    def record_interruption(self, attempt: int, reason: str = "", hint: str = "") -> bool:
        """Record that the worker of an attempt has died (`interrupted`) and why; return whether that was new.

        reason, hint: what the backend knows. A worker that was ended because it did not stop needs no other reason.
        """
        killed = next((c for c in self.controls() if c["kind"] == "kill" and c["attempt"] == attempt), None)
        if killed is not None:
            why = killed.get("reason", "it did not stop")
            reason = f"The training was killed: {why}."
            hint = "The steps since its last checkpoint are lost. Resume it to continue from there."
        return self.close_attempt(attempt, "interrupted", reason or GONE, hint or GONE_HINT)

    def state(self, alive: bool | None = None) -> State:
        """Derive the state. alive: what the backend says of the latest attempt's worker; None: it was not asked."""
        return StateReader(self).read(alive)

    def _append(self, kind: str, attempt: int, **fields: Any) -> Record:
        record = {"v": VERSION, "time": time.time(), "kind": kind, "attempt": attempt, **fields}
        append_line(self.control_path, record)
        return record

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # The lock would make the folder anew.
        if not self.directory.is_dir():
            raise NotFound(f"The run '{self.id}' was deleted.", code="no-run")
        try:
            with FileLock(self.directory / "control.lock", timeout=LOCK_SECONDS):
                yield
        except Timeout:
            raise StateError(
                f"The record of the run '{self.id}' has been held by another process for {LOCK_SECONDS:.0f} s.",
                "Try again; if it stays so, end the other app that uses this folder.",
                code="record-locked",
            ) from None


class StateReader:
    """Derives a run's state again and again, reading only what was added; safe to use from several threads."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.controls: list[Record] = []
        self._events: list[Record] = []
        self._control = Tail(run.control_path)
        self._tail = Tail(run.events_path, wanted=_about_state)
        self._lock = threading.Lock()
        self._state: State | None = None

    def read(self, alive: bool | None = None) -> State:
        """Return the state of now; alive as for `Run.state`."""
        with self._lock:
            controls, again = self._control.read()
            events, anew = self._tail.read()
            if controls or events or again or anew or self._state is None:
                self.controls = controls if again else self.controls + controls
                events = [e for e in events if e["kind"] in {"state", "error"}]
                self._events = (events if anew else self._events + events)[-50:]
                self._state = derive(self.controls, self._events)
            return self._state if alive is not False else derive(self.controls, self._events, alive)

    def asked(self, attempt: int, kind: str) -> Record | None:
        """Return the first control line of a kind for an attempt, of those that were read."""
        return next((c for c in self.controls if c["attempt"] == attempt and c["kind"] == kind), None)


def _about_state(line: bytes) -> bool:
    return b'"state"' in line or b'"error"' in line


def derive(controls: list[Record], events: list[Record], alive: bool | None = None) -> State:
    """Derive the state of the latest attempt (the table is in docs/architecture.md).

    alive: what the backend says of its worker; None: it was not asked.
    """
    attempt = max((c["attempt"] for c in controls if c["kind"] == "queued"), default=0)
    if not attempt:
        return State("draft")
    asked = {c["kind"]: c for c in reversed(controls) if c["attempt"] == attempt}
    said = [e for e in events if e["attempt"] == attempt]
    last = next((e.get("state") for e in reversed(said) if e["kind"] == "state"), "")
    if last in REPORTED_END:
        if last == "cancelled":  # the user asked for it, or there is a reason
            return State(
                last, attempt, next(str(e.get("detail") or "") for e in reversed(said) if e["kind"] == "state")
            )
        if last != "failed":
            return State(last, attempt)
        error = next((e.get("finding") for e in reversed(said) if e["kind"] == "error"), None) or {}
        return State(last, attempt, error.get("message") or NO_REASON, error.get("hint") or "Look at the log.")
    for kind in ("interrupted", "cancelled", "failed"):
        if kind in asked:
            return State(kind, attempt, asked[kind].get("reason", ""), asked[kind].get("hint", ""))
    handed = "started" in asked or last in ACTIVE
    if handed and alive is False:
        return State("interrupted", attempt, GONE, GONE_HINT)
    if "stop" in asked:
        return State("stopping" if handed else "cancelled", attempt)
    if last in ACTIVE:
        return State(last, attempt)
    return State("preparing" if handed else "queued", attempt)


def _with(path: Path, found: Record, **fields: Any) -> Record:
    """Return the record when it has these fields, each of its type."""
    for name, kind in fields.items():
        if not isinstance(found.get(name), kind):
            raise damaged(path, f"'{name}' is missing or wrong")
    return found
