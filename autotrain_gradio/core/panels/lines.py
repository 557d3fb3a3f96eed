"""Line chart: name → points (x, y)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autotrain_gradio.core.panels.chart_svg import finite_points, legend, line_chart
from autotrain_gradio.core.panels.panel import Panel, RenderContext, new_panel
from autotrain_gradio.core.panels.text_table import text_table


def lines(
    title: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    x: str = "step",
    y: str = "",
    note: str = "",
    id: str = "",
) -> Panel:
    """Return a line chart. x, y: titles of the axes."""
    points = {k: [list(p) for p in v] for k, v in series.items()}
    return new_panel("lines", title, id=id, note=note, x=x, y=y, series=points)


def html(panel: Panel, context: RenderContext) -> str:
    """Return the chart as SVG, with a legend when it has several series."""
    names = list(panel["series"])
    chart = line_chart(panel["series"], x=str(panel.get("x") or ""), title=str(panel.get("title") or "chart"))
    return f"{legend(names) if len(names) > 1 else ''}{chart}"


def text(panel: Panel, context: RenderContext) -> str:
    """Return first, last, lowest and highest value of each series; points without a value are skipped."""
    rows = [
        [name, points[0][1], points[-1][1], min(p[1] for p in points), max(p[1] for p in points)]
        for name, series in panel["series"].items()
        if (points := finite_points(series))
    ]
    return text_table(["", "first", "last", "lowest", "highest"], rows, indent="  ")
