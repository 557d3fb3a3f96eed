"""One run directory: its files, what was asked of it, what happened in it, and the state that follows.

The contract is docs/architecture.md. The app writes `draft.json`, `spec.json` and `control.jsonl`;
the worker alone writes `events.jsonl` (see `reporter.py`).
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from autotrain_gradio.errors import DataError, NotFound

VERSION = 1
TERMINAL = frozenset({"completed", "failed", "cancelled"})
Record = dict[str, Any]


def write_json(path: Path, value: Any) -> None:
    """Write JSON so that a reader sees the old file or the new one, never a part."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=False, indent=1)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_json(path: Path) -> Any:
    """Read JSON; None where there is no such file.

    Raises:
        DataError: the file is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(
            f"The run's file {path.name} is damaged: {error}.",
            "Restore it from a copy, or delete the run.",
            f"{path.parent.name}/{path.name}",
            "damaged-record",
        ) from None


def read_lines(path: Path, offset: int = 0) -> tuple[list[Record], int]:
    """Read the whole JSON lines from a byte offset on; return them and the offset behind the last.

    A torn last line is left for the next reading; a line that is no JSON object is passed over.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read()
    except FileNotFoundError:
        return [], offset
    end = data.rfind(b"\n") + 1
    records = []
    for line in data[:end].splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            records.append(record)
    return records, offset + end


@dataclass(frozen=True)
class State:
    """What a run is doing: its state, since when, and why where there is a reason."""

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
        """Return `{task, owner, created, spec}`."""
        found = read_json(self.directory / "draft.json")
        if found is None:
            raise NotFound(f"The run '{self.id}' has lost its draft.json.", "Delete it.", code="damaged-record")
        return dict(found)

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
        with FileLock(self.directory / "control.lock"):
            if self.is_started():
                return False
            write_json(self.directory / "spec.json", value)
        return True

    def spec(self) -> Record:
        """Return `spec.json`, or the draft's spec with `id`, `owner` and `created`."""
        found = read_json(self.directory / "spec.json")
        if found is not None:
            return dict(found)
        draft = self.draft()
        return {**draft["spec"], "id": self.id, "owner": draft["owner"], "created": draft["created"]}

    def owner(self) -> str:
        """Return who made the run."""
        return str(self.spec()["owner"])

    # -- control

    def control(self, kind: str, attempt: int, **fields: Any) -> Record:
        """Append a line to `control.jsonl`, under its lock."""
        record = {"v": VERSION, "time": time.time(), "kind": kind, "attempt": attempt, **fields}
        with FileLock(self.directory / "control.lock"):
            append_line(self.control_path, record)
        return record

    def controls(self) -> list[Record]:
        """Return all control lines."""
        return read_lines(self.control_path)[0]

    def attempt(self) -> int:
        """Return the number of the latest attempt; 0 when none was asked for."""
        return max((c["attempt"] for c in self.controls() if c["kind"] == "queued"), default=0)

    def enqueue(self, *, resume: bool) -> int:
        """Ask for a new attempt, unless the latest one has not ended; return its number."""
        with FileLock(self.directory / "control.lock"):
            controls, events = self.controls(), read_lines(self.events_path)[0]
            latest = max((c["attempt"] for c in controls if c["kind"] == "queued"), default=0)
            if latest and derive(controls, events).name not in {*TERMINAL, "interrupted"}:
                return latest
            record = {"v": VERSION, "time": time.time(), "kind": "queued", "attempt": latest + 1, "resume": resume}
            append_line(self.control_path, record)
            return latest + 1

    def close_attempt(self, attempt: int, kind: str, reason: str, hint: str = "") -> None:
        """Write that an attempt ended without the worker's last word, unless it has one by now."""
        with FileLock(self.directory / "control.lock"):
            state = derive(self.controls(), read_lines(self.events_path)[0])
            if state.attempt != attempt or state.name in {*TERMINAL, "interrupted"}:
                return
            record = {
                "v": VERSION,
                "time": time.time(),
                "kind": kind,
                "attempt": attempt,
                "reason": reason,
                "hint": hint,
            }
            append_line(self.control_path, record)

    def state(self) -> State:
        """Derive the state from the files alone; whether the worker lives is not asked here."""
        return derive(self.controls(), read_lines(self.events_path)[0])


def append_line(path: Path, record: Record) -> None:
    """Append one JSON line with a single write; begin a new line where the last one is torn."""
    line = json.dumps(record, ensure_ascii=False).encode() + b"\n"
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            line = b"\n" + line
        os.write(handle, line)
    finally:
        os.close(handle)


def derive(controls: list[Record], events: list[Record]) -> State:
    """Derive the state of the latest attempt (the table is in docs/architecture.md)."""
    attempt = max((c["attempt"] for c in controls if c["kind"] == "queued"), default=0)
    if not attempt:
        return State("draft")
    asked = {c["kind"]: c for c in controls if c["attempt"] == attempt}
    said = [e for e in events if e.get("attempt") == attempt]
    last = next((e["state"] for e in reversed(said) if e.get("kind") == "state"), "")
    if last in TERMINAL:
        error = next((e["finding"] for e in reversed(said) if e.get("kind") == "error"), None) or {}
        return State(last, attempt, error.get("message", ""), error.get("hint", ""))
    for kind in ("interrupted", "cancelled", "failed"):
        if kind in asked:
            return State(kind, attempt, asked[kind].get("reason", ""), asked[kind].get("hint", ""))
    if "stop" in asked:
        return State("stopping" if "started" in asked else "cancelled", attempt)
    if last:
        return State(last, attempt)
    return State("preparing" if "started" in asked else "queued", attempt)
