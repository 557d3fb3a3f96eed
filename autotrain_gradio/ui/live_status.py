"""The status text of a run, polled each second by a script of the page and rendered once for all viewers.

A Gradio event costs about a millisecond for each of its outputs, changed or not; a server function costs about one in
all. So text is polled by a server function, and events are triggered only if they have something to update: `change`
when more than the text has changed, `input` when there are new points to plot.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.runs import states
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.ui import messages, run_html, theme

POLL_SECONDS = 1.0
ENDED_POLL_SECONDS = 5.0
"""Slower polling of a run that has ended, which may be resumed in another browser."""
PLOT_SECONDS = 4.0
LAST_PLOT_SECONDS = 1.5
CACHE_SIZE = 64

TEMPLATE = """<div class="at-run-live" {data}>
<div data-part="header" aria-live="polite"></div><div data-part="progress"></div>
<div data-part="tiles"></div><div data-part="reason" aria-live="polite"></div></div>"""


class LiveStatus:
    """The status of runs, rendered once for each version."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._cache: OrderedDict[tuple[str, int], dict[str, Any]] = OrderedDict()

    def create(self, *, elem_id: str) -> gr.HTML:
        """Create the component; its value is the id of the run."""

        def status(request: Any) -> dict[str, Any]:
            """Return the changes of a run. The request comes from a browser and is not trusted."""
            run, since = (request.get("run"), request.get("since")) if isinstance(request, dict) else (None, None)
            if not isinstance(run, str) or not isinstance(since, int | None):
                return {"unchanged": True}
            return self.status(run, since) or {"unchanged": True}

        return gr.HTML(
            "",
            html_template=TEMPLATE.replace("{data}", _template_data()),
            js_on_load=theme.script("run_status"),
            server_functions=[status],
            elem_id=elem_id,
        )

    def status(self, run: str, since: int | None) -> dict[str, Any] | None:
        """Return `{version, key, ended, parts}`; None if nothing has changed since that version.

        key: differs if more than the text has to be updated.
        """
        try:
            snapshot = self._service.snapshot(run, since)
        except UserError as error:
            return {"version": None, "key": "missing", "ended": True, "parts": {"reason": messages.error(error)}}
        if snapshot is None:
            return None
        task = next((t for t in self._service.tasks if t.name == snapshot["task"]), None)
        return self._cached((run, snapshot["version"]), lambda: _render(snapshot, task))

    def _cached(self, key: tuple[str, int], render: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        rendered = render()
        with self._lock:
            self._cache[key] = rendered
            while len(self._cache) > CACHE_SIZE:
                self._cache.popitem(last=False)
        return rendered


def _template_data() -> str:
    """Return the data attributes that the script reads: intervals in milliseconds, and the header of a run at first."""
    seconds = {"poll": POLL_SECONDS, "ended": ENDED_POLL_SECONDS, "chart": PLOT_SECONDS, "retry": LAST_PLOT_SECONDS}
    intervals = [f'data-{name}-ms="{value * 1000:.0f}"' for name, value in seconds.items()]
    return " ".join([*intervals, f'data-opening="{escape(messages.busy("Opening the run"))}"'])


def _render(snapshot: Mapping[str, Any], task: Task | None) -> dict[str, Any]:
    samples = snapshot.get("samples") or []
    report = snapshot.get("report")
    shape = (
        snapshot["state"],
        snapshot.get("attempt"),
        sorted((snapshot.get("can") or {}).items()),
        bool(snapshot.get("needs_token")),
        len(samples),
        samples[-1]["step"] if samples else None,
        len(report) if report else 0,
    )
    parts = {
        "header": run_html.render_header(snapshot),
        "progress": run_html.render_progress(snapshot, task),
        "tiles": run_html.render_metrics(snapshot, task),
        "reason": run_html.render_messages(snapshot, task),
    }
    ended = snapshot["state"] in states.ENDED
    return {"version": snapshot["version"], "key": repr(shape), "ended": ended, "parts": parts}
