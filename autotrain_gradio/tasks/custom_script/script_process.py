"""A subprocess of a run: its output as it is written, its end on request, and the processes that it leaves. Workers
only."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from autotrain_gradio.tasks.custom_script import script_guard
from autotrain_gradio.tasks.custom_script.script_guard import MARKER, kill_marked

GUARD_VARIABLES = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
CHUNK_BYTES = 65_536
POLL_SECONDS = 0.2
DRAIN_SECONDS = 1.0
"""Time to wait for the output of processes that outlive the one that started them."""


@dataclass(frozen=True)
class Ended:
    """How a process has ended.

    code: exit status; negative: the signal that killed it. stopped: it was asked to end. killed: it did not, and was
    killed. left: number of processes that it had left running, which were killed.
    """

    code: int
    stopped: bool = False
    killed: bool = False
    left: int = 0


def run_process(
    command: Sequence[str],
    *,
    folder: Path,
    env: Mapping[str, str],
    output: Callable[[bytes], None],
    stop: Callable[[], bool],
    grace: float,
) -> Ended:
    """Run a command to its end, in a process group of its own.

    folder: its working directory. output: is given its standard output and error, in chunks, and `b""` at least every
    fifth of a second. stop: whether it must end: then it gets SIGTERM, and SIGKILL after `grace` seconds.
    """
    marker = uuid4().hex
    process = subprocess.Popen(
        list(command),
        cwd=folder,
        env={**env, MARKER: marker},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        bufsize=0,
    )
    assert process.stdout is not None
    guard = _start_guard(marker, process.pid)
    handle, stop_time, killed, open_ = process.stdout.fileno(), 0.0, False, True
    try:
        while process.poll() is None:
            if open_:
                open_ = _read(handle, output, POLL_SECONDS)
            else:
                time.sleep(POLL_SECONDS)
                output(b"")
            now = time.monotonic()
            if not stop_time and stop():
                stop_time = now
                _signal(process.pid, signal.SIGTERM)
            elif stop_time and not killed and now - stop_time >= grace:
                killed = True
                _signal(process.pid, signal.SIGKILL)
        end = time.monotonic() + DRAIN_SECONDS
        while open_ and time.monotonic() < end:
            open_ = _read(handle, output, 0.05)
        left = kill_marked(marker, process.pid)
        end = time.monotonic() + DRAIN_SECONDS
        while open_ and time.monotonic() < end:
            open_ = _read(handle, output, 0.05)
    finally:
        kill_marked(marker, process.pid)  # also after an error, such as a full disk
        process.wait()
        process.stdout.close()
        guard.communicate()
    return Ended(process.returncode, bool(stop_time), killed, left)


def _start_guard(marker: str, group: int) -> subprocess.Popen[bytes]:
    """Start the program that kills the processes when this one has died: see `script_guard`."""
    return subprocess.Popen(
        [sys.executable, "-P", script_guard.__file__, marker, str(group)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # Without the variable by which the processes of a run are killed.
        env={name: os.environ[name] for name in GUARD_VARIABLES if name in os.environ},
    )


def _read(handle: int, output: Callable[[bytes], None], seconds: float) -> bool:
    """Pass on what was written, after waiting for it; return whether there may be more."""
    if not select.select([handle], [], [], seconds)[0]:
        output(b"")
        return True
    data = os.read(handle, CHUNK_BYTES)
    output(data)
    return bool(data)


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
