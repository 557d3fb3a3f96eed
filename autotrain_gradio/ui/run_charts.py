"""The charts of a run: a line plot for each chart that its task declares."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from autotrain_gradio.core.panels.chart_svg import SERIES_COLOURS
from autotrain_gradio.runs import states
from autotrain_gradio.tasks.base import Chart, Task
from autotrain_gradio.ui import run_html
from autotrain_gradio.ui.live_status import PLOT_SECONDS
from autotrain_gradio.ui.page_context import PageContext

CACHED_RUNS = 32


@dataclass(frozen=True)
class _Points:
    """The points of a run's charts at a version of its snapshot, as properties of the plots."""

    created: float = 0.0
    version: int = -1
    plots: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class RunCharts:
    """As many plots as the task with the most charts needs; shared by the runs of all tasks."""

    plots: list[gr.LinePlot]
    _cache: dict[str, _Points] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def build(cls, context: PageContext) -> RunCharts:
        """Create the plots, hidden: two large ones, then smaller ones."""
        count = max((t.most_charts for t in context.service.tasks), default=0)
        plots: list[gr.LinePlot] = []
        for row in (range(min(2, count)), range(2, count)):
            if not row:
                continue
            with gr.Row(elem_classes="at-charts"):
                for number in row:
                    plots.append(
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
        return cls(plots)

    def update(self, run: str, snapshot: Mapping[str, Any], task: Task | None, *, styled: bool) -> list[Any]:
        """Return an update for each plot; the points are computed once for all viewers within a few seconds.

        styled: also set titles and colours, for a viewer who has just opened the run.
        """
        with self._lock:
            points = self._cache.get(run, _Points())
        ended = snapshot["state"] in states.ENDED
        age = time.monotonic() - points.created
        if points.version != snapshot["version"] and (ended or age >= PLOT_SECONDS / 2):
            points = _Points(time.monotonic(), snapshot["version"], self._points(snapshot, task))
            with self._lock:
                self._cache[run] = points
                while len(self._cache) > CACHED_RUNS:
                    del self._cache[next(iter(self._cache))]
        charts = task.charts_with(snapshot.get("series") or {}) if task else ()
        # Charts of metrics that a run reports: their number and their series change while it is active.
        styled = styled or (task is not None and task.charts_of is not None)
        updates = []
        for number, value in enumerate(points.plots):
            if task is None or number >= len(charts):
                updates.append(gr.LinePlot(visible=False) if styled else gr.skip())
            elif styled:
                updates.append(gr.LinePlot(**{**_style(charts[number], task.unit), **value}))
            elif value["value"] is not None or not value["visible"]:
                updates.append(gr.LinePlot(**value))
            else:
                updates.append(gr.skip())
        return updates

    def _points(self, snapshot: Mapping[str, Any], task: Task | None) -> list[dict[str, Any]]:
        series = snapshot.get("series") or {}
        charts = task.charts_with(series) if task else ()
        found: list[dict[str, Any]] = []
        for number, plot in enumerate(self.plots):
            chart = charts[number] if number < len(charts) else None
            present = run_html.series_with_points(chart, series) if chart else []
            if chart is None or not present:
                # A plot without points renders no title of its own: its label shows what it waits for. After the run's
                # end it waits for nothing: the metric is not computed with these parameters.
                waiting = snapshot["state"] not in states.ENDED
                found.append({"value": None, "show_label": True, "visible": waiting})
                continue
            data = plot.postprocess(run_html.chart_table(chart, series))
            legend = present if len(chart.series) > 1 else []
            found.append({"value": data.model_dump(), "colors_in_legend": legend, "show_label": False, "visible": True})
        return found


def _style(chart: Chart, unit: str) -> dict[str, Any]:
    # A colour for a single series, too: Gradio's default has too little contrast in dark mode.
    return {
        "x": "step",
        "y": "value",
        "color": "series",
        "color_map": dict(zip(chart.series.values(), SERIES_COLOURS, strict=False)),
        "title": chart.title,
        "label": chart.title,
        "x_title": unit,
        "y_title": chart.unit or " ",
    }
