"""Supervisors: forks that watch a worker. A thread does not run while a library holds the interpreter lock."""

from __future__ import annotations

import os
from collections.abc import Callable

import psutil


def fork_supervisor(supervise: Callable[[], None]) -> None:
    """Run a function in a fork of this process, which exits with it; return at once in this process.

    Called before threads are started and before anything large is imported.
    """
    if os.fork() == 0:
        try:
            supervise()
        finally:
            os._exit(0)


def parent_of(process: int) -> int | None:
    """Return the parent of a process; None if the process has ended."""
    try:
        return psutil.Process(process).ppid()
    except psutil.NoSuchProcess:
        return None
