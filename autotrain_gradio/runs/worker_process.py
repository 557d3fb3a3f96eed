"""Process management of a worker: exit with its caller, OOM score, priority, subprocesses."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil

CALLER = "AUTOTRAIN_GRADIO_CALLER"
"""Environment variable: process id of the caller; a call exits with it."""
WORK = "work"
"""Working directory of a worker, in the run's directory: empty, but for what a library leaves there."""
LOADING_NICENESS = 3
"""Half the CPU share of normal processes, such as a training, which must not be slowed."""


def exit_with_caller(grace: float) -> None:
    """Exit with all subprocesses when the caller of this process dies.

    grace: seconds between SIGTERM and SIGKILL, for clean-up.
    """
    caller = int(os.environ.get(CALLER, "0"))

    def watch() -> None:
        while os.getppid() == caller:
            time.sleep(1.0)
        if grace:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(grace)
        os.killpg(0, signal.SIGKILL)

    if caller and os.getpgrp() == os.getpid():
        threading.Thread(target=watch, daemon=True).start()


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
