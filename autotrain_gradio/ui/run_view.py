"""A run as it happens and as it ended: one view for all tasks, shared by all ways to open a run.

The page holds nothing of the run. It asks the service once a second what is new; what is drawn of a
version is drawn once for all viewers, and sent only where it differs from what a viewer has.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from autotrain_gradio.errors import UserError
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.ui import log_view, messages, run_html
from autotrain_gradio.ui.chart_svg import SERIES_COLOURS
from autotrain_gradio.ui.shell import PRIVATE, QUICK, Shell
from autotrain_gradio.ui.try_it import TryIt

POLL_SECONDS = 1.0
CHART_SECONDS = 3.0
"""A plot is redrawn at most this often: a browser needs much longer for it than for text."""
KEPT_DRAWINGS = 64

Updates = dict[Any, Any]
DOWNLOAD = "(url) => { if (url) { const a = document.createElement('a'); a.href = url; a.download = ''; document.body.append(a); a.click(); a.remove(); } }"  # noqa: E501


@dataclass
class RunView:
    """The widgets of the view, and what they show."""

    shell: Shell
    charts_needed: int
    seen: Any = None
    timer: Any = None
    box: Any = None
    back: Any = None
    missing: Any = None
    body: Any = None
    html: dict[str, Any] = field(default_factory=dict)
    buttons: dict[str, Any] = field(default_factory=dict)
    plots: list[Any] = field(default_factory=list)
    sample: Any = None
    try_it: Any = None
    results: Any = None
    sampled: Any = None
    ask_delete: Any = None
    delete_now: Any = None
    delete_not: Any = None
    token: Any = None
    log: Any = None
    yaml: Any = None
    url: Any = None
    _drawings: OrderedDict[tuple[str, int], dict[str, str]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def build(cls, shell: Shell) -> RunView:
        """Create the view, hidden."""
        self = cls(shell, max((len(t.charts) for t in shell.service.tasks), default=0))
        self.seen = gr.State({})
        self.timer = gr.Timer(POLL_SECONDS, active=False)
        with gr.Column(visible=False, elem_id="run-view") as self.box:
            self.back = gr.Button("← All runs", size="sm", elem_id="run-back", elem_classes="at-small-button")
            self.missing = gr.HTML(elem_id="run-missing")
            with gr.Column(visible=False) as self.body:
                self._build_top()
                with gr.Column(visible=False, elem_id="run-results") as self.results:
                    self.html["report"] = gr.HTML(elem_id="run-report", elem_classes="at-grid")
                self.try_it = TryIt.build(shell)
                self._build_charts()
                with gr.Column(visible=False, elem_id="run-samples-box") as self.sampled:
                    gr.HTML("<h2>The same examples, from evaluation to evaluation</h2>")
                    self.sample = gr.Slider(
                        1, 2, value=2, step=1, label="Evaluation", visible=False, interactive=True, elem_id="run-sample"
                    )
                    self.html["samples"] = gr.HTML(elem_id="run-samples")
                with gr.Accordion("Log", open=False, elem_id="run-log-box"):
                    self.log = log_view.create(shell.service, elem_id="run-log")
                with gr.Accordion("Settings as YAML", open=False, elem_id="run-yaml-box"):
                    self.yaml = gr.Code(language="yaml", interactive=False, show_label=False, elem_id="run-yaml")
        self._wire()
        return self

    def _build_top(self) -> None:
        self.html["header"] = gr.HTML(elem_id="run-header", elem_classes="at-live")
        self.html["progress"] = gr.HTML(elem_id="run-progress")
        self.html["reason"] = gr.HTML(elem_id="run-reason", elem_classes="at-live")
        with gr.Row(elem_classes="at-actions"):
            made = {
                "stop": ("Stop and keep the weights", "secondary"),
                "resume": ("Resume", "primary"),
                "download": ("Download the model", "primary"),
                "again": ("Start again from these settings", "secondary"),
                "delete": ("Delete", "secondary"),
            }
            for name, (text, variant) in made.items():
                self.buttons[name] = gr.Button(text, variant=variant, visible=False, elem_id=f"run-{name}")
        self.token = gr.Textbox(
            label="Access token",
            info="The run waits for it. It is kept in memory and never stored.",
            type="password",
            visible=False,
            max_lines=1,
            interactive=True,
            elem_id="run-token",
        )
        with gr.Row(visible=False, elem_classes="at-ask", elem_id="run-ask-delete") as self.ask_delete:
            gr.HTML("<p>Delete this run with its data, its checkpoints and its model? This cannot be undone.</p>")
            self.delete_now = gr.Button("Delete for good", variant="stop", elem_id="run-delete-now")
            self.delete_not = gr.Button("Keep it", elem_id="run-delete-not")
        self.html["problem"] = gr.HTML(elem_id="run-problem", elem_classes="at-live")
        self.url = gr.Textbox(visible=False)
        self.html["tiles"] = gr.HTML(elem_id="run-tiles")

    def _build_charts(self) -> None:
        for row in (range(min(2, self.charts_needed)), range(2, self.charts_needed)):
            if not row:
                continue
            with gr.Row(elem_classes="at-charts"):
                for number in row:
                    self.plots.append(
                        gr.LinePlot(
                            x="step",
                            y="value",
                            color="series",
                            height=250 if number < 2 else 180,
                            min_width=280,
                            y_title="",
                            color_title="",
                            buttons=["fullscreen", "export"],
                            visible=False,
                            elem_id=f"run-chart-{number}",
                        )
                    )

    def outputs(self) -> list[Any]:
        """Return all that `open` and `tick` may change."""
        return [
            *(self.seen, self.timer, self.box, self.missing, self.body, self.results, self.sampled, self.sample),
            *(self.ask_delete, self.token, self.log, self.yaml),
            *self.html.values(),
            *self.buttons.values(),
            *self.plots,
            *self.try_it.outputs(),
        ]

    def _wire(self) -> None:
        shell, outputs = self.shell, self.outputs()
        self.timer.tick(self.tick, [shell.run, self.seen, self.sample], outputs, **QUICK)
        self.sample.release(self.turn, [shell.run, self.sample], self.html["samples"], **QUICK)
        acting = [shell.run, self.seen, self.sample, shell.visitor, self.token]
        kind: dict[str, Any] = {**PRIVATE, "show_progress": "minimal", "concurrency_limit": None}
        self.buttons["stop"].click(self._act("stop"), acting, outputs, **kind)
        self.buttons["resume"].click(self._act("resume"), acting, outputs, **kind)
        self.buttons["download"].click(
            self.download, [shell.run, shell.visitor], [self.url, self.html["problem"]], **kind
        ).then(None, self.url, None, js=DOWNLOAD, **PRIVATE)
        self.buttons["delete"].click(lambda: gr.Row(visible=True), None, self.ask_delete, **QUICK)
        self.delete_not.click(lambda: gr.Row(visible=False), None, self.ask_delete, **QUICK)
        self.delete_now.click(self.delete, [shell.run, shell.visitor], [shell.turn, self.html["problem"]], **kind)
        self.back.click(lambda: None, None, shell.run, **QUICK)
        self.try_it.wire()

    # -- events

    def open(self, run: Any) -> Updates:
        """Show a run from the beginning, or nothing where there is none."""
        if not run:
            closed = {
                self.box: gr.Column(visible=False),
                self.timer: gr.Timer(active=False),
                self.log: "",
                self.seen: {},
            }
            return closed
        return {
            self.box: gr.Column(visible=True),
            self.ask_delete: gr.Row(visible=False),
            self.html["problem"]: "",
            self.log: run,
            **self._refresh(run, {}, None),
        }

    def tick(self, run: Any, seen: Any, sample: Any) -> Updates:
        """Show what is new since the last tick."""
        if not run:
            return {self.timer: gr.Timer(active=False)}
        return self._refresh(run, seen or {}, sample)

    def turn(self, run: Any, sample: Any) -> str:
        """Show the predictions of another evaluation."""
        try:
            snapshot = self.shell.service.snapshot(run)
        except UserError as error:
            return messages.error(error)
        return run_html.samples(snapshot or {}, int(sample) - 1)

    def download(self, run: Any, visitor: Any) -> tuple[str, str]:
        """Pack the model; return the URL that the browser then fetches."""
        try:
            path = self.shell.service.archive(run, self.shell.owner(visitor))
        except UserError as error:
            return "", messages.error(error)
        return self.shell.tickets.issue(path), ""

    def delete(self, run: Any, visitor: Any) -> tuple[Any, str]:
        """Delete the run, and close it."""
        try:
            self.shell.service.delete(run, self.shell.owner(visitor))
        except UserError as error:
            return gr.skip(), messages.error(error)
        return self.shell.to(None), ""

    def _act(self, verb: str) -> Any:
        def act(run: Any, seen: Any, sample: Any, visitor: Any, token: Any) -> Updates:
            service = self.shell.service
            try:
                owner = self.shell.owner(visitor)
                if verb == "stop":
                    service.stop(run, owner)
                else:
                    service.resume(run, owner, token=token or None)
            except UserError as error:
                return {self.html["problem"]: messages.error(error)}
            return {
                self.html["problem"]: "",
                self.timer: gr.Timer(active=True),
                **self._refresh(run, {**(seen or {}), "version": None}, sample),
            }

        return act

    # -- inner

    def _refresh(self, run: str, seen: dict[str, Any], sample: Any) -> Updates:
        service, now = self.shell.service, time.monotonic()
        try:
            behind = seen.get("charts") != seen.get("version") and now - seen.get("charts_at", 0.0) >= CHART_SECONDS
            snapshot = service.snapshot(run, None if behind else seen.get("version"))
        except UserError as error:
            return {
                self.missing: messages.error(error),
                self.body: gr.Column(visible=False),
                self.timer: gr.Timer(active=False),
                self.seen: {},
            }
        if snapshot is None:
            # Nothing new. A run that has ended stays as it is: there is no more to ask for.
            done = seen.get("ended") and seen.get("charts") == seen.get("version")
            return {self.timer: gr.Timer(active=False)} if done else {self.seen: gr.skip()}
        return self._updates(run, dict(snapshot), seen, sample, now)

    def _updates(self, run: str, snapshot: dict[str, Any], seen: dict[str, Any], sample: Any, now: float) -> Updates:
        task = next((t for t in self.shell.service.tasks if t.name == snapshot["task"]), None)
        ended, fresh = snapshot["state"] in run_html.ENDED, seen.get("run") != run
        drawn, updates = self._drawing(snapshot, task), {}
        sent = {} if fresh else dict(seen.get("sent") or {})
        for name, html in drawn.items():
            digest = hash(html)
            if sent.get(name) != digest:
                sent[name] = digest
                updates[self.html[name]] = html
        can = snapshot.get("can") or {}
        visible = {name: bool(can.get(name)) for name in ("stop", "resume", "download", "delete")}
        visible["again"] = task is not None and snapshot["state"] != "draft"
        state = {
            "run": run,
            "version": snapshot["version"],
            "ended": ended,
            "sent": sent,
            "can": can,
            "samples": len(snapshot.get("samples") or []),
            "last_step": (snapshot.get("samples") or [{"step": None}])[-1]["step"],
            "charts": seen.get("charts"),
            "charts_at": seen.get("charts_at", 0.0),
        }
        if fresh or seen.get("can") != can or seen.get("ended") != ended:
            updates |= {self.buttons[name]: gr.Button(visible=shown) for name, shown in visible.items()}
            updates |= self.try_it.show(task, bool(can.get("predict")), emptied=fresh)
            updates[self.results] = gr.Column(visible=bool(snapshot.get("report")))
        elif "report" in drawn and self.html["report"] in updates:
            updates[self.results] = gr.Column(visible=bool(snapshot.get("report")))
        if fresh:
            updates |= {self.missing: "", self.body: gr.Column(visible=True), self.yaml: self._yaml(snapshot)}
            updates[self.timer] = gr.Timer(active=True)
        updates[self.token] = gr.Textbox(visible=bool(snapshot.get("waiting_for_token")))
        updates |= self._samples(snapshot, seen, fresh, sample)
        if fresh or ended or now - seen.get("charts_at", 0.0) >= CHART_SECONDS:
            updates |= self._charts(snapshot, task, fresh)
            state |= {"charts": snapshot["version"], "charts_at": now}
        return {**updates, self.seen: state}

    def _samples(self, snapshot: dict[str, Any], seen: dict[str, Any], fresh: bool, sample: Any) -> Updates:
        """Follow the latest evaluation, unless the viewer looks at an earlier one."""
        listed = snapshot.get("samples") or []
        count, last = len(listed), (listed or [{"step": None}])[-1]["step"]
        if not fresh and count == seen.get("samples") and last == seen.get("last_step"):
            return {}
        if not fresh and sample is not None and count > 1 and int(sample) < int(seen.get("samples") or 0):
            return {self.sample: gr.Slider(maximum=max(2, count), visible=count > 1)}
        return {
            self.sampled: gr.Column(visible=count > 0),
            self.sample: gr.Slider(maximum=max(2, count), value=max(1, count), visible=count > 1),
            self.html["samples"]: run_html.samples(snapshot, count - 1),
        }

    def _charts(self, snapshot: dict[str, Any], task: Task | None, fresh: bool) -> Updates:
        updates: Updates = {}
        charts = task.charts if task else ()
        for number, plot in enumerate(self.plots):
            if number >= len(charts):
                if fresh:
                    updates[plot] = gr.LinePlot(visible=False)
                continue
            chart = charts[number]
            labels = list(chart.series.values())
            series = snapshot.get("series") or {}
            drawn = run_html.drawn(chart, series)
            if not drawn:
                if fresh:
                    updates[plot] = gr.LinePlot(value=None, visible=True)
                continue
            updates[plot] = gr.LinePlot(
                value=run_html.table(chart, series),
                x="step",
                y="value",
                color="series" if len(labels) > 1 else None,
                color_map=dict(zip(labels, SERIES_COLOURS, strict=False)) if len(labels) > 1 else None,
                colors_in_legend=drawn,
                title=chart.title,
                y_title=chart.unit or " ",
                x_axis_format="~s",
                visible=True,
            )
        return updates

    def _drawing(self, snapshot: dict[str, Any], task: Task | None) -> dict[str, str]:
        key = (snapshot["id"], snapshot["version"])
        with self._lock:
            if key in self._drawings:
                self._drawings.move_to_end(key)
                return self._drawings[key]
        made = {
            "header": run_html.header(snapshot),
            "progress": run_html.progress(snapshot),
            "reason": run_html.reason(snapshot),
            "tiles": run_html.tiles(snapshot, task),
            "report": run_html.report(snapshot),
        }
        with self._lock:
            self._drawings[key] = made
            while len(self._drawings) > KEPT_DRAWINGS:
                self._drawings.popitem(last=False)
        return made

    def _yaml(self, snapshot: dict[str, Any]) -> str:
        try:
            return self.shell.service.yaml(snapshot["spec"])
        except UserError as error:
            # A run of a task that is no longer installed can be looked at, not written down anew.
            return f"# {error.message}"
