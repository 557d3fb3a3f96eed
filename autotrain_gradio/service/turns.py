"""One call at a time: a later call of the same name ends the earlier one, and begins when it has ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from autotrain_gradio.errors import StateError

ENDS_SECONDS = 15.0
"""How long a cancelled call may take to end."""


class Turns:
    """The calls that are at work, by name."""

    def __init__(self) -> None:
        self._calls: dict[str, _Call] = {}
        self._lock = threading.Lock()

    @contextmanager
    def take(self, name: str) -> Iterator[threading.Event]:
        """Be the only call at work of that name: the earlier one is cancelled, and has ended before this begins.

        The context is an event that is set when this call is cancelled.

        Raises:
            StateError: the earlier one does not end.
        """
        mine = _Call()
        while True:
            self.end(name)
            with self._lock:
                if name not in self._calls:
                    self._calls[name] = mine
                    break
        try:
            yield mine.cancel
        finally:
            with self._lock:
                del self._calls[name]
            mine.ended.set()

    def cancel(self, name: str) -> None:
        """Cancel the call at work, if there is one, without waiting for it."""
        with self._lock:
            call = self._calls.get(name)
        if call is not None:
            call.cancel.set()

    def end(self, name: str) -> None:
        """Cancel the call at work, and wait until its worker writes no more.

        Raises:
            StateError: it does not end.
        """
        with self._lock:
            call = self._calls.get(name)
        if call is None:
            return
        call.cancel.set()
        if not call.ended.wait(ENDS_SECONDS):
            raise StateError("The earlier check does not end.", "Try again in a moment.", code="check-busy")

    def cancel_all(self) -> None:
        """Cancel every call."""
        with self._lock:
            calls = list(self._calls.values())
        for call in calls:
            call.cancel.set()


class _Call:
    """How to cancel a call, and whether it has ended."""

    def __init__(self) -> None:
        self.cancel = threading.Event()
        self.ended = threading.Event()
