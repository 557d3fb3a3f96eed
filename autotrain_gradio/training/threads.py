"""How many threads torch should use on a CPU that is shared with others.

Torch divides each operation among as many threads as there are cores and waits for the slowest.
When another process holds a core, that one is always late. So every second or two the cores that
others use are measured, and as many threads are used as there are cores left. Alone, all are used.
Source of the measure: proc(5), `/proc/stat` and `/proc/self/stat`, in clock ticks.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import torch

SECONDS = 1.5
STAT = Path("/proc/stat")


class Threads:
    """Adapts torch's number of threads to what other processes leave; does nothing on a GPU."""

    def __init__(self, stat: Path = STAT) -> None:
        self._stat = stat
        self._cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._useful = self._cores > 1 and not torch.cuda.is_available() and stat.exists()
        self._most = torch.get_num_threads()
        self._next = time.monotonic() + SECONDS
        self._last = self._read() if self._useful else (0.0, 0.0, 0.0)

    def adapt(self) -> None:
        """Measure and set the number of threads, at most every 1.5 seconds."""
        now = time.monotonic()
        if not self._useful or now < self._next:
            return
        self._next = now + SECONDS
        then, busy, own = self._last
        self._last = self._read()
        seconds = self._last[0] - then
        others = max(0.0, (self._last[1] - busy) - (self._last[2] - own)) / max(seconds, 1e-6)
        wanted = wanted_threads(self._cores, others, self._most)
        if wanted != torch.get_num_threads():
            torch.set_num_threads(wanted)

    def _read(self) -> tuple[float, float, float]:
        """Return the time, the CPU seconds used by all, and by this process."""
        fields = [int(f) for f in self._stat.read_text().split("\n", 1)[0].split()[1:9]]
        idle = fields[3] + fields[4]
        times = os.times()
        busy = (sum(fields) - idle) / os.sysconf("SC_CLK_TCK")
        return time.monotonic(), busy, times.user + times.system


def wanted_threads(cores: int, others: float, most: int) -> int:
    """Return how many threads to use when other processes use `others` cores of `cores`.

    A neighbour that takes less than half a core costs less than a thread is worth.
    """
    return max(1, min(most, cores - int(others + 0.5)))
