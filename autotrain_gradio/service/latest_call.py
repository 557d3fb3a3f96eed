"""At most one call in flight per key: a later call cancels the earlier one, and starts after its end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from autotrain_gradio.core.errors import StateError, WorkerError

CANCEL_TIMEOUT = 15.0
"""Seconds that a cancelled call may take to end."""


class LatestCall:
    """The calls in flight, by key; of several waiting calls, only the latest starts."""

    def __init__(self) -> None:
        self._in_flight: dict[str, _Call] = {}
        self._latest: dict[str, _Call] = {}
        self._lock = threading.Lock()

    @contextmanager
    def acquire(self, key: str) -> Iterator[threading.Event]:
        """Cancel the earlier call of the key, wait until it has ended, and start this one (a context manager).

        Yields an event that is set when this call is cancelled.

        Raises:
            WorkerError: cancelled before its start, by a later call, `cancel` or `cancel_and_wait` (`cancelled`).
            StateError: the earlier call did not stop in time.
        """
        call = _Call()
        with self._lock:
            self._latest[key] = call
        try:
            self._begin(key, call)
        except BaseException:
            with self._lock:
                self._remove(key, call)
            raise
        try:
            yield call.cancelled
        finally:
            with self._lock:
                del self._in_flight[key]
                self._remove(key, call)
            call.ended.set()

    def cancel(self, key: str) -> None:
        """Cancel the call in flight and those that wait, without waiting for their end."""
        with self._lock:
            self._latest.pop(key, None)
            call = self._in_flight.get(key)
        if call is not None:
            call.cancelled.set()

    def cancel_and_wait(self, key: str) -> None:
        """Cancel the call in flight and those that wait; return after the end of their workers.

        Raises:
            StateError: it did not stop in time.
        """
        with self._lock:
            self._latest.pop(key, None)
        self._cancel_in_flight(key)

    def cancel_all(self) -> None:
        """Cancel every call."""
        for key in [*self._latest, *self._in_flight]:
            self.cancel(key)

    def _begin(self, key: str, call: _Call) -> None:
        while True:
            self._cancel_in_flight(key)
            with self._lock:
                if self._latest.get(key) is not call:
                    raise WorkerError("This call was cancelled by a later one.", code="cancelled")
                if key not in self._in_flight:
                    self._in_flight[key] = call
                    return

    def _cancel_in_flight(self, key: str) -> None:
        with self._lock:
            call = self._in_flight.get(key)
        if call is None:
            return
        call.cancelled.set()
        if not call.ended.wait(CANCEL_TIMEOUT):
            raise StateError("The earlier check did not stop in time.", "Try again in a moment.", code="check-busy")

    def _remove(self, key: str, call: _Call) -> None:
        if self._latest.get(key) is call:
            del self._latest[key]


class _Call:
    """Events of a call: it was cancelled; it has ended."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.ended = threading.Event()
