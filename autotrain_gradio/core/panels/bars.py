"""Horizontal bar chart, stacked when it has several series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from autotrain_gradio.core.panels.chart_svg import SERIES_COLOURS, legend
from autotrain_gradio.core.panels.panel import Panel, RenderContext, new_panel, unit_for
from autotrain_gradio.core.panels.text_table import cell_text, more_lines
from autotrain_gradio.core.text_format import format_value, is_number

BARS_SHOWN = 60
LABEL_CHARACTERS = 40
"""Characters of a bar's label that text shows."""
BAR_CHARACTERS = 24


def bars(
    title: str,
    labels: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    unit: str = "",
    note: str = "",
    id: str = "",
) -> Panel:
    """Return a bar chart: one bar for each label, one segment for each series (each as long as `labels`)."""
    for name, values in series.items():
        if len(values) != len(labels):
            raise ValueError(f"series {name!r} has {len(values)} values for {len(labels)} labels")
    fields = {"unit": unit, "labels": list(labels), "series": {k: list(v) for k, v in series.items()}}
    return new_panel("bars", title, id=id, note=note, **fields)


def html(panel: Panel, context: RenderContext) -> str:
    """Return a table of labels, bars and totals."""
    labels, series = panel["labels"], panel["series"]
    totals = _totals(panel)
    largest = max(totals, default=0) or 1
    names = list(series)
    rows = []
    for i, label in enumerate(labels[:BARS_SHOWN]):
        segments = "".join(
            f'<i class="at-c{n % len(SERIES_COLOURS)}" style="width:{100 * _length(series[name][i]) / largest:.2f}%"'
            f' title="{escape(name)}: {escape(format_value(series[name][i]))}"></i>'
            for n, name in enumerate(names)
        )
        value = escape(f"{format_value(totals[i])} {unit_for(panel, totals[i])}".rstrip())
        each = ", ".join(f"{name} {format_value(series[name][i])}" for name in names) if len(names) > 1 else ""
        extra = f'<span class="at-sr"> ({escape(each)})</span>' if each else ""
        rows.append(
            f"<tr><th scope='row' title='{escape(str(label), quote=True)}'>{escape(str(label))}</th>"
            f"<td><span class='at-bar' aria-hidden='true'>{segments}</span></td>"
            f"<td>{value}{extra}</td></tr>"
        )
    more = len(labels) - BARS_SHOWN
    tail = f'<p class="at-note">and {more:,} more</p>' if more > 0 else ""
    head = legend(names) if len(names) > 1 else ""
    return f"{head}<table class='at-bars'><tbody>{''.join(rows)}</tbody></table>{tail}"


def text(panel: Panel, context: RenderContext) -> str:
    """Return one line for each label: a bar of blocks and its value."""
    series: dict[str, list[float | None]] = panel["series"]
    totals = _totals(panel)
    labels = [
        cell_text(label) if len(label) <= LABEL_CHARACTERS else f"{cell_text(label[:LABEL_CHARACTERS])}…"
        for label in panel["labels"]
    ]
    width, largest = max((len(label) for label in labels), default=0), max(totals, default=0) or 1
    lines = []
    for i, (label, total) in list(enumerate(zip(labels, totals, strict=True)))[: context.rows]:
        each = " + ".join(format_value(values[i]) for values in series.values())
        value = each if len(series) > 1 else cell_text(total)
        bar = "█" * round(BAR_CHARACTERS * total / largest)
        lines.append(f"  {label.ljust(width)}  {bar} {value} {unit_for(panel, total)}".rstrip())
    if len(series) > 1:
        lines.append(f"  ({' + '.join(series)})")
    return "\n".join(lines) + more_lines(len(totals), context.rows)


def _totals(panel: Panel) -> list[float]:
    """Return the total of each label; values that are missing or not finite do not count."""
    return [sum(_length(values[i]) for values in panel["series"].values()) for i in range(len(panel["labels"]))]


def _length(value: float | None) -> float:
    return float(value) if is_number(value) else 0.0
