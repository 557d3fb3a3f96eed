"""A run as it happens and as it ended: one view for all tasks, shared by all ways to open a run.

The page holds nothing of the run. `live` fetches the text each second and says when the rest is due;
what is drawn of a version is drawn once for all viewers.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from html import escape
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import Forbidden, UserError
from autotrain_gradio.core.panels.chart_svg import SERIES_COLOURS
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.ui import log_view, messages, run_html
from autotrain_gradio.ui.live import CHART_SECONDS, Live
from autotrain_gradio.ui.publish import PublishNow
from autotrain_gradio.ui.shell import PRIVATE, QUICK, Shell
from autotrain_gradio.ui.try_it import TryIt

Updates = dict[Any, Any]
STOP = {True: "Stop and keep the weights", False: "Stop and keep the best so far"}
"""Whether the training goes by steps → what its button says."""
DOWNLOAD = """(url) => {
  if (!url) return;
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  document.body.append(link);
  link.click();
  link.remove();
}"""


@dataclass
class RunView:
    """The widgets of the view, and what they show."""

    shell: Shell
    seen: Any = None
    box: Any = None
    back: Any = None
    live: Any = None
    body: Any = None
    buttons: dict[str, Any] = field(default_factory=dict)
    plots: list[Any] = field(default_factory=list)
    sample: Any = None
    samples: Any = None
    sampled: Any = None
    heading: Any = None
    try_it: Any = None
    publish: Any = None
    results: Any = None
    report: Any = None
    problem: Any = None
    ask_delete: Any = None
    delete_now: Any = None
    delete_not: Any = None
    token: Any = None
    log: Any = None
    yaml: Any = None
    url: Any = None
    _plotted: dict[str, tuple[float, int, list[Any]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def build(cls, shell: Shell) -> RunView:
        """Create the view, hidden."""
        self = cls(shell)
        self.seen = gr.State({})
        with gr.Column(visible=False, elem_id="run-view") as self.box:
            self.back = gr.Button("← All runs", size="sm", elem_id="run-back", elem_classes="at-small-button")
            self.live = Live(shell.service).create(elem_id="run-live")
            with gr.Column(visible=False, elem_id="run-body") as self.body:
                self._build_actions()
                with gr.Column(visible=False, elem_id="run-results") as self.results:
                    self.report = gr.HTML(elem_id="run-report", elem_classes="at-grid")
                self.try_it = TryIt.build(shell)
                self._build_charts()
                with gr.Column(visible=False, elem_id="run-samples-box") as self.sampled:
                    self.heading = gr.HTML(elem_id="run-samples-heading")
                    self.sample = gr.Slider(
                        1, 2, value=2, step=1, label="Evaluation", visible=False, interactive=True, elem_id="run-sample"
                    )
                    self.samples = gr.HTML(elem_id="run-samples")
                self.publish = PublishNow.build(shell)
                with gr.Accordion("Log", open=False, elem_id="run-log-box"):
                    self.log = log_view.create(shell.service, elem_id="run-log")
                with gr.Accordion("Settings as YAML", open=False, elem_id="run-yaml-box"):
                    self.yaml = gr.Code(language="yaml", interactive=False, show_label=False, elem_id="run-yaml")
        self._wire()
        return self

    def _build_actions(self) -> None:
        with gr.Row(elem_classes="at-actions"):
            made: dict[str, tuple[str, Any]] = {
                "stop": (STOP[True], "secondary"),
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
        self.problem = gr.HTML(elem_id="run-problem", elem_classes="at-live")
        self.url = gr.Textbox(visible=False)

    def _build_charts(self) -> None:
        needed = max((len(t.charts) for t in self.shell.service.tasks), default=0)
        for row in (range(min(2, needed)), range(2, needed)):
            if not row:
                continue
            with gr.Row(elem_classes="at-charts"):
                for number in row:
                    self.plots.append(
                        gr.LinePlot(
                            x="step",
                            y="value",
                            height=250 if number < 2 else 180,
                            min_width=280,
                            x_axis_format="~s",
                            color_title="",
                            buttons=["fullscreen", "export"],
                            visible=False,
                            elem_id=f"run-chart-{number}",
                        )
                    )

    def _wire(self) -> None:
        shell, acting = self.shell, [self.shell.run, self.shell.visitor]
        kind: dict[str, Any] = {**PRIVATE, "show_progress": "minimal", "concurrency_limit": None}
        self.live.change(self.refresh, [*acting, self.seen, self.sample], self.outputs(), **QUICK)
        self.live.input(self.plot, shell.run, self.plots, **QUICK)
        self.sample.release(self.turn, [shell.run, self.sample], self.samples, **QUICK)
        self.buttons["stop"].click(self.stop, acting, self.problem, **kind)
        self.buttons["resume"].click(self.resume, [*acting, self.token], [self.problem, self.token], **kind)
        self.buttons["download"].click(self.download, acting, [self.url, self.problem], **kind).then(
            None, self.url, None, js=DOWNLOAD, **PRIVATE
        )
        self.buttons["delete"].click(lambda: gr.Row(visible=True), None, self.ask_delete, **QUICK)
        self.delete_not.click(lambda: gr.Row(visible=False), None, self.ask_delete, **QUICK)
        self.delete_now.click(self.delete, acting, [shell.turn, self.problem], **kind)
        self.back.click(lambda: None, None, shell.run, **QUICK)
        self.try_it.wire()
        self.publish.wire()

    def opened(self) -> list[Any]:
        """Return all that `open` may change."""
        return [self.box, self.live, self.log, self.body, self.ask_delete, self.problem]

    def outputs(self) -> list[Any]:
        """Return all that `refresh` may change."""
        shown = [self.seen, self.body, self.results, self.report, self.sampled, self.heading, self.sample, self.samples]
        return [
            *shown,
            self.token,
            self.yaml,
            *self.buttons.values(),
            *self.plots,
            *self.try_it.outputs(),
            *self.publish.outputs(),
        ]

    # -- events

    def open(self, run: Any) -> Updates:
        """Show a run, or nothing where there is none; the rest follows when its first words are there."""
        return {
            self.box: gr.Column(visible=bool(run)),
            self.live: run or "",
            self.log: run or "",
            self.body: gr.Column(visible=False),
            self.ask_delete: gr.Row(visible=False),
            self.problem: "",
        }

    def refresh(self, run: Any, visitor: Any, seen: Any, sample: Any) -> Updates:
        """Bring all but the text up to date: the run has changed its state, or has something new to show.

        Somebody else's run can be looked at and tried, not changed or taken away.
        """
        try:
            snapshot = self.shell.service.snapshot(run) if run else None
        except UserError:
            snapshot = None  # the text above says why
        if snapshot is None:
            return {self.body: gr.Column(visible=False), self.seen: {}}
        mine = self._mine(run, visitor)
        task = next((t for t in self.shell.service.tasks if t.name == snapshot["task"]), None)
        can, report, fresh = snapshot["can"], snapshot.get("report"), (seen or {}).get("run") != run
        shown = {**can, "again": task is not None and snapshot["state"] != "draft"} if mine else {}
        samples = snapshot.get("samples") or []
        tried = bool(can.get("predict")) and not (seen or {}).get("predict")
        return {
            self.seen: {"run": run, "samples": len(samples), "predict": bool(can.get("predict"))},
            self.body: gr.Column(visible=True),
            **{button: gr.Button(visible=bool(shown.get(name))) for name, button in self.buttons.items()},
            self.buttons["stop"]: gr.Button(STOP[task is None or task.unit == "step"], visible=bool(shown.get("stop"))),
            self.token: gr.Textbox(visible=mine and bool(snapshot.get("waiting_for_token"))),
            self.yaml: self._yaml(snapshot),
            self.results: gr.Column(visible=bool(report)),
            self.report: run_html.report(snapshot),
            **self.try_it.show(snapshot, task, emptied=fresh or tried),
            **self.publish.show(bool(shown.get("download")), emptied=fresh),
            **self._samples(snapshot, 0 if fresh else int((seen or {}).get("samples") or 0), sample, task),
            **dict(zip(self.plots, self._charts(run, snapshot, task, styled=fresh), strict=True)),
        }

    def plot(self, run: Any) -> list[Any]:
        """Draw the new points."""
        try:
            snapshot = self.shell.service.snapshot(run) if run else None
        except UserError:
            snapshot = None  # the text above says why
        if snapshot is None:
            return [gr.skip() for _ in self.plots]
        task = next((t for t in self.shell.service.tasks if t.name == snapshot["task"]), None)
        return self._charts(run, snapshot, task, styled=False)

    def turn(self, run: Any, sample: Any) -> str:
        """Show the predictions of another evaluation."""
        try:
            snapshot = self.shell.service.snapshot(run)
        except UserError as error:
            return messages.error(error)
        return run_html.samples(snapshot or {}, int(sample) - 1)

    def stop(self, run: Any, visitor: Any) -> str:
        """Ask the run to stop; its state then says so."""
        try:
            self.shell.service.stop(run, self.shell.owner(visitor))
        except UserError as error:
            return messages.error(error)
        return ""

    def resume(self, run: Any, visitor: Any, token: Any) -> tuple[str, Any]:
        """Queue a new attempt."""
        try:
            self.shell.service.resume(run, self.shell.owner(visitor), token=token or None)
        except UserError as error:
            return messages.error(error), gr.skip()
        return "", gr.Textbox(value="")

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

    # -- inner

    def _mine(self, run: Any, visitor: Any) -> bool:
        try:
            return self.shell.service.owns(run, self.shell.owner(visitor))
        except Forbidden:
            return False  # a browser that stores nothing can look on

    def _samples(self, snapshot: dict[str, Any], before: int, sample: Any, task: Task | None) -> Updates:
        """Follow the latest evaluation, unless the viewer looks at an earlier one."""
        count = len(snapshot.get("samples") or [])
        if before > 1 and sample is not None and int(sample) < before:
            return {self.sample: gr.Slider(maximum=max(2, count), visible=count > 1)}
        unit = task.unit.capitalize() if task and task.unit != "step" else "Evaluation"
        return {
            self.sampled: gr.Column(visible=count > 0),
            self.heading: f"<h2>{escape(task.samples_title)}</h2>" if task else "",
            self.sample: gr.Slider(maximum=max(2, count), value=max(1, count), visible=count > 1, label=unit),
            self.samples: run_html.samples(snapshot, count - 1),
        }

    def _charts(self, run: str, snapshot: dict[str, Any], task: Task | None, *, styled: bool) -> list[Any]:
        """Return an update for each plot; the points are made once for all who ask within a few seconds.

        styled: also say what a plot looks like, for a viewer who has not seen this run.
        """
        with self._lock:
            made_at, version, points = self._plotted.get(run, (0.0, -1, []))
        ended = snapshot["state"] in run_html.ENDED
        if version != snapshot["version"] and (ended or time.monotonic() - made_at >= CHART_SECONDS / 2):
            points = self._points(snapshot, task)
            with self._lock:
                self._plotted[run] = (time.monotonic(), snapshot["version"], points)
                while len(self._plotted) > 32:
                    del self._plotted[next(iter(self._plotted))]
        updates = []
        for number, value in enumerate(points):
            if task is None or number >= len(task.charts):
                updates.append(gr.LinePlot(visible=False) if styled else gr.skip())
            elif styled:
                updates.append(gr.LinePlot(**value, **_style(task.charts[number], task.unit)))
            else:
                updates.append(gr.LinePlot(**value) if value["value"] is not None else gr.skip())
        return updates

    def _points(self, snapshot: dict[str, Any], task: Task | None) -> list[dict[str, Any]]:
        series = snapshot.get("series") or {}
        found: list[dict[str, Any]] = []
        for number, plot in enumerate(self.plots):
            chart = task.charts[number] if task and number < len(task.charts) else None
            drawn = run_html.drawn(chart, series) if chart else []
            if chart is None or not drawn:
                # A plot without points has no title of its own: the frame says what it waits for.
                found.append({"value": None, "show_label": True})
                continue
            data = plot.postprocess(run_html.table(chart, series))
            named = drawn if len(chart.series) > 1 else []
            found.append({"value": data.model_dump(), "colors_in_legend": named, "show_label": False})
        return found

    def _yaml(self, snapshot: dict[str, Any]) -> str:
        try:
            return self.shell.service.yaml(snapshot["spec"])
        except UserError as error:
            # A run of a task that is no longer installed can be looked at, not written down anew.
            return f"# {error.message}"


def _style(chart: Any, unit: str) -> dict[str, Any]:
    # A colour for a single one too: Gradio's own is the same dark one in both modes.
    return {
        "x": "step",
        "y": "value",
        "color": "series",
        "color_map": dict(zip(chart.series.values(), SERIES_COLOURS, strict=False)),
        "title": chart.title,
        "label": chart.title,
        "x_title": unit,
        "y_title": chart.unit or " ",
        "visible": True,
    }
