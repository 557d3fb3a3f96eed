"""Kill the processes of a script; as a program, when the worker that started the script has died.

    python script_guard.py MARKER GROUP < a pipe whose other end only the worker has

A worker that is killed cannot clean up, and processes in sessions of their own would run on. The program imports
nothing of this package, so that it starts fast and stays small.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

import psutil

MARKER = "AUTOTRAIN_PROCESS"
"""Environment variable that a script and all that it starts have in common."""
ROUNDS = 20


def kill_marked(marker: str, group: int) -> int:
    """Kill all processes of a group, and all others with the marker in their environment; return their number."""
    killed: set[int] = set()
    for _ in range(ROUNDS):  # a process may start others meanwhile
        found = [p for p in psutil.process_iter() if _is_marked(p, marker, group)]
        if not found:
            break
        for one in found:
            with contextlib.suppress(psutil.Error):
                one.kill()
                killed.add(one.pid)
        psutil.wait_procs(found, timeout=1.0)
    return len(killed)


def _is_marked(process: psutil.Process, marker: str, group: int) -> bool:
    try:
        if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return os.getpgid(process.pid) == group or process.environ().get(MARKER) == marker
    except (psutil.Error, OSError):
        return False  # it has exited, or belongs to another user


def main(marker: str, group: int) -> None:
    """Wait until the other end of the standard input is closed, then kill."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 1024):
        pass
    kill_marked(marker, group)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
