"""What a worker does about its own process: it ends with its caller, gives way, and leaves nothing behind."""

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


def end_with_caller(grace: float) -> None:
    """End this process and what it has started when its caller dies.

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


def give_way() -> None:
    """Be the first to go when memory runs out: the page must live to say so (proc(5), oom_score_adj)."""
    with contextlib.suppress(OSError):  # another system, or not allowed
        Path("/proc/self/oom_score_adj").write_text("500")


def end_children() -> None:
    """End what a training has started and left."""
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def load_after_others() -> None:
    """Let what is more urgent go first while this thread works; the rest of the process is not slowed.

    Only on Linux, where the niceness is a thread's own (setpriority(2), C library/kernel differences).
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOADING_NICENESS)
