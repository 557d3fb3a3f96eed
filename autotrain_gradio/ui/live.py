"""What changes each second of a run: fetched by a script of the page's, drawn once for all viewers.

A Gradio event costs about a millisecond for each of its outputs, used or not; a server function
costs one. So text travels this way, and events are triggered only when there is something for them:
`change` when the run has turned into something else, `input` when there are new points to plot.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.ui import messages, run_html

POLL_SECONDS = 1.0
ENDED_SECONDS = 5.0
"""A run that has ended may be resumed by somebody else."""
CHART_SECONDS = 4.0
AGAIN_SECONDS = 1.5
KEPT_DRAWINGS = 64
PARTS = ("header", "progress", "tiles", "reason")

TEMPLATE = """<div class="at-run-live">
<div data-part="header" aria-live="polite"></div><div data-part="progress"></div>
<div data-part="tiles"></div><div data-part="reason" aria-live="polite"></div></div>"""

SCRIPT = """
let run = null, version = null, key = null, plotted = null, plottedAt = 0, next = 0, busy = false, ended = false;
const parts = {};
const forget = () => {
  version = key = plotted = null; plottedAt = 0; next = 0; ended = false;
  for (const name in parts) delete parts[name];
  element.querySelectorAll('[data-part]').forEach((node) => { node.innerHTML = ''; });
};
const poll = async () => {
  const wanted = props.value || null;
  if (wanted !== run) { run = wanted; forget(); }
  const now = Date.now();
  if (!run || busy || document.hidden || element.offsetParent === null || now < next) return;
  busy = true;
  try {
    const told = await server.live({run: run, since: version});
    if ((props.value || null) !== run) return;
    if (!told || typeof told !== 'object') throw new Error('no answer');
    if (!told.same) {
      version = told.version; ended = told.ended;
      for (const name in told.parts) {
        if (parts[name] === told.parts[name]) continue;
        parts[name] = told.parts[name];
        const node = element.querySelector(`[data-part="${name}"]`);
        if (node) node.innerHTML = told.parts[name];
      }
      if (told.key !== key) {
        key = told.key; plottedAt = now; trigger('change');
        // The last points may arrive together with much else, and are then not drawn: they come once more.
        if (ended) next = now + AGAIN_MS; else plotted = version;
        return;
      }
    }
    if (plotted !== version && (ended || now - plottedAt >= CHART_MS)) {
      plotted = version; plottedAt = now; trigger('input');
    }
    next = now + (ended && plotted === version ? ENDED_MS : 0);
  } catch (error) {
    window.dispatchEvent(new CustomEvent('autotrain-away'));
    next = now + 2000;
  } finally { busy = false; }
};
const timer = setInterval(() => { if (element.isConnected) poll(); else clearInterval(timer); }, POLL_MS);
watch('value', poll);
poll();
"""


class Live:
    """The text of runs, drawn once a version."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._drawings: OrderedDict[tuple[str, int], dict[str, Any]] = OrderedDict()

    def create(self, *, elem_id: str) -> Any:
        """Create the component; its value is the id of the run."""

        def live(asked: Any) -> dict[str, Any]:
            """Return what is new of a run. What is asked comes from a browser: nothing in it is trusted."""
            run, since = (asked.get("run"), asked.get("since")) if isinstance(asked, dict) else (None, None)
            if not isinstance(run, str) or not isinstance(since, int | None):
                return {"same": True}
            return self.told(run, since) or {"same": True}

        script = SCRIPT
        for name, seconds in (
            ("CHART_MS", CHART_SECONDS),
            ("ENDED_MS", ENDED_SECONDS),
            ("POLL_MS", POLL_SECONDS),
            ("AGAIN_MS", AGAIN_SECONDS),
        ):
            script = script.replace(name, str(int(seconds * 1000)))
        return gr.HTML("", html_template=TEMPLATE, js_on_load=script, server_functions=[live], elem_id=elem_id)

    def told(self, run: str, since: int | None) -> dict[str, Any] | None:
        """Return `{version, key, ended, parts}`; None when nothing changed since that version.

        key: changes when more than the text has to change.
        """
        try:
            snapshot = self._service.snapshot(run, since)
        except UserError as error:
            return {"version": None, "key": "missing", "ended": True, "parts": {"reason": messages.error(error)}}
        if snapshot is None:
            return None
        task = next((t for t in self._service.tasks if t.name == snapshot["task"]), None)
        return self._once((run, snapshot["version"]), lambda: _drawn(snapshot, task))

    def _once(self, key: tuple[str, int], draw: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        with self._lock:
            if key in self._drawings:
                self._drawings.move_to_end(key)
                return self._drawings[key]
        made = draw()
        with self._lock:
            self._drawings[key] = made
            while len(self._drawings) > KEPT_DRAWINGS:
                self._drawings.popitem(last=False)
        return made


def _drawn(snapshot: Mapping[str, Any], task: Task | None) -> dict[str, Any]:
    samples = snapshot.get("samples") or []
    report = snapshot.get("report")
    shape = (
        snapshot["state"],
        snapshot.get("attempt"),
        sorted((snapshot.get("can") or {}).items()),
        bool(snapshot.get("waiting_for_token")),
        len(samples),
        samples[-1]["step"] if samples else None,
        len(report) if report else 0,
    )
    parts = {
        "header": run_html.header(snapshot),
        "progress": run_html.progress(snapshot),
        "tiles": run_html.tiles(snapshot, task),
        "reason": run_html.reason(snapshot),
    }
    ended = snapshot["state"] in run_html.ENDED
    return {"version": snapshot["version"], "key": repr(shape), "ended": ended, "parts": parts}
