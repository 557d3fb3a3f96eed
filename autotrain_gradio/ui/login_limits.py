"""Wrong passwords are slowed down: after a few, each further one doubles the time until the next is accepted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

FREE = 5
"""Wrong passwords of one address without a pause."""
FREE_OF_ALL = 50
"""Wrong passwords of all addresses together without a pause: addresses are cheap."""
LONGEST_SECONDS = 300.0
FORGET_SECONDS = 1800.0
"""Attempts are counted until there was none for so long."""
ADDRESSES = 10_000
ALL = ""


@dataclass
class _Attempts:
    count: int = 0
    latest: float = 0.0


class LoginLimits:
    """Counts attempts until they succeed; attempts in progress count, so that parallel ones gain nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._attempts: dict[str, _Attempts] = {}
        self._lock = threading.Lock()

    def begin(self, address: str) -> float:
        """Count an attempt and return 0, or return the seconds until the next one is accepted."""
        now = self._clock()
        with self._lock:
            if len(self._attempts) > ADDRESSES:
                self._attempts = {k: v for k, v in self._attempts.items() if now - v.latest < FORGET_SECONDS}
            counted = [(self._of(address, now), FREE), (self._of(ALL, now), FREE_OF_ALL)]
            wait = max(_pause(a.count - free) - (now - a.latest) for a, free in counted)
            if wait > 0:
                return wait
            for attempts, _ in counted:
                attempts.count, attempts.latest = attempts.count + 1, now
        return 0.0

    def succeed(self, address: str) -> None:
        """Forget the attempts of an address whose password was right."""
        with self._lock:
            self._attempts.pop(address, None)
            if ALL in self._attempts:
                self._attempts[ALL].count -= 1

    def _of(self, address: str, now: float) -> _Attempts:
        found = self._attempts.setdefault(address, _Attempts(latest=now))
        if now - found.latest > FORGET_SECONDS:
            found.count = 0
        return found


def _pause(surplus: int) -> float:
    """Return the seconds between two attempts after so many above the free ones."""
    return 0.0 if surplus < 0 else min(2.0**surplus, LONGEST_SECONDS)
