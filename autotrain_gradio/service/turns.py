"""One call at a time: a later call of the same name ends the earlier one, and begins when it has ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from autotrain_gradio.errors import StateError, WorkerError

ENDS_SECONDS = 15.0
"""How long a cancelled call may take to end."""


class Turns:
    """The calls that are at work, by name; and of those that wait for one to end, the last to come."""

    def __init__(self) -> None:
        self._calls: dict[str, _Call] = {}
        self._newest: dict[str, _Call] = {}
        self._lock = threading.Lock()

    @contextmanager
    def take(self, name: str) -> Iterator[threading.Event]:
        """Be the only call at work of that name: the earlier one is cancelled, and has ended before this begins.

        The context is an event that is set when this call is cancelled.

        Raises:
            WorkerError: a later call came, or `end` or `cancel` was called, before this one could begin (`cancelled`).
            StateError: the earlier one does not end.
        """
        mine = _Call()
        with self._lock:
            self._newest[name] = mine
        try:
            self._begin(name, mine)
        except BaseException:
            with self._lock:
                self._forget(name, mine)
            raise
        try:
            yield mine.cancel
        finally:
            with self._lock:
                del self._calls[name]
                self._forget(name, mine)
            mine.ended.set()

    def cancel(self, name: str) -> None:
        """Cancel the call at work and those that wait, without waiting for them."""
        with self._lock:
            self._newest.pop(name, None)
            call = self._calls.get(name)
        if call is not None:
            call.cancel.set()

    def end(self, name: str) -> None:
        """Cancel the call at work and those that wait; return when no worker of theirs writes any more.

        Raises:
            StateError: it does not end.
        """
        with self._lock:
            self._newest.pop(name, None)
        self._end(name)

    def cancel_all(self) -> None:
        """Cancel every call."""
        for name in [*self._newest, *self._calls]:
            self.cancel(name)

    def _begin(self, name: str, mine: _Call) -> None:
        while True:
            self._end(name)
            with self._lock:
                if self._newest.get(name) is not mine:
                    raise WorkerError("This was cancelled: something later took its place.", code="cancelled")
                if name not in self._calls:
                    self._calls[name] = mine
                    return

    def _end(self, name: str) -> None:
        with self._lock:
            call = self._calls.get(name)
        if call is None:
            return
        call.cancel.set()
        if not call.ended.wait(ENDS_SECONDS):
            raise StateError("The earlier check does not end.", "Try again in a moment.", code="check-busy")

    def _forget(self, name: str, call: _Call) -> None:
        if self._newest.get(name) is call:
            del self._newest[name]


class _Call:
    """How to cancel a call, and whether it has ended."""

    def __init__(self) -> None:
        self.cancel = threading.Event()
        self.ended = threading.Event()
