"""A small line chart as inline SVG: for reports, which have no script to draw with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

SERIES_COLOURS = ("#0f766e", "#c2570c", "#4f46e5", "#a21caf", "#4d7c0f", "#0369a1")
"""Colours of series, in order: told apart by the colour-blind, and dark enough on white and on black."""

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 240, 56, 30, 10


def line_chart(series: Mapping[str, Sequence[Sequence[float | None]]], *, x: str = "", title: str = "chart") -> str:
    """Draw name → points (x, y); points without a finite y are left out."""
    kept = {
        name: [
            (float(p[0]), float(p[1])) for p in points if p[0] is not None and p[1] is not None and math.isfinite(p[1])
        ]
        for name, points in series.items()
    }
    everything = [point for points in kept.values() for point in points]
    if not everything:
        return '<p class="at-note">Nothing was measured.</p>'
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
    for number, points in enumerate(kept.values()):
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


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low == high:
        margin = abs(low) * 0.1 or 1.0
        return low - margin, high + margin
    return low, high
