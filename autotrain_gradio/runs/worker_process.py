"""Process management of a worker: exit with its caller, OOM score, priority, subprocesses."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from pathlib import Path

import psutil

from autotrain_gradio.runs.supervisor import fork_supervisor, parent_of

CALLER = "AUTOTRAIN_GRADIO_CALLER"
"""Environment variable: process id of the caller; a call exits with it."""
WORK = "work"
"""Working directory of a worker, in the run's directory: empty, but for what a library leaves there."""
SUPERVISOR_SECONDS = 1.0
"""Interval at which the supervisor of a call looks whether the worker has ended."""
LOADING_NICENESS = 3
"""Half the CPU share of normal processes, such as a training, which must not be slowed."""


def exit_with_caller(grace: float) -> None:
    """Let a supervisor process end this process and its subprocesses when the caller dies.

    A thread of this process could not: it does not run while a library holds the interpreter lock. Nor is the kernel's
    parent-death signal (PR_SET_PDEATHSIG) used: it is sent when the *thread* that started this process ends, and a warm
    worker outlives the thread of the event that started it; and it leaves no time to clean up. The supervisor is a
    fork that waits until the caller's end of this process's stdin is closed, which the kernel does when the caller
    dies, also by SIGKILL. Called before threads are started and before anything large is imported.

    grace: seconds between SIGTERM and SIGKILL, for clean-up.
    """
    caller, worker = int(os.environ.get(CALLER, "0")), os.getpid()
    if not caller or os.getpgrp() != worker:
        return
    fork_supervisor(lambda: _supervise(caller, worker, grace))


def _supervise(caller: int, worker: int, grace: float) -> None:
    """Wait for the end of the worker or of the caller; then kill the worker's process group, and this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stdin = os.dup(0)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # the caller reads the worker's output up to its end
        os.dup2(null, stream)
    pipe = select.poll()
    pipe.register(stdin, 0)  # nothing but the hang-up: the data is the worker's
    while os.getppid() == worker:
        if pipe.poll(1000.0 * SUPERVISOR_SECONDS) or parent_of(worker) != caller:
            if grace:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGTERM)
                end = time.monotonic() + grace
                while os.getppid() == worker and time.monotonic() < end:
                    time.sleep(0.1)
            os.killpg(worker, signal.SIGKILL)


def enter_empty_directory(directory: Path) -> None:
    """Change the working directory to `work` in the run's, where there is nothing.

    `from_pretrained` and `load_dataset` take a name such as `data/media` for a folder if the working directory has it:
    in the run's own directory, that is what a visitor has uploaded. A model is a folder only if its path is absolute.
    """
    work = directory / WORK
    work.mkdir(exist_ok=True)
    os.chdir(work)


def raise_oom_score() -> None:
    """Let the kernel kill this process first when memory runs out, not the page (proc(5), oom_score_adj)."""
    with contextlib.suppress(OSError):  # not Linux, or not permitted
        Path("/proc/self/oom_score_adj").write_text("500")


def kill_children() -> None:
    """Kill the subprocesses that a training has left running."""
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def lower_thread_priority() -> None:
    """Lower the priority of this thread; the rest of the process is not slowed.

    Only on Linux, where the niceness is a thread's own (setpriority(2), C library/kernel differences).
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOADING_NICENESS)
