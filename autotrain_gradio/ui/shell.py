"""What the parts of the page share: the service, and what a browser keeps between two visits."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import Forbidden, UserError
from autotrain_gradio.service import LOCAL, Service
from autotrain_gradio.ui.files import Tickets

PRIVATE: dict[str, Any] = {"api_visibility": "private"}
"""For every event of the page: it is plumbing, no API."""
QUICK: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
"""For events that answer in milliseconds."""
TELLING: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "concurrency_limit": None}
"""For events that set a `gr.State` which others listen to: its change is told of queued events only."""
RUNS = "runs"
"""Id of the tab of the runs."""
STORAGE_SECRET = "autotrain-gradio-page"
"""Gradio obscures what it stores with this; it is the same after a restart, and no secret: no token is stored."""


def _stored(name: str, default: Any) -> gr.BrowserState:
    return gr.BrowserState(default, storage_key=f"autotrain-gradio-{name}", secret=STORAGE_SECRET)


@dataclass
class Shell:
    """Handed to every part of the page while it is built.

    visitor: random id of this browser; on a shared page it is what owns the runs.
    run: id of the run that is open, or None.
    drafts: task → id of the draft that its tab works on.
    """

    service: Service
    tickets: Tickets = field(default_factory=Tickets)
    visitor: gr.BrowserState = field(default_factory=lambda: _stored("visitor", ""))
    run: gr.BrowserState = field(default_factory=lambda: _stored("run", None))
    drafts: gr.BrowserState = field(default_factory=lambda: _stored("drafts", {}))
    turn: gr.State = field(default_factory=lambda: gr.State(None))
    """`{run, n}`: set it to open a run. A `BrowserState` takes a skipped update for its value, so that
    `run` and `drafts` are outputs only of events that always give them one."""

    kept: gr.State = field(default_factory=lambda: gr.State(None))
    """`{task, draft}`: set it to let the browser remember a draft."""

    def listen(self) -> None:
        """Let `turn` move `run`, and `kept` add to `drafts`."""
        self.kept.change(
            lambda kept, drafts: {**(drafts or {}), kept["task"]: kept["draft"]} if kept else drafts or {},
            [self.kept, self.drafts],
            self.drafts,
            **QUICK,
        )
        self.turn.change(lambda turn, run: turn["run"] if turn else run, [self.turn, self.run], self.run, **QUICK)

    def to(self, run: str | None) -> dict[str, Any]:
        """Return a value for `turn`."""
        return {"run": run, "n": time.time_ns()}

    def owner(self, visitor: Any) -> str:
        """Say who asks.

        Raises:
            Forbidden: on a shared page, from a browser that has no id.
        """
        if not self.service.settings.shared:
            return LOCAL
        if not isinstance(visitor, str) or len(visitor) < 16:
            raise Forbidden("This browser is not known yet.", "Reload the page; it must be allowed to store data.")
        return f"visitor:{visitor}"


@dataclass(frozen=True)
class Done:
    """The last item of `follow`: the result, or what went wrong."""

    value: Any = None
    error: UserError | None = None


@dataclass(frozen=True)
class Found:
    """An item of `follow`: what is known of the result before the work is done."""

    value: Any


class Tell:
    """What work tells of itself to `follow`: its progress, and what it has found so far."""

    def __init__(self, told: queue.Queue[Any]) -> None:
        self._told = told

    def __call__(self, message: str, fraction: float) -> None:
        self._told.put((message, fraction))

    def found(self, value: Any) -> None:
        """Show this before the work is done."""
        self._told.put(Found(value))


REPEAT_SECONDS = 5.0
"""How often the latest item is told again: Gradio notices between two items that a page is gone."""


def follow(
    work: Callable[[Tell], Any], *, left: Callable[[Tell], None] | None = None
) -> Iterator[tuple[str, float] | Found | Done]:
    """Run blocking work in a thread; yield its progress, the latest only, what it has found, and then `Done`.

    The work goes on when the consumer leaves. Bugs in it are raised here.

    left: called with what the work was given to tell, when the consumer leaves before the end.
    """
    told: queue.Queue[Any] = queue.Queue()
    tell = Tell(told)

    def target() -> None:
        try:
            told.put(Done(work(tell)))
        except UserError as error:
            told.put(Done(error=error))
        except BaseException as error:
            told.put(error)

    threading.Thread(target=target, daemon=True, name="page-work").start()
    item: Any = None
    try:
        while True:
            with suppress(queue.Empty):
                item = told.get(timeout=REPEAT_SECONDS)
                while not isinstance(item, Done | Found | BaseException):
                    item = told.get_nowait()
            if isinstance(item, BaseException):
                raise item
            if item is not None:
                yield item
            if isinstance(item, Done):
                return
            # A browser cannot show more than a few changes a second.
            threading.Event().wait(0.15)
    except GeneratorExit:
        if left is not None and not isinstance(item, Done):
            left(tell)
        raise
