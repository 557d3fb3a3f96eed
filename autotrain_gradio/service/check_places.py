"""The places for running checks: a few at a time, one for each visitor, and a queue that tells its positions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from autotrain_gradio.core.errors import StateError, WorkerError
from autotrain_gradio.core.text_format import count_with_verb

POLL_SECONDS = 0.2


class CheckPlaces:
    """Places of running calls; callers wait in order for a free one.

    total: number of places. per_owner: maximum number of places of one owner; None: all.
    waiting: maximum number of waiting callers.
    """

    def __init__(self, total: int, *, per_owner: int | None = None, waiting: int = 16) -> None:
        self._total, self._per_owner, self._most_waiting = total, per_owner, waiting
        self._running: list[str] = []
        self._waiting: list[_Caller] = []
        self._changed = threading.Condition()

    @contextmanager
    def take(
        self, owner: str, cancel: threading.Event, progress: Callable[[str, float], None] | None = None
    ) -> Iterator[None]:
        """Wait for a free place, and hold it (a context manager).

        progress: called with the position in the queue.

        Raises:
            StateError: too many callers are waiting, or another one of this owner is (`checks-full`).
            WorkerError: `cancel` was set while it waited (`cancelled`).
        """
        caller = _Caller(owner)
        if not self._enter(caller):
            try:
                self._wait(caller, cancel, progress)
            except BaseException:
                with self._changed:
                    self._waiting.remove(caller)
                    self._changed.notify_all()
                raise
        try:
            yield
        finally:
            with self._changed:
                self._running.remove(owner)
                self._changed.notify_all()

    def _enter(self, caller: _Caller) -> bool:
        """Take a free place and return True, or join the queue and return False."""
        with self._changed:
            if self._may_run(caller.owner) and not any(self._may_run(c.owner) for c in self._waiting):
                self._running.append(caller.owner)
                return True
            if len(self._waiting) >= self._most_waiting:
                message = f"{count_with_verb(len(self._waiting), 'check', 'is')} waiting for a free place already."
                raise StateError(message, "Try again in a few minutes.", code="checks-full")
            if self._per_owner is not None and sum(c.owner == caller.owner for c in self._waiting) >= self._per_owner:
                message = "Another check of yours is waiting already."
                raise StateError(message, "Wait until it has ended, or cancel it.", code="checks-full")
            self._waiting.append(caller)
            return False

    def _wait(self, caller: _Caller, cancel: threading.Event, progress: Callable[[str, float], None] | None) -> None:
        told = ""
        while True:
            with self._changed:
                if self._is_next(caller):
                    self._waiting.remove(caller)
                    self._running.append(caller.owner)
                    return
                ahead = self._waiting.index(caller)
                own = self._owner_is_full(caller.owner)
            if cancel.is_set():
                raise WorkerError("The check was cancelled.", code="cancelled")
            message = "Waiting for your other check" if own else f"Waiting for a free place (position {ahead + 1})"
            if progress is not None and message != told:
                progress(message, 0.0)
            told = message
            with self._changed:
                if not self._is_next(caller):
                    self._changed.wait(POLL_SECONDS)  # also to notice `cancel`

    def _is_next(self, caller: _Caller) -> bool:
        return next((c for c in self._waiting if self._may_run(c.owner)), None) is caller

    def _may_run(self, owner: str) -> bool:
        return len(self._running) < self._total and not self._owner_is_full(owner)

    def _owner_is_full(self, owner: str) -> bool:
        return self._per_owner is not None and self._running.count(owner) >= self._per_owner


class _Caller:
    """A waiting caller; compared by identity."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
