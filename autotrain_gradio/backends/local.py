"""Workers on this machine: trainings that outlive the app, and calls that do not."""

from __future__ import annotations

import contextlib
import os
import signal as signals
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from autotrain_gradio.backends import process as processes
from autotrain_gradio.backends.base import Capabilities
from autotrain_gradio.backends.calls import call
from autotrain_gradio.backends.process import environment, visitor_caches
from autotrain_gradio.backends.warm import WarmWorkers
from autotrain_gradio.runs import worker_lock
from autotrain_gradio.runs.files import read_object, write_json

__all__ = ["WarmWorkers", "call", "capabilities", "environment", "signal", "status", "submit", "visitor_caches"]

START_SECONDS = 30.0
capabilities = Capabilities(outlives_app=True, needs_visitor=False, stoppable=True, price_known=True)
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**25)}
"""Lets a training keep the memory that it takes and gives back at every step (mallopt(3) of glibc, where these are
bytes): else much of a step on a CPU is spent on the system's clearing of pages."""
_children: dict[int, subprocess.Popen[bytes]] = {}


def submit(directory: Path, attempt: int, env: Mapping[str, str], *, resume: bool, device: str | None = None) -> None:
    """Start a training worker in a session of its own; its output goes to `log.txt`.

    device: the GPU that it may use, as CUDA_VISIBLE_DEVICES names it; None: all.

    Raises:
        OSError: it cannot be started.
    """
    more = ["--attempt", str(attempt), *(["--resume"] if resume else [])]
    env = {**KEEP_MEMORY, **env}
    if device is not None:
        env = {**env, "CUDA_VISIBLE_DEVICES": device}
    with (directory / "log.txt").open("ab") as log:
        child = processes.spawn(
            directory, "train", *more, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
    _children[child.pid] = child
    threading.Thread(target=child.wait, name=f"reap {child.pid}", daemon=True).start()
    record = {
        "backend": "local",
        "attempt": attempt,
        "pid": child.pid,
        "created": processes.created(child.pid),
        "device": device,
    }
    try:
        write_json(directory / "backend.json", record)
    except OSError:
        processes.kill_group(child)  # a worker that is on no record could not be stopped
        raise


def status(directory: Path, attempt: int, started: float) -> dict[str, Any]:
    """Say whether the worker of an attempt lives: `{"alive", "reason", "hint"}`; why not, as far as it is known.

    started: when the attempt was handed to `submit` (seconds since the epoch). Until the worker is
    on record, it counts as alive for `START_SECONDS`.
    """
    worker = read_object(directory / "backend.json") or {}
    if worker.get("attempt", 0) < attempt:
        starting = time.time() - started < START_SECONDS or worker_lock.held(directory)
        return _said(starting, "The training process was never started.", "Resume it.")
    pid, since = int(worker["pid"]), worker.get("created")
    child = _children.get(pid)
    if child is not None and child.returncode is not None:
        return _said(False, **processes.ending(child.returncode, _last_words(directory)))
    if processes.is_alive(pid, since) or worker_lock.held(directory):
        return _said(True)
    if since is not None and psutil.boot_time() > since + 2.0:
        return _said(False, "The machine was restarted while the training ran.", processes.RESUME_HINT)
    return _said(False)


def signal(directory: Path, *, hard: bool) -> None:
    """Signal the worker's process group: SIGTERM; or, when `hard`, SIGKILL to it and all that it started."""
    worker = read_object(directory / "backend.json")
    if worker is not None and processes.is_alive(int(worker["pid"]), worker.get("created")):
        with contextlib.suppress(ProcessLookupError):  # it ended just now; what it started may not have
            os.killpg(int(worker["pid"]), signals.SIGKILL if hard else signals.SIGTERM)
    if hard:
        for process in processes.of_run(directory):
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue


def _said(alive: bool, reason: str = "", hint: str = "") -> dict[str, Any]:
    return {"alive": alive, "reason": "" if alive else reason, "hint": "" if alive else hint}


def _last_words(directory: Path) -> str:
    """Return the last line of the log, where a worker that could not even begin says why."""
    try:
        with (directory / "log.txt").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except FileNotFoundError:
        return ""
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")
