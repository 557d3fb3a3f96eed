"""The worker's side of a run: the only writer of `events.jsonl`."""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from typing import Any

from autotrain_gradio.errors import Finding
from autotrain_gradio.panels import Panel
from autotrain_gradio.runs.record import VERSION, read_lines, write_json
from autotrain_gradio.spec import RunSpec

PROGRESS_SECONDS = 1.0
STOP_SECONDS = 0.5


class Reporter:
    """What a task's `train(run)` is given: the spec, the run's folders, and the record to write.

    On ranks other than 0 nothing is written.

    Attributes:
        directory: the run.
        spec, params: what to train, and the task's parameters.
        attempt: number of this attempt, from 1.
        resume_from: the latest checkpoint of the earlier attempts that is there, when this one continues them.
    """

    def __init__(
        self, directory: Path, spec: RunSpec, params: Any, *, attempt: int = 1, resume: bool = False, rank: int = 0
    ) -> None:
        self.directory = directory
        self.spec = spec
        self.params = params
        self.attempt = attempt
        self.checkpoints = directory / "checkpoints"
        self.model = directory / "model"
        self.samples = directory / "samples"
        self.resume_from = self._latest_checkpoint() if resume else None
        self._control = directory / "control.jsonl"
        self._control_offset = 0
        self._stop = False
        self._next_look = 0.0
        self._next_progress = 0.0
        self._seq = 0
        self._file = -1
        if rank == 0:
            path = directory / "events.jsonl"
            _cut_torn_line(path)
            self._seq = 1 + max((e["seq"] for e in read_lines(path)[0] if e.get("attempt") == attempt), default=-1)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def close(self) -> None:
        """Close the file of events."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def state(self, state: str, detail: str = "") -> None:
        """Say what the run is doing: a state of docs/architecture.md, and in words."""
        self._write("state", {"state": state, "detail": detail})

    def progress(self, step: int, total: int, epoch: float, epochs: float) -> None:
        """Say how far the training is; written at most once a second, and for the last step."""
        now = time.monotonic()
        if now < self._next_progress and step < total:
            return
        self._next_progress = now + PROGRESS_SECONDS
        self._write("progress", {"step": step, "total": total, "epoch": round(epoch, 4), "epochs": epochs})

    def metric(self, step: int, epoch: float, **values: float) -> None:
        """Record figures of a step; one that is not finite is written as null."""
        finite = {k: float(v) if math.isfinite(v) else None for k, v in values.items()}
        self._write("metric", {"step": step, "epoch": round(epoch, 4), "values": finite})

    def result(self, **values: float) -> None:
        """Record the figures of the model that is kept, which may be an earlier one than the last measured."""
        finite = {k: float(v) for k, v in values.items() if math.isfinite(v)}
        self._write("result", {"values": finite})

    def sample(self, step: int, panel: Panel) -> None:
        """Show predictions on the same few rows; files of the panel are relative to the run."""
        self._write("sample", {"step": step, "panel": panel})

    def note(self, message: str, *, level: str = "info", hint: str = "") -> None:
        """Tell the user something."""
        self._write("note", {"level": level, "message": message, "hint": hint})

    def checkpoint(self, step: int, path: Path, best: bool = False) -> None:
        """Record that a checkpoint is complete."""
        self._write("checkpoint", {"step": step, "path": self._relative(path), "best": best})

    def artifact(self, name: str, path: Path) -> None:
        """Record a result."""
        self._write("artifact", {"name": name, "path": self._relative(path)})

    def error(self, finding: Finding) -> None:
        """Record why the run fails."""
        self._write("error", {"finding": finding.to_dict()})

    def report(self, panels: list[Panel]) -> None:
        """Write the results."""
        write_json(self.directory / "report.json", panels)

    def request_stop(self) -> None:
        """Stop at the next occasion, as if the user had asked: for the worker's signal handler."""
        self._stop = True

    def stop_requested(self) -> bool:
        """Whether the user asked for this attempt to stop; looks into the file twice a second.

        Raises:
            FileNotFoundError: the run was deleted.
        """
        now = time.monotonic()
        if not self._stop and now >= self._next_look:
            self._next_look = now + STOP_SECONDS
            os.stat(self.directory / "spec.json")
            lines, self._control_offset = read_lines(self._control, self._control_offset)
            self._stop = any(c["kind"] in {"stop", "kill"} and c["attempt"] == self.attempt for c in lines)
        return self._stop

    def _latest_checkpoint(self) -> Path | None:
        events = read_lines(self.directory / "events.jsonl")[0]
        paths = [self.directory / e["path"] for e in events if e["kind"] == "checkpoint"]
        return next((p for p in reversed(paths) if p.is_dir()), None)

    def _relative(self, path: Path) -> str:
        path = Path(path)
        return path.relative_to(self.directory).as_posix() if path.is_absolute() else path.as_posix()

    def _write(self, kind: str, fields: dict[str, Any]) -> None:
        if self._file < 0:
            return
        head = {"v": VERSION, "attempt": self.attempt, "seq": self._seq, "time": time.time(), "kind": kind}
        line = json.dumps({**head, **fields}, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        written = os.write(self._file, line)
        if written != len(line):
            raise OSError(28, "the event could be written only in part", str(self.directory / "events.jsonl"))
        self._seq += 1


def _cut_torn_line(path: Path) -> None:
    if not path.exists():
        return
    with path.open("rb+") as file:
        data = file.read()
        if data and not data.endswith(b"\n"):
            file.truncate(data.rfind(b"\n") + 1)
