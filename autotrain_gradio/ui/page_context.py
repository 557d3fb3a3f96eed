"""`PageContext`, shared by all parts of the page: the service, the visitor, and the state stored in the browser."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import Forbidden
from autotrain_gradio.core.panels import RenderContext
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.service import LOCAL, Service
from autotrain_gradio.ui.files import Tickets, link

PRIVATE: dict[str, Any] = {"api_visibility": "private"}
"""For all events of the page: they are not part of the HTTP API."""
NO_PROGRESS: dict[str, Any] = {"show_progress": "hidden", "show_progress_on": []}
"""For events that show no progress of Gradio's.

Without components of its own, an event reports its state to all of its outputs, although it shows none: Gradio's
frontend then copies the properties of everything inside them, for every message of every event.
"""
UNQUEUED: dict[str, Any] = {**PRIVATE, **NO_PROGRESS, "queue": False}
"""For events that return within milliseconds."""
QUEUED: dict[str, Any] = {**PRIVATE, **NO_PROGRESS, "concurrency_limit": None}
"""For events that set a `gr.State` with a change listener: Gradio fires it for queued events only."""
REFUSED_CHECKS = 4
"""Checks beyond those that run and wait: the service refuses them with a message."""
CHECK_EVENT: dict[str, Any] = {
    **PRIVATE,
    **NO_PROGRESS,
    # The service lets checks wait, and tells each its position; Gradio's own queue would not.
    "concurrency_limit": Limits.checks + Limits.checks_waiting + REFUSED_CHECKS,
    "concurrency_id": "check",
}
"""For events that check data: they take long, and show their own progress."""
RUNS_TAB = "runs"
"""Id of the tab that lists the runs."""
STORAGE_KEY_SECRET = "autotrain-gradio-page"
"""Gradio obfuscates browser storage with this; it is constant across restarts. No token is stored there."""


ID_CHARACTERS = 128
"""Maximum length of an id that a browser sends."""


def _valid_drafts(value: Any) -> dict[str, str]:
    """Return the drafts that a browser sends: task → id."""
    items = list(value.items())[:ID_CHARACTERS] if isinstance(value, dict) else []
    return {k: v for k, v in items if isinstance(k, str) and isinstance(v, str) and len(v) <= ID_CHARACTERS}


def _browser_state(name: str, default: Any) -> gr.BrowserState:
    return gr.BrowserState(default, storage_key=f"autotrain-gradio-{name}", secret=STORAGE_KEY_SECRET)


@dataclass
class PageContext:
    """Passed to every part of the page while it is built.

    visitor: random id of this browser; in shared mode it owns the visitor's runs.
    run: id of the open run, or None.
    drafts: task → id of the draft that its tab edits.
    """

    service: Service
    tickets: Tickets = field(default_factory=Tickets)
    visitor: gr.BrowserState = field(default_factory=lambda: _browser_state("visitor", ""))
    run: gr.BrowserState = field(default_factory=lambda: _browser_state("run", None))
    drafts: gr.BrowserState = field(default_factory=lambda: _browser_state("drafts", {}))
    requested_run: gr.State = field(default_factory=lambda: gr.State(None))
    """`{run, n}`: set it to open a run. A skipped update sets a `BrowserState` to the skip marker, so `run` and
    `drafts` are outputs only of events that always return a value for them."""

    saved_draft: gr.State = field(default_factory=lambda: gr.State(None))
    """`{task, draft}`: set it to store a draft's id in the browser."""

    def wire(self) -> None:
        """Add `saved_draft` to `drafts`; `Navigation` opens `requested_run`."""
        self.saved_draft.change(
            lambda saved, drafts: {**(drafts or {}), saved["task"]: saved["draft"]} if saved else drafts or {},
            [self.saved_draft, self.drafts],
            self.drafts,
            **UNQUEUED,
        )

    def request_run(self, run: str | None) -> dict[str, Any]:
        """Return a value for `requested_run`; None closes the open run."""
        return {"run": run, "n": time.time_ns()}

    def render_context(self, run: str) -> RenderContext:
        """Return the context for panels of a run: URLs of its files, and of downloads."""
        return RenderContext(link=link(run), download=lambda path: self.tickets.issue(Path(path)))

    def checks(self) -> dict[Any, Callable[[Any], Any]]:
        """Return the check of each value that the browser stores: a client may send anything for it."""
        return {
            self.visitor: lambda value: value if isinstance(value, str) and len(value) <= ID_CHARACTERS else "",
            self.run: lambda value: value if isinstance(value, str) and len(value) <= ID_CHARACTERS else None,
            self.drafts: _valid_drafts,
        }

    def owner(self, visitor: Any) -> str:
        """Return the owner on whose behalf an event acts.

        Raises:
            Forbidden: in shared mode, from a browser without an id.
        """
        if not self.service.settings.shared:
            return LOCAL
        if not isinstance(visitor, str) or len(visitor) < 16:
            raise Forbidden("This browser has no visitor id.", "Reload the page; it must be allowed to store data.")
        return f"visitor:{visitor}"
