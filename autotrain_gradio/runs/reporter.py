"""`Reporter`, which training code uses to report events: the only writer of `events.jsonl`."""

from __future__ import annotations

import json
import math
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.core.text_format import format_duration
from autotrain_gradio.runs.files import Tail, truncate_torn_line, write_json, write_whole
from autotrain_gradio.runs.record import VERSION

PROGRESS_SECONDS = 1.0
STOP_SECONDS = 0.5
RESERVE_BYTES = 16384
KEPT = ("state", "checkpoint")
"""Kinds of events whose latest one is written again if the file is lost in mid-run."""
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Reporter:
    """The argument of a task's `train(run)`: the spec, the run's folders, and methods that report events.

    Only rank 0 writes.

    Attributes:
        directory: of the run.
        spec, params: the run's spec, and the task's parameters.
        attempt: number of this attempt, from 1.
        rank: of this process among the training processes of the run; 0 writes.
        shared_decision: makes all ranks stop at the same step (`training.distributed`); None: single process.
        stopped_together: whether all ranks stopped at the same step.
        stop_reason: reason of a stop that the user did not request.
        resume_from: latest checkpoint of earlier attempts, if this attempt resumes them.
        stopping: whether `stop_requested` has returned True: the training is stopping early.
    """

    def __init__(
        self, directory: Path, spec: RunSpec, params: Any, *, attempt: int = 1, resume: bool = False, rank: int = 0
    ) -> None:
        self.directory = directory
        self.rank = rank
        self.shared_decision: Any = None
        self.stop_reason = ""
        self.stopped_together = False
        self._deadline: float | None = None
        self._time_limit = ""
        self.spec = spec
        self.params = params
        self.attempt = attempt
        self.checkpoints = directory / "checkpoints"
        self.model = directory / "model"
        self.samples = directory / "samples"
        self.resume_from = self._latest_checkpoint() if resume else None
        self.stopping = False
        self._control = Tail(directory / "control.jsonl")
        self._stop_requested = False
        self._next_poll = 0.0
        self._next_progress = 0.0
        self._last_progress = -1
        self._seq = 0
        self._file = -1
        self._lock = threading.Lock()
        self._reserve = directory / ".reserve"
        self._path = path = directory / "events.jsonl"
        self._size = self._inode = 0
        self._latest: dict[str, dict[str, Any]] = {}
        if rank == 0:
            truncate_torn_line(path)
            events = Tail(path, wanted=lambda line: b'"attempt"' in line).read()[0]
            self._seq = 1 + max((e.get("seq", -1) for e in events if e["attempt"] == attempt), default=-1)
            self._open()
            self._reserve.write_bytes(b"\0" * RESERVE_BYTES)

    def close(self) -> None:
        """Close the event file."""
        self.release_reserve()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def release_reserve(self) -> None:
        """Delete the reserved file, so that the end of the run can be recorded on a full disk."""
        self._reserve.unlink(missing_ok=True)

    def state(self, state: str, detail: str = "") -> None:
        """Report the state of the run (docs/architecture.md) with a description of the current work."""
        self._write("state", {"state": state, "detail": detail})

    def progress(
        self,
        step: int,
        total: int,
        epoch: float,
        epochs: float,
        *,
        unit: str = "",
        left: float | None = None,
        own_steps: bool = False,
    ) -> None:
        """Report the progress of the training, at most once a second, and for the last step.

        epochs: 0 for trainings without epochs. unit: name of a step, if it is not "step". left: remaining seconds until
        a time limit. own_steps: see `metrics`.
        """
        now = time.monotonic()
        if now < self._next_progress and (step < total or step == self._last_progress):
            return
        self._next_progress = now + PROGRESS_SECONDS
        self._last_progress = step
        more = {**({"unit": unit} if unit else {}), **({"left": round(left, 1)} if left is not None else {})}
        more |= {"own_steps": True} if own_steps else {}
        self._write("progress", {"step": step, "total": total, "epoch": round(epoch, 4), "epochs": epochs, **more})

    def metric(self, step: int, epoch: float, **values: float) -> None:
        """Report metrics of a step; values that are not finite are written as null."""
        self.metrics(step, epoch, values)

    def metrics(self, step: float, epoch: float, values: Mapping[str, float], *, own_steps: bool = False) -> None:
        """Report metrics of a step, by name.

        own_steps: each metric counts its steps on its own. Otherwise an earlier step than the last one means that the
            training goes back to it: the points of all metrics after it are dropped.
        """
        finite = {k: float(v) if math.isfinite(v) else None for k, v in values.items()}
        more = {"own_steps": True} if own_steps else {}
        self._write("metric", {"step": step, "epoch": round(epoch, 4), "values": finite, **more})

    def result(self, **values: float) -> None:
        """Report the metrics of the saved model, which may be an earlier checkpoint than the last one evaluated."""
        finite = {k: float(v) for k, v in values.items() if math.isfinite(v)}
        self._write("result", {"values": finite})

    def sample(self, step: int, panel: Panel) -> None:
        """Report sample predictions on a fixed set of rows; files of the panel are relative to the run."""
        self._write("sample", {"step": step, "panel": panel})

    def note(self, message: str, *, level: str = "info", hint: str = "") -> None:
        """Report a message to the user."""
        self._write("note", {"level": level, "message": message, "hint": hint})

    def checkpoint(self, step: int, path: Path, best: bool = False) -> None:
        """Report a complete checkpoint."""
        self._write("checkpoint", {"step": step, "path": self._relative(path), "best": best})

    def artifact(self, name: str, path: Path) -> None:
        """Report an artifact."""
        self._write("artifact", {"name": name, "path": self._relative(path)})

    def error(self, finding: Finding) -> None:
        """Report the reason of a failure."""
        self._write("error", {"finding": finding.to_dict()})

    def report(self, panels: list[Panel]) -> None:
        """Write the final report."""
        if self.rank:
            return
        write_json(self.directory / "report.json", panels)

    def request_stop(self) -> None:
        """Stop after the current step, as after a request of the user; for the worker's signal handler."""
        self._stop_requested = True

    def follow_stop(self) -> None:
        """Stop at this step together with all ranks, as rank 0 has decided."""
        self._stop_requested = self.stopping = self.stopped_together = True

    def set_time_limit(self, seconds: float | None) -> None:
        """Stop this attempt after so many seconds from now; None: no limit."""
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._time_limit = "" if seconds is None else format_duration(seconds)

    def has_stop_reason(self) -> bool:
        """Whether the control file has a stop request, or the time limit is reached; ignores signals."""
        lines = Tail(self.directory / "control.jsonl").read()[0]
        requested = any(c["kind"] in {"stop", "kill"} and c["attempt"] == self.attempt for c in lines)
        return requested or bool(self.stop_reason)

    def stop_requested(self) -> bool:
        """Whether this attempt should stop: on request of the user, or because the time limit is reached.

        Polls the control file twice a second. Ranks other than 0 follow the decision of rank 0.

        Raises:
            FileNotFoundError: the run was deleted.
        """
        now = time.monotonic()
        if self.rank:
            return self.stopping
        if self._deadline is not None and now >= self._deadline and not self._stop_requested:
            self._stop_requested, self.stop_reason = True, f"The time limit of {self._time_limit} was reached."
            hint = "Resume the run to continue from its latest checkpoint; raise resources.timeout to train longer."
            self.note(self.stop_reason, level="warning", hint=hint)
        if now >= self._next_poll and not self._stop_requested:
            self._next_poll = now + STOP_SECONDS
            os.stat(self.directory / "spec.json")
            lines = self._control.read()[0]
            self._stop_requested = any(c["kind"] in {"stop", "kill"} and c["attempt"] == self.attempt for c in lines)
        if self._stop_requested:
            self.stopping = True
        return self.stopping

    def _latest_checkpoint(self) -> Path | None:
        events = Tail(self.directory / "events.jsonl", wanted=lambda line: b'"checkpoint"' in line).read()[0]
        paths = [self.directory / e["path"] for e in events if e["kind"] == "checkpoint"]
        if not paths:  # the events may be lost, but not the checkpoints
            paths = sorted((p for p in self.checkpoints.glob("*") if p.is_dir()), key=step_of)
        return next((p for p in reversed(paths) if p.is_dir()), None)

    def _relative(self, path: Path) -> str:
        path = Path(path)
        return path.relative_to(self.directory).as_posix() if path.is_absolute() else path.as_posix()

    def _write(self, kind: str, fields: dict[str, Any]) -> None:
        if self._file < 0:
            return
        with self._lock:
            self._restore_if_lost()
            record = {"v": VERSION, "attempt": self.attempt, "seq": self._seq, "time": time.time(), "kind": kind}
            record.update(fields)
            try:
                text = _encode(record)
            except ValueError:
                text = _encode(_finite(record))
            self._append(text)
            if kind in KEPT:
                self._latest[kind] = record

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        found = os.fstat(self._file)
        self._inode, self._size = found.st_ino, found.st_size

    def _append(self, text: str) -> None:
        line = text.encode() + b"\n"
        write_whole(self._file, line)
        self._size += len(line)
        self._seq += 1

    def _restore_if_lost(self) -> None:
        """Begin the file again if it was deleted, replaced or emptied in mid-run, with the latest state and checkpoint.

        Without it, the events would be written to a file that nobody can read.
        """
        try:
            found = os.stat(self._path)
            if found.st_ino == self._inode and found.st_size >= self._size:
                return
        except FileNotFoundError:
            if not (self.directory / "spec.json").exists():
                return  # the whole run was deleted
        os.close(self._file)
        self._open()
        hint = "The training is not affected. Its history and its curves begin here."
        note = {
            "level": "warning",
            "message": "The file events.jsonl was deleted while the run was active.",
            "hint": hint,
        }
        lost = {"v": VERSION, "attempt": self.attempt, "time": time.time(), "kind": "note", **note}
        for record in [*self._latest.values(), lost]:
            self._append(_encode({**record, "seq": self._seq}))


def step_of(checkpoint: Path) -> int:
    """Return the step in a checkpoint's name; -1 for another folder."""
    number = checkpoint.name.removeprefix("checkpoint-")
    return int(number) if number.isdigit() and number != checkpoint.name else -1


def _finite(value: Any) -> Any:
    """Return plain data with null for numbers that JSON does not support (NaN, infinity)."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return value
