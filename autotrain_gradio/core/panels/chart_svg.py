"""Line charts and scatter plots as inline SVG: reports have no script that could draw them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from autotrain_gradio.core.text_format import is_number

SERIES_COLOURS = ("#0d9488", "#ea580c", "#6366f1", "#c026d3", "#589010", "#0284c7")
"""Colours of series, in order, the same in light and dark mode: each has a contrast of 3 and more on white and on
the dark mode's cards (WCAG 2.2, 1.4.11: graphics)."""

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 240, 56, 30, 10


def finite_points(points: Sequence[Sequence[float | None]]) -> list[tuple[float, float]]:
    """Return the points (x, y) whose two numbers are finite; JSON has null for the others."""
    pairs = ((p[0], p[1]) for p in points)
    return [(float(a), float(b)) for a, b in pairs if is_number(a) and is_number(b)]


def line_chart(series: Mapping[str, Sequence[Sequence[float | None]]], *, x: str = "", title: str = "chart") -> str:
    """Draw name → points (x, y); points without two finite numbers are skipped."""
    finite = {name: finite_points(points) for name, points in series.items()}
    everything = [point for points in finite.values() for point in points]
    if not everything:
        return '<p class="at-note">No values to plot.</p>'
    x_low, x_high = _range([p[0] for p in everything])
    y_low, y_high = _range([p[1] for p in everything])

    def place(point: tuple[float, float]) -> tuple[float, float]:
        across = (point[0] - x_low) / (x_high - x_low)
        up = (point[1] - y_low) / (y_high - y_low)
        return LEFT + across * (WIDTH - LEFT - 10), TOP + (1 - up) * (HEIGHT - TOP - BOTTOM)

    parts = []
    for step in range(5):
        value = y_low + step * (y_high - y_low) / 4
        y = place((x_low, value))[1]
        parts.append(f'<line class="at-grid" x1="{LEFT}" x2="{WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    for value, anchor in ((x_low, "start"), (x_high, "end")):
        at = place((value, y_low))[0]
        parts.append(f'<text x="{at:.1f}" y="{HEIGHT - 10}" text-anchor="{anchor}">{value:,.6g}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x)}</text>')
    for number, points in enumerate(finite.values()):
        where = [place(p) for p in points]
        colour = f"at-s{number % len(SERIES_COLOURS)}"
        if len(where) > 1:
            parts.append(f'<polyline class="{colour}" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in where)}"/>')
        if len(where) < 40:
            parts.extend(f'<circle class="{colour}" cx="{a:.1f}" cy="{b:.1f}" r="2.5"/>' for a, b in where)
    return (
        f'<svg class="at-lines" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title, quote=True)}">'
        f"{''.join(parts)}</svg>"
    )


def scatter_chart(
    points: Sequence[Sequence[float | None]], *, x: str, y: str, line: str = "", title: str = "chart"
) -> str:
    """Draw points (x, y); points without two finite numbers are skipped.

    line: `diagonal` where x equals y, `zero` where y is 0, or none. The line is in range.
    """
    kept = finite_points(points)
    if not kept:
        return '<p class="at-note">No points to plot.</p>'
    x_low, x_high = _range([p[0] for p in kept])
    y_low, y_high = _range([*(p[1] for p in kept), *([0.0] if line == "zero" else [])])
    if line == "diagonal":
        x_low, x_high = y_low, y_high = _range([x_low, x_high, y_low, y_high])
    height, top = HEIGHT + 100, TOP + 14

    def place(across: float, up: float) -> tuple[float, float]:
        return (
            LEFT + (across - x_low) / (x_high - x_low) * (WIDTH - LEFT - 10),
            top + (1 - (up - y_low) / (y_high - y_low)) * (height - top - BOTTOM - 14),
        )

    parts = []
    for value in _ticks(y_low, y_high):
        at = place(x_low, value)[1]
        parts.append(f'<line class="at-grid" x1="{LEFT}" x2="{WIDTH - 10}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{_tick(value)}</text>')
    for value in _ticks(x_low, x_high):
        at = place(value, y_low)[0]
        anchor = "end" if at > WIDTH - 40 else "middle"
        parts.append(f'<text x="{at:.1f}" y="{height - 24}" text-anchor="{anchor}">{_tick(value)}</text>')
    middle = (LEFT + WIDTH) / 2
    parts.append(f'<text x="{middle:.0f}" y="{height - 6}" text-anchor="middle">{escape(x)} →</text>')
    parts.append(f'<text x="{LEFT}" y="{TOP}">↑ {escape(y)}</text>')
    ends = {"diagonal": ((x_low, x_low), (x_high, x_high)), "zero": ((x_low, 0.0), (x_high, 0.0))}.get(line)
    if ends:
        (a, b), (c, d) = place(*ends[0]), place(*ends[1])
        parts.append(
            f'<line class="at-s1" x1="{a:.1f}" y1="{b:.1f}" x2="{c:.1f}" y2="{d:.1f}" stroke-dasharray="6 4"/>'
        )
    size, clear = (3.5, 0.7) if len(kept) <= 200 else (2.5, 0.4)
    dots = "".join(
        f'<circle class="at-s0" cx="{a:.1f}" cy="{b:.1f}" r="{size}"/>' for a, b in (place(*p) for p in kept)
    )
    parts.append(f'<g opacity="{clear}">{dots}</g>')
    return (
        f'<svg class="at-lines" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title, quote=True)}">'
        f"{''.join(parts)}</svg>"
    )


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers between two, four to nine of them."""
    step = 10 ** math.floor(math.log10((high - low) / 4))
    step *= next((m for m in (5, 2) if (high - low) / (step * m) >= 4), 1)
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _tick(value: float) -> str:
    if value and (abs(value) >= 1e6 or abs(value) < 1e-3):
        return f"{value:.2g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low == high:
        margin = abs(low) * 0.1 or 1.0
        return low - margin, high + margin
    return low, high


def legend(names: Sequence[str]) -> str:
    """Return the names of series with their colours."""
    items = "".join(
        f"<li><i class='at-c{n % len(SERIES_COLOURS)}'></i>{escape(name)}</li>" for n, name in enumerate(names)
    )
    return f"<ul class='at-legend'>{items}</ul>"
