"""Runs of the app, started as a user would, and what they have recorded."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotrain_gradio.core.text_format import MIB
from autotrain_gradio.service import Service, wait


@dataclass(frozen=True)
class AppRun:
    """A run that has ended: its id, state, and the lines of its record.

    error: the finding of a failed run (`code`, `message`, `hint`, …), else empty.
    """

    id: str
    state: str
    control: list[dict[str, Any]]
    events: list[dict[str, Any]]
    error: dict[str, Any]

    def started(self) -> float:
        """Return the time at which the first attempt was started, in seconds since the epoch."""
        return float(next(c["time"] for c in self.control if c["kind"] == "started"))

    def training_began(self) -> float:
        """Return the time at which the Trainer began, in seconds since the epoch."""
        return float(next(e["time"] for e in self.events if e["kind"] == "state" and e["detail"] == "Training"))

    def steps(self) -> list[tuple[int, float]]:
        """Return steps and the time of their ends; the first and the last step are always among them."""
        return [(e["step"], e["time"]) for e in self.events if e["kind"] == "progress" and e["step"] > 0]

    def logged(self, name: str) -> list[tuple[int, float, float]]:
        """Return each logged value of a metric: step, value, and time in seconds since the epoch."""
        found = [e for e in self.events if e["kind"] == "metric" and e["values"].get(name) is not None]
        return [(e["step"], float(e["values"][name]), float(e["time"])) for e in found]

    def memory(self) -> float:
        """Return the most memory that was logged, in bytes: of the GPU if there is one, else of the process."""
        return max(value for _, value, _ in self.logged("memory_mib")) * MIB

    def notes(self) -> list[str]:
        """Return the messages to the user."""
        return [e["message"] for e in self.events if e["kind"] == "note"]


def start(service: Service, spec: dict[str, Any]) -> str:
    """Check the data of a spec and start the run, as the command line does; return its id."""
    draft = service.draft(spec["task"])
    service.prestart(draft, spec)
    service.check(draft, spec)
    return service.start(draft, spec)


def ended(service: Service, run: str, *, seconds: float = math.inf) -> AppRun:
    """Wait until a run has ended, and read its record.

    Raises:
        TimeoutError: it takes longer than so many seconds; it was stopped.
    """
    began = time.monotonic()
    for last in wait(service, run, every=0.2):
        if time.monotonic() - began > seconds and last["can"]["stop"]:
            service.stop(run)
            raise TimeoutError(f"the run takes longer than {seconds:.0f} s, and is {last['state']}")
    directory = service.store.get(run).directory
    control, events = (_lines(directory / f"{name}.jsonl") for name in ("control", "events"))
    errors = [e["finding"] for e in events if e["kind"] == "error"]
    return AppRun(run, last["state"], control, events, errors[-1] if errors else {})


def complete(service: Service, spec: dict[str, Any], *, seconds: float = math.inf) -> AppRun:
    """Train by a spec, read the record, and delete the run.

    Raises:
        RuntimeError: the run has not completed.
        TimeoutError: it takes longer than so many seconds.
    """
    found = ended(service, start(service, spec), seconds=seconds)
    if found.state != "completed":
        raise RuntimeError(f"the run is {found.state}: {found.error or service.log(found.id, -2000)['text']}")
    service.delete(found.id)
    return found


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
