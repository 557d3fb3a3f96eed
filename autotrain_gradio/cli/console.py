"""Output for a terminal: text, JSON, findings, and the progress of a check or a training."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels.text_table import cell_text
from autotrain_gradio.core.text_format import format_duration

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
SHOWN_METRICS = 4
LINE_SECONDS = 10.0
"""Seconds between two lines of progress if the output is not a terminal."""


def echo(text: str = "", *, error: bool = False, end: str = "\n") -> None:
    """Print text; to stderr when `error`. Control characters, which the data may contain, are replaced."""
    print(_CONTROL.sub("�", text), end=end, file=sys.stderr if error else sys.stdout, flush=True)


def echo_json(value: Any) -> None:
    """Print a value as JSON."""
    print(json.dumps(value, ensure_ascii=False, indent=2), flush=True)


def echo_error(error: UserError, rename: Mapping[str, str] | None = None) -> None:
    """Print an error's findings to stderr: message, where, hint; never a traceback.

    rename: location in the spec → the user's notation (`params.lr` → `--lr`).
    """
    echo(findings_text((f.to_dict() for f in error.findings), rename), error=True)


def findings_text(findings: Iterable[Mapping[str, Any]], rename: Mapping[str, str] | None = None) -> str:
    """Format findings, errors first: one paragraph each."""
    order = {"error": 0, "warning": 1, "info": 2}
    found = []
    for finding in sorted(findings, key=lambda f: order[f["level"]]):
        where = str(finding.get("where") or "")
        where = (rename or {}).get(where, where)
        text = f"{finding['level']}: {finding['message']}"
        if where and where not in finding["message"]:
            text += f"\n  where: {where}"
        if finding.get("hint"):
            text += f"\n  {finding['hint']}"
        text += "".join(f"\n  {fix['note']}" for fix in finding.get("alternatives") or ())
        found.append(text)
    return "\n".join(found)


class ProgressBar:
    """Progress of a call or a training: one line that is updated on a terminal, else a line every few seconds."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._live = sys.stderr.isatty()
        self._last, self._time, self._drawn = "", 0.0, False
        self._notes: set[str] = set()
        self._evaluated: float = -1
        self._state = ""

    def call(self, message: str, fraction: float) -> None:
        """Show the progress of a call, for instance of a check."""
        self._draw(f"{_bar(fraction)} {message}", important=False)

    def training(self, snapshot: Mapping[str, Any]) -> None:
        """Show a run's snapshot: its state, progress, new notes and new validation metrics."""
        for note in snapshot["notes"]:
            if note["message"] not in self._notes:
                self._notes.add(note["message"])
                self.print(f"{note['level']}: {note['message']}" + (f"\n  {note['hint']}" if note["hint"] else ""))
        self._evaluation(snapshot)
        changed = snapshot["state"] != self._state
        self._state = snapshot["state"]
        self._draw(training_line(snapshot), important=changed)

    def _evaluation(self, snapshot: Mapping[str, Any]) -> None:
        found = {n: p for n, p in snapshot["series"].items() if n.startswith("eval_") and p}
        step = max((p[-1][0] for p in found.values()), default=-1)
        if step > self._evaluated:
            self._evaluated = step
            wanted = ["eval_loss", *(f"eval_{n}" for n in _headlines(snapshot))]
            metrics = [f"{n.removeprefix('eval_')} {cell_text(found[n][-1][1])}" for n in wanted if n in found]
            if metrics:
                self.print(f"validation at step {step:g}: " + ", ".join(metrics))

    def print(self, text: str) -> None:
        """Print a permanent line above the progress line."""
        if not self._quiet:
            self.clear()
            echo(text, error=True)

    def _draw(self, line: str, *, important: bool) -> None:
        if self._quiet or line == self._last:
            return
        now = time.monotonic()
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write("\r\x1b[2K" + _CONTROL.sub(" ", line)[:width])
            sys.stderr.flush()
            self._drawn = True
        elif important or now - self._time >= LINE_SECONDS:
            echo(line, error=True)
        else:
            return
        self._last, self._time = line, now

    def clear(self) -> None:
        """Remove the progress line."""
        if self._drawn:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
            self._drawn, self._last = False, ""


def training_line(snapshot: Mapping[str, Any]) -> str:
    """Return the state and progress of a run in one line."""
    state, progress = snapshot["state"], snapshot["progress"]
    if state == "queued":
        position = snapshot.get("queue_position")
        return "Queued" + (f" at position {position}" if position else "")
    if state in {"running", "stopping"} and progress:
        parts = [_bar(progress["fraction"]), f"{progress['unit']} {progress['step']:,} of {progress['total']:,}"]
        if progress["epochs"]:
            parts.append(f"epoch {progress['epoch']:.1f} of {progress['epochs']:g}")
        if "loss" in snapshot["metrics"]:
            parts.append(f"loss {cell_text(snapshot['metrics']['loss'])}")
        if progress["eta_seconds"] is not None:
            parts.append(f"{format_duration(progress['eta_seconds'])} left")
        return "  ".join([*parts, *(["stopping"] if state == "stopping" else [])])
    line = snapshot["title"] + (f": {snapshot['detail']}" if snapshot.get("detail") else "")
    metrics = list(snapshot["metrics"].items())[:SHOWN_METRICS] if state == "running" else []
    return "  ".join([line, *(f"{name} {cell_text(value)}" for name, value in metrics)])


def _headlines(snapshot: Mapping[str, Any]) -> list[str]:
    best = snapshot.get("best")
    return [best["name"]] if best and best["name"] != "loss" else []


def _bar(fraction: float, width: int = 24) -> str:
    full = round(max(0.0, min(1.0, fraction)) * width)
    return f"[{'#' * full}{'.' * (width - full)}] {fraction:4.0%}"
