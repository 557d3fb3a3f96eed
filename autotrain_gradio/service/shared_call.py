"""A call in flight whose result is shared by several callers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

Progress = Callable[[str, float], None]
Found = Callable[[Any], None]


class SharedCall:
    """One call with several callers: each gets its progress, its partial results and its result.

    key: identifies the result; callers with an equal key may share the call.
    """

    def __init__(self, key: Any) -> None:
        self.key = key
        self._callers: list[Any] = []
        self._left: list[Any] = []
        self._progress: list[Progress] = []
        self._last_progress: tuple[str, float] | None = None
        self._found: list[Found] = []
        self._last_found: Any = None
        self._ended = threading.Event()
        self._result: Any = None
        self._error: BaseException | None = None

    def run(self, work: Callable[[Progress, Found], Any], progress: Progress | None, found: Found | None = None) -> Any:
        """Call `work` with callbacks for progress and for partial results; return its result."""
        self._add(progress)
        if found is not None:
            self._found.append(found)
        try:
            self._result = work(self._send_progress, self._send_found)
        except BaseException as error:
            self._error = error
            raise
        finally:
            self._ended.set()
        return self._result

    def join(self, progress: Progress | None, found: Found | None = None) -> Any:
        """Wait for the call in flight; return its result, or raise its error."""
        if progress is not None and self._last_progress is not None:
            progress(*self._last_progress)
        self._add(progress)
        if found is not None:
            self._found.append(found)
            if self._last_found is not None:
                found(self._last_found)
        self._ended.wait()
        if self._error is not None:
            raise self._error
        return self._result

    def leave(self, progress: Progress, seconds: float, abandoned: Callable[[], None]) -> None:
        """Record that the caller with this progress callback has disconnected.

        abandoned: called after so many seconds if no caller is left and the call has not ended.
        """
        self._left.append(progress)
        count = len(self._left)

        def check() -> None:
            if len(self._left) == count and not self._ended.is_set() and set(self._callers) <= set(self._left):
                abandoned()

        timer = threading.Timer(seconds, check)
        timer.daemon = True
        timer.start()

    def _add(self, progress: Progress | None) -> None:
        self._callers.append(progress or object())  # a caller without a callback cannot leave
        if progress is not None:
            self._progress.append(progress)

    def _send_progress(self, message: str, fraction: float) -> None:
        self._last_progress = (message, fraction)
        for progress in self._progress:
            progress(message, fraction)

    def _send_found(self, value: Any) -> None:
        self._last_found = value
        for found in self._found:
            found(value)
