"""Memory of the machine or its container, and of processes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psutil

from autotrain_gradio.core.text_format import KIB

CGROUPS = Path("/sys/fs/cgroup")
PROC = Path("/proc")


def total_memory(cgroups: Path = CGROUPS, own: Path = PROC / "self" / "cgroup") -> int:
    """Return the memory in bytes that this process can use: the machine's, or the limit of its container if less.

    cgroups, own: the file system of the control groups, and the file that says to which one this process belongs
    (cgroups(7)): version 2 has `memory.max` in each group above it, version 1 has `memory.limit_in_bytes`.
    """
    limits = [psutil.virtual_memory().total]
    for file in _limit_files(cgroups, own):
        with contextlib.suppress(OSError, ValueError):  # "max": no limit
            limits.append(int(file.read_text()))
    return min(limits)


def _limit_files(cgroups: Path, own: Path) -> Iterator[Path]:
    try:
        lines = own.read_text().splitlines()
    except OSError:  # not Linux
        lines = []
    groups = [line.split(":", 2)[2].strip("/") for line in lines if line.startswith("0::")] or [""]
    for group in groups:
        folder = cgroups / group
        for above in [folder, *folder.parents]:
            if above.is_relative_to(cgroups):
                yield above / "memory.max"
    yield cgroups / "memory" / "memory.limit_in_bytes"


def used_memory(pid: int) -> int:
    """Return the memory of a process and its subprocesses in bytes; 0 if it has exited.

    Pages of mapped files are not counted: the kernel drops them when memory is needed (Arrow files, weights). Pages
    that forked subprocesses share are counted in each; see `excess`.
    """
    return sum(_private(process) for process in family(pid))


def excess(pid: int, limit: int) -> int | None:
    """Return the memory of a process and its subprocesses in bytes if it exceeds the limit; else None.

    Pages that they share count once. That is slow to find out, so it is done only if the plain sum exceeds the limit.
    """
    processes = family(pid)
    used = sum(_private(process) for process in processes)
    if used > limit and len(processes) > 1:
        used = sum(_proportional(process) for process in processes)
    return used if used > limit else None


def family(pid: int) -> list[psutil.Process]:
    """Return a process and its subprocesses; empty if it has exited."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _private(process: psutil.Process) -> int:
    """Return anonymous and shared memory in bytes (proc(5), status); without /proc the resident memory."""
    found = _fields(PROC / str(process.pid) / "status", ("RssAnon", "RssShmem"))
    if found is not None:
        return found
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _proportional(process: psutil.Process) -> int:
    """Return the memory in bytes with the process's share of what it has in common with others (smaps_rollup)."""
    found = _fields(PROC / str(process.pid) / "smaps_rollup", ("Pss_Anon", "Pss_Shmem"))
    return _private(process) if found is None else found


def _fields(file: Path, names: tuple[str, ...]) -> int | None:
    """Return the sum of fields `Name:  12 kB` in bytes; None if the file or all of them are missing."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return None
    values = [int(line.split()[1]) * KIB for line in lines if line.split(":", 1)[0] in names]
    return sum(values) if values else None
