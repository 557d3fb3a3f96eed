"""Scatter plot of points (x, y)."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from autotrain_gradio.core.panels.chart_svg import finite_points, scatter_chart
from autotrain_gradio.core.panels.panel import Panel, RenderContext, new_panel
from autotrain_gradio.core.panels.text_table import text_table


def scatter(
    title: str,
    points: Sequence[tuple[float, float]],
    *,
    x: str,
    y: str,
    line: str = "",
    note: str = "",
    id: str = "",
) -> Panel:
    """Return a scatter plot. x, y: titles of the axes. line: `diagonal` (x equals y), `zero` (y is 0), or none."""
    if line not in ("", "diagonal", "zero"):
        raise ValueError(f"there is no line {line!r}")
    return new_panel("scatter", title, id=id, note=note, x=x, y=y, line=line, points=[list(p) for p in points])


def html(panel: Panel, context: RenderContext) -> str:
    """Return the plot as SVG."""
    title = str(panel.get("title") or "chart")
    return scatter_chart(panel["points"], x=str(panel["x"]), y=str(panel["y"]), line=str(panel["line"]), title=title)


def text(panel: Panel, context: RenderContext) -> str:
    """Return the ranges and the correlation: a terminal cannot draw points."""
    points = finite_points(panel["points"])
    if not points:
        return "  No points to plot."
    rows = [
        [name, min(v), statistics.fmean(v), max(v)]
        for name, v in zip((panel["x"], panel["y"]), zip(*points, strict=True), strict=True)
    ]
    body = text_table(["", "lowest", "mean", "highest"], rows, indent="  ")
    if len({a for a, _ in points}) < 2 or len({b for _, b in points}) < 2:
        return body
    return f"{body}\n  correlation {statistics.correlation(*zip(*points, strict=True)):.3f}, {len(points):,} points"
