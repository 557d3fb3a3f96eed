"""Time limits for reading the files of a run: a network mount that stalls blocks that run only.

A thread that waits for a file cannot be cancelled. It is abandoned, and its run is skipped until it returns.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from autotrain_gradio.core.errors import DataError

T = TypeVar("T")
SECONDS = 2.0
"""Time limit for one run."""
MIN_SECONDS = 0.1
"""Time limit for a further run of a batch in which others have stalled: they may all be on one mount."""


class BoundedCalls:
    """Calls a function for one or many runs in a thread, with a time limit for each; thread-safe.

    share: of `SECONDS`; less than 1 for calls that are made within another one.
    """

    def __init__(self, share: float = 1.0) -> None:
        self._share = share
        self._stalled: dict[str, _Batch] = {}
        self._lock = threading.Lock()

    def stalled(self) -> set[str]:
        """Return the runs whose files do not respond."""
        with self._lock:
            return set(self._stalled)

    def call(self, run: str, work: Callable[[], T]) -> T:
        """Return `work()`, or raise its exception.

        Raises:
            DataError: the time limit was exceeded, now or by an earlier call that still waits (`run-stalled`).
        """
        found: T | Exception = self.map([run], lambda _: work())[run]
        if isinstance(found, Exception):
            raise found
        return found

    def map(self, runs: Iterable[str], work: Callable[[str], T]) -> dict[str, T | Exception]:
        """Return run → `work(run)`, or the exception that it raised; `call` says which one for a run that stalls."""
        results: dict[str, T | Exception] = {}
        stalled, left = self.stalled(), []
        for run in runs:
            if run in stalled:
                results[run] = stalled_error(run)
            else:
                left.append(run)
        seconds = SECONDS * self._share
        while left:
            batch = _Batch(left, work, self._forget)
            blocked = batch.wait(seconds, self._mark)
            results.update(batch.results)
            if blocked is not None:
                results[blocked] = stalled_error(blocked)
                seconds = max(MIN_SECONDS, seconds / 2)
            left = list(batch.left)
        return results

    def _mark(self, run: str, batch: _Batch) -> None:
        with self._lock:
            self._stalled[run] = batch

    def _forget(self, run: str, batch: _Batch) -> None:
        with self._lock:
            if self._stalled.get(run) is batch:
                del self._stalled[run]


class _Batch:
    """One thread that works through a list of runs, until it is done or abandoned at one that stalls."""

    def __init__(self, runs: list[str], work: Callable[[str], Any], returned: Callable[[str, _Batch], None]) -> None:
        self.left = deque(runs)
        self.results: dict[str, Any] = {}
        self._work, self._returned = work, returned
        self._current: tuple[str, float] | None = None
        self._abandoned = False
        self._lock = threading.Lock()
        self._done = threading.Event()
        threading.Thread(target=self._run, name="read runs", daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self.left:
                    break
                run = self.left.popleft()
                self._current = (run, time.monotonic())
            try:
                found = self._work(run)
            except Exception as error:  # the caller raises it, or shows it at this run
                found = error
            with self._lock:
                if self._abandoned:
                    self._returned(run, self)
                    return
                self.results[run] = found
                self._current = None
        self._done.set()

    def wait(self, seconds: float, mark: Callable[[str, _Batch], None]) -> str | None:
        """Wait until the batch is done, and return None; or return the run that exceeded its time limit."""
        while not self._done.wait(seconds):
            with self._lock:
                if self._current is not None and time.monotonic() - self._current[1] >= seconds:
                    self._abandoned = True
                    mark(self._current[0], self)
                    return self._current[0]
        return None


def stalled_error(run: str) -> DataError:
    """Return the error of a run whose files cannot be read within the time limit."""
    return DataError(
        f"The files of the run '{run}' do not respond.",
        "If its folder is on a network drive, check the connection. The run is shown again once they can be read.",
        run,
        "run-stalled",
    )
