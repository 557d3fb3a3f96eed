"""What a worker does about its own process: exit with its caller, be killed first, kill its subprocesses."""

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
"""Environment variable: the process id of the caller, without whom a call has no sense."""
LOADING_NICENESS = 3
"""Half the share of processor time that others at work have: a training may be among them, and must not starve it."""


def exit_with_caller(grace: float) -> None:
    """Exit with all subprocesses when the caller of this process dies.

    grace: seconds that it has to leave things in order.
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


def raise_oom_score() -> None:
    """Let the kernel kill this process first when memory runs out, not the page (proc(5), oom_score_adj)."""
    with contextlib.suppress(OSError):  # another system, or not allowed
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
