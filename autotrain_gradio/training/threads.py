"""Adapt the number of torch threads to the load of other processes on the CPU.

Torch divides each operation among as many threads as there are cores, and waits for the slowest. When another process
uses a core, one thread is always late. So the load is measured every second, and torch uses as many threads as there
are free cores. Sources: proc(5), `/proc/stat`; the kernel's documentation of
cgroup v2, `cpu.max` and `cpu.stat`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

SECONDS = 1.0
"""Time between two measurements, in seconds."""
MARGIN = 0.2
"""Hysteresis: distance of the free cores from the middle between two numbers of threads that causes a change."""


@dataclass(frozen=True)
class Load:
    """CPU seconds up to a time: idle ones of this process's cores, its own, and those of its container.

    group: None without a container with a quota.
    """

    time: float
    idle: float
    own: float
    group: float | None = None


class Threads:
    """Adapts the number of torch threads to the free cores. Does nothing with a GPU, on a single core, and on systems
    without `/proc`."""

    def __init__(self, read: Callable[[], Load] | None = None, *, most: int | None = None) -> None:
        self._quota = cpu_quota()
        cores = len(_cores())
        wanted = torch.get_num_threads() if most is None else most
        self._most = max(1, min(wanted, cores, round(self._quota or cores)))
        self._read = read or (lambda: read_load(self._quota is not None))
        works = read is not None or Path("/proc/stat").exists()
        self._useful = self._most > 1 and works and not torch.cuda.is_available()
        self._next = 0.0
        self._before: Load | None = None

    def adapt(self, now: float) -> None:
        """Measure the load and set the number of threads, at most once a second; now: `time.monotonic()`."""
        if not self._useful or now < self._next:
            return
        self._next = now + SECONDS
        before, load = self._before, self._read()
        self._before = load
        if before is None or load.time - before.time < SECONDS / 2:
            return
        threads = torch.get_num_threads()
        wanted = wanted_threads(free_cores(before, load, self._quota), threads, self._most)
        if wanted != threads:
            torch.set_num_threads(wanted)


def free_cores(before: Load, load: Load, quota: float | None = None) -> float:
    """Return the cores that this process used or could have used between two measurements."""
    seconds = load.time - before.time
    own = (load.own - before.own) / seconds
    free = own + (load.idle - before.idle) / seconds
    if quota is not None and load.group is not None and before.group is not None:
        others = max(0.0, (load.group - before.group) / seconds - own)
        free = min(free, quota - others)
    return free


def wanted_threads(free: float, threads: int, most: int) -> int:
    """Return the number of threads for some free cores; it changes only beyond `MARGIN`."""
    wanted = threads
    while wanted < most and free >= wanted + 0.5 + MARGIN:
        wanted += 1
    while wanted > 1 and free <= wanted - 0.5 - MARGIN:
        wanted -= 1
    return wanted


def read_load(in_group: bool = False) -> Load:
    """Measure the load."""
    cores, idle = {f"cpu{i}" for i in _cores()}, 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name in cores:
            idle += int(fields[3]) + int(fields[4])  # idle, and waiting for a disk
    group = None
    if in_group:
        lines = Path("/sys/fs/cgroup/cpu.stat").read_text().splitlines()
        group = next((int(line.split()[1]) / 1e6 for line in lines if line.startswith("usage_usec")), None)
    return Load(time.monotonic(), idle / os.sysconf("SC_CLK_TCK"), time.process_time(), group)


def cpu_quota() -> float | None:
    """Return the CPU quota of the container in cores; None: unlimited."""
    try:
        most, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return int(most) / int(period)
    except (OSError, ValueError):
        return None


def _cores() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
