"""One call at a time: a later call of the same name ends the earlier one, and begins when it has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autotrain_gradio.core.errors import StateError, WorkerError

Progress = Callable[[str, float], None]
Found = Callable[[Any], None]

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


class Joint:
    """Work that several may wait for: whoever comes later is told its progress, and has its result too.

    of: what decides about the result; who asks for the same may join.
    """

    def __init__(self, of: Any) -> None:
        self.of = of
        self._waiting: list[Any] = []
        self._gone: list[Any] = []
        self._told: list[Progress] = []
        self._last: tuple[str, float] | None = None
        self._shown: list[Found] = []
        self._found: Any = None
        self._ended = threading.Event()
        self._value: Any = None
        self._error: BaseException | None = None

    def do(self, work: Callable[[Progress, Found], Any], progress: Progress | None, found: Found | None = None) -> Any:
        """Do the work, which is given a progress to tell and what to show before it is done, and return its result."""
        self._come(progress)
        if found is not None:
            self._shown.append(found)
        try:
            self._value = work(self._tell, self._show)
        except BaseException as error:
            self._error = error
            raise
        finally:
            self._ended.set()
        return self._value

    def join(self, progress: Progress | None, found: Found | None = None) -> Any:
        """Wait for the work that another does; return its result, or raise its error."""
        if progress is not None and self._last is not None:
            progress(*self._last)
        self._come(progress)
        if found is not None:
            self._shown.append(found)
            if self._found is not None:
                found(self._found)
        self._ended.wait()
        if self._error is not None:
            raise self._error
        return self._value

    def leave(self, progress: Progress, seconds: float, deserted: Callable[[], None]) -> None:
        """Say that who waits with this progress is gone.

        deserted: called after so many seconds if by then nobody waits, and the work has not ended.
        """
        self._gone.append(progress)
        last = len(self._gone)

        def look() -> None:
            if len(self._gone) == last and not self._ended.is_set() and set(self._waiting) <= set(self._gone):
                deserted()

        timer = threading.Timer(seconds, look)
        timer.daemon = True
        timer.start()

    def _come(self, progress: Progress | None) -> None:
        self._waiting.append(progress or object())  # one that tells nobody can only wait to the end
        if progress is not None:
            self._told.append(progress)

    def _tell(self, message: str, fraction: float) -> None:
        self._last = (message, fraction)
        for progress in self._told:
            progress(message, fraction)

    def _show(self, value: Any) -> None:
        self._found = value
        for found in self._shown:
            found(value)


class _Call:
    """How to cancel a call, and whether it has ended."""

    def __init__(self) -> None:
        self.cancel = threading.Event()
        self.ended = threading.Event()
