"""A clean end of a command on SIGTERM: `finally` clauses and exit handlers run, as on Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

INTERRUPTED_STATUS = 130
"""Exit status after Ctrl-C: 128 + SIGINT, as shells report it."""
TERMINATED_STATUS = 143
"""Exit status after SIGTERM: 128 + SIGTERM."""


@contextmanager
def exit_on_sigterm() -> Iterator[None]:
    """Raise SystemExit in the main thread on SIGTERM; in another thread, do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the end is not interrupted by another signal
        raise SystemExit(TERMINATED_STATUS)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
