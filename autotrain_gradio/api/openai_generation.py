"""A streaming verb behind an asynchronous server: one call at a time, cancelled when its client has disconnected."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any

from autotrain_gradio.api.openai_requests import ApiError
from autotrain_gradio.core.errors import UserError, WorkerError

log = logging.getLogger(__name__)
POLL_SECONDS = 0.5
"""How often it is checked that the client is connected."""
LOCK_SECONDS = 0.2


class Generation:
    """The items of one call, from a thread that waits for a lock and then iterates over them.

    stream: starts the call. lock: held while it runs; other requests wait for it in order of arrival, roughly.
    """

    def __init__(self, stream: Callable[[], Generator[Any, None, None]], lock: threading.Lock) -> None:
        self._loop = asyncio.get_running_loop()
        self._items: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._cancelled = threading.Event()
        threading.Thread(target=self._work, args=(stream, lock), name="openai-request", daemon=True).start()

    def cancel(self) -> None:
        """End the call after its next item; a call that waits does not begin."""
        self._cancelled.set()

    async def items(self, disconnected: Callable[[], Awaitable[bool]]) -> AsyncIterator[Any]:
        """Yield the items; None while there is none. Ends when the client has disconnected, which cancels the call.

        Raises:
            ApiError: the call failed.
        """
        checked = time.monotonic()
        try:
            while True:
                if time.monotonic() - checked >= POLL_SECONDS:
                    checked = time.monotonic()
                    if await disconnected():
                        return
                try:
                    kind, value = await asyncio.wait_for(self._items.get(), POLL_SECONDS)
                except TimeoutError:
                    yield None
                    continue
                if kind == "done":
                    return
                if kind == "error":
                    raise value
                yield value
        finally:
            self.cancel()

    def _work(self, stream: Callable[[], Generator[Any, None, None]], lock: threading.Lock) -> None:
        while not lock.acquire(timeout=LOCK_SECONDS):
            if self._cancelled.is_set():
                return
        try:
            with contextlib.closing(stream()) as items:
                for item in items:
                    if self._cancelled.is_set():
                        return
                    self._put("item", item)
            self._put("done", None)
        except WorkerError as error:
            self._put("error", ApiError(500, error.message, code=error.code))
        except UserError as error:
            found = error.findings[0]
            self._put(
                "error", ApiError(400, f"{found.message} {found.hint}".strip(), param=found.where, code=found.code)
            )
        except Exception:  # in a thread of its own: the request would wait for ever; the log has the traceback
            log.exception("the request failed")
            self._put("error", ApiError(500, "The request failed; the log of the server says why.", code="internal"))
        finally:
            lock.release()

    def _put(self, kind: str, value: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the server has been shut down
            self._loop.call_soon_threadsafe(self._items.put_nowait, (kind, value))
