"""The memory limit of a training: who enforces it, and how it is explained.

Two things enforce it. A supervisor process, forked before anything large is imported, watches the memory of the worker
and its subprocesses, such as data loaders, and kills them; it needs neither the app nor the worker's interpreter lock.
On a CPU, the kernel also refuses allocations beyond the limit (RLIMIT_DATA, private writable memory), so that the
training fails where it happens, with a message about the batch size or model, and between two polls of the
supervisor. Not RLIMIT_AS: mapped files (Arrow, weights) and reserved addresses count there, and CUDA reserves
terabytes of addresses. With a GPU even RLIMIT_DATA is not set: CUDA maps the memory of devices and pinned buffers into
the process, as much as the driver likes.

The supervisor also ends a training process whose launcher was killed: nobody would end the others when one fails.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from autotrain_gradio.core import memory
from autotrain_gradio.core.json_files import write_json
from autotrain_gradio.core.settings import MEMORY_VARIABLE
from autotrain_gradio.core.text_format import GIB, MIB, format_bytes
from autotrain_gradio.runs.files import read_object
from autotrain_gradio.runs.supervisor import fork_supervisor, parent_of

FILE = "memory_limit.json"
POLL_SECONDS = 0.5
MOST_CPU = 0.02
"""Maximum share of a core that the supervisor takes: on a machine with thousands of processes, a poll is slow."""
ADVICE = f"Choose a smaller batch size or a smaller model, or raise the limit ({MEMORY_VARIABLE}), then resume."
NEEDED = (
    re.compile(r"tried to allocate (\d+) bytes"),  # torch on a CPU
    re.compile(r"allocate ([\d.]+ [KMGT]i?B)", re.IGNORECASE),  # numpy, CUDA
    re.compile(r"(?:malloc|realloc) of size (\d+)"),  # Arrow
)


def limit_of(setting: float, processes: int = 1, share: float = 1.0) -> int:
    """Return the memory in bytes that each of several processes of a training may use.

    setting: `Limits.training_memory`; a size is that of each training, a fraction is for all that run at the same time.
    share: of the slots for trainings, which this one takes.
    """
    total = memory.total_memory()
    return int(min(total, total * setting * share if setting <= 1 else setting) / max(1, processes))


def enforce(directory: Path, attempt: int, limit: int, *, in_kernel: bool, launched: bool) -> None:
    """Limit this process to so many bytes of memory, with its subprocesses.

    Called before threads are started and before anything large is imported.

    in_kernel: also let the kernel refuse allocations beyond the limit.
    launched: this is one of several training processes, and ends with the launcher that supervises them.
    """
    worker, launcher = os.getpid(), os.getppid() if launched else None
    fork_supervisor(lambda: _supervise(directory, attempt, worker, limit, launcher))
    if in_kernel and sys.platform == "linux":
        import resource

        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        soft = limit + _reserved()
        soft = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def exceeded(directory: Path, attempt: int) -> dict[str, str] | None:
    """Return `{"reason", "hint"}` if the supervisor has killed this attempt; else None."""
    found: dict[str, Any] = read_object(directory / FILE) or {}
    return {"reason": found["reason"], "hint": ADVICE} if found.get("attempt") == attempt else None


def describe(error: BaseException) -> str:
    """Return the limit of this process, and what an allocation needed, as a sentence; empty without a limit."""
    limit = _kernel_limit()
    if limit is None:
        return ""
    used = memory.used_memory(os.getpid())
    needed = next((m[1] for pattern in NEEDED if (m := pattern.search(str(error)))), "")
    more = f"{format_bytes(int(needed)) if needed.isdigit() else needed} more" if needed else "more"
    return f"The training may use {format_bytes(limit)} of memory here; it has {format_bytes(used)} and needed {more}."


def _kernel_limit() -> int | None:
    if sys.platform != "linux":
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_DATA)[0]
    return None if limit == resource.RLIM_INFINITY else max(0, int(limit) - _reserved())


def _reserved() -> int:
    """Return the private memory in bytes that libraries reserve and do not use: heaps and stacks of their threads.

    Measured: 1.2 to 1.4 GiB in a training with torch on 2 cores.
    """
    return 2 * GIB + (os.cpu_count() or 1) * 64 * MIB


def _supervise(directory: Path, attempt: int, worker: int, limit: int, launcher: int | None) -> None:
    """Kill the worker when it uses too much memory or its launcher has died; return when it has ended."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a stop is the worker's to handle
        signal.signal(number, signal.SIG_IGN)
    while os.getppid() == worker:
        if launcher is not None and parent_of(worker) not in {launcher, None}:
            _log("The launcher of the training processes has died: this one ends.")
            _kill_family(worker)
            return
        began = time.process_time()
        used = memory.excess(worker, limit)
        cost = time.process_time() - began
        if used is not None:
            reason = (
                f"The training used {format_bytes(used)} of memory and was ended: it may use {format_bytes(limit)} on "
                "this machine."
            )
            _log(reason)
            try:
                write_json(directory / FILE, {"attempt": attempt, "reason": reason})
            finally:
                _kill_family(worker)
            return
        time.sleep(max(POLL_SECONDS, cost / MOST_CPU))


def _log(text: str) -> None:
    with contextlib.suppress(OSError):  # a full disk
        os.write(2, f"{text}\n".encode())


def _kill_family(worker: int) -> None:
    """Kill the worker and its subprocesses, not this process."""
    for process in memory.family(worker):
        if process.pid != os.getpid():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
