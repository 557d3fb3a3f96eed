"""Run blocking work in a thread while a Gradio event handler streams its progress."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from autotrain_gradio.core.errors import UserError

HEARTBEAT_SECONDS = 5.0
"""How often the latest item is repeated: Gradio notices between two items that a browser has disconnected."""
MIN_INTERVAL_SECONDS = 0.15
"""Pause between two items: a browser cannot show more than a few changes a second."""

STARTING = ("Starting", 0.0)
"""The first item, unless the caller gives another one."""


@dataclass(frozen=True)
class Finished:
    """The last item of `run_in_background`: the result, or the error."""

    value: Any = None
    error: UserError | None = None


@dataclass(frozen=True)
class PartialResult:
    """An item of `run_in_background`: a partial result."""

    value: Any


class ProgressReporter:
    """Handed to the work: reports its progress and partial results."""

    def __init__(self, items: queue.Queue[Any]) -> None:
        self._items = items

    def __call__(self, message: str, fraction: float) -> None:
        self._items.put((message, fraction))

    def partial(self, value: Any) -> None:
        """Report a partial result."""
        self._items.put(PartialResult(value))


def run_in_background(
    work: Callable[[ProgressReporter], Any],
    *,
    first: tuple[str, float] = STARTING,
    on_disconnect: Callable[[ProgressReporter], None] | None = None,
) -> Iterator[tuple[str, float] | PartialResult | Finished]:
    """Run work in a thread; yield its progress (the latest only), partial results, and then `Finished`.

    The work continues when the consumer stops iterating. Exceptions other than `UserError` are raised here. The first
    item comes at once and is repeated until there is another one: Gradio notices only between two items that a browser
    has disconnected, also if the work never reports anything.

    first: the first item, until the work reports its progress.
    on_disconnect: called with the work's reporter if the consumer stops before the end.
    """
    items: queue.Queue[Any] = queue.Queue()
    reporter = ProgressReporter(items)

    def target() -> None:
        try:
            items.put(Finished(work(reporter)))
        except UserError as error:
            items.put(Finished(error=error))
        except BaseException as error:
            items.put(error)

    threading.Thread(target=target, daemon=True, name="page-background-task").start()
    item: Any = first
    try:
        yield item
        while True:
            with suppress(queue.Empty):
                item = items.get(timeout=HEARTBEAT_SECONDS)
                while not isinstance(item, Finished | PartialResult | BaseException):
                    item = items.get_nowait()
            if isinstance(item, BaseException):
                raise item
            yield item
            if isinstance(item, Finished):
                return
            threading.Event().wait(MIN_INTERVAL_SECONDS)
    except GeneratorExit:
        if on_disconnect is not None and not isinstance(item, Finished):
            on_disconnect(reporter)
        raise
