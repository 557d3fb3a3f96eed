"""Panels as HTML: for the page, and for a report that stands alone.

Everything that comes from a panel is escaped, whatever it holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt

from autotrain_gradio.core.panels import Panel, unit_of
from autotrain_gradio.ui import sounds
from autotrain_gradio.ui.chart_svg import SERIES_COLOURS, line_chart, scatter_chart

Link = Callable[[str], str]
"""A file of the run, by its relative path → the URL that an <img> gets."""

MATRIX_SHOWN = 60
"""A larger matrix is cut to its first classes: a browser cannot draw a million cells."""
TABLE_SHOWN = 500
LONG_TEXT = 40
"""Characters from which on the name of a row is a text to be read, and not set in bold."""
LONG = " class='at-long' dir='auto'"
BARS_SHOWN = 60

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


def to_html(panels: Sequence[Panel], link: Link) -> str:
    """Draw panels one below the other."""
    return "".join(_section(panel, link) for panel in panels)


def figure(value: Any) -> str:
    """Write a number so that a person can read it: 0.9333, 1,234, 5.0e-05; other values as text."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e15:
            return f"{int(value):,}"
        if abs(value) >= 1e-3:
            return f"{value:,.4g}"
        return f"{value:.2g}" if abs(value) >= 1e-4 else f"{value:.1e}"
    return str(value)


def _section(panel: Panel, link: Link) -> str:
    draw = _DRAW.get(str(panel.get("kind")))
    title, note = str(panel.get("title") or ""), str(panel.get("note") or "")
    head = f"<h3>{escape(title)}</h3>" if title else ""
    foot = f'<p class="at-note">{escape(note)}</p>' if note else ""
    if draw is None:
        body = f'<p class="at-note">This page cannot draw a panel of the kind "{escape(str(panel.get("kind")))}".</p>'
    else:
        body = draw(panel, link)
    return f'<section class="at-panel at-panel-{escape(str(panel.get("kind")))}">{head}{body}{foot}</section>'


def _numbers(panel: Panel, link: Link) -> str:
    items = "".join(
        f"<div><dt>{escape(str(i['label']))}</dt><dd>{escape(figure(i['value']))}</dd></div>" for i in panel["items"]
    )
    return f'<dl class="at-numbers">{items}</dl>'


def _bars(panel: Panel, link: Link) -> str:
    labels, series = panel["labels"], panel["series"]
    sums = [sum(float(values[i] or 0) for values in series.values()) for i in range(len(labels))]
    most = max(sums, default=0) or 1
    names = list(series)
    rows = []
    for i, label in enumerate(labels[:BARS_SHOWN]):
        parts = "".join(
            f'<i class="at-c{n % len(SERIES_COLOURS)}" style="width:{100 * float(series[name][i] or 0) / most:.2f}%"'
            f' title="{escape(name)}: {escape(figure(series[name][i]))}"></i>'
            for n, name in enumerate(names)
        )
        value = escape(f"{figure(sums[i])} {unit_of(panel, sums[i])}".rstrip())
        told = ", ".join(f"{name} {figure(series[name][i])}" for name in names) if len(names) > 1 else ""
        extra = f'<span class="at-sr"> ({escape(told)})</span>' if told else ""
        rows.append(
            f"<tr><th scope='row' title='{escape(str(label), quote=True)}'>{escape(str(label))}</th>"
            f"<td><span class='at-bar' aria-hidden='true'>{parts}</span></td>"
            f"<td>{value}{extra}</td></tr>"
        )
    more = len(labels) - BARS_SHOWN
    tail = f'<p class="at-note">and {more:,} more</p>' if more > 0 else ""
    return (
        f"{_legend(names) if len(names) > 1 else ''}<table class='at-bars'><tbody>{''.join(rows)}</tbody></table>{tail}"
    )


def _lines(panel: Panel, link: Link) -> str:
    names = list(panel["series"])
    drawn = line_chart(panel["series"], x=str(panel.get("x") or ""), title=str(panel.get("title") or "chart"))
    return f"{_legend(names) if len(names) > 1 else ''}{drawn}"


def _scatter(panel: Panel, link: Link) -> str:
    title = str(panel.get("title") or "chart")
    return scatter_chart(panel["points"], x=str(panel["x"]), y=str(panel["y"]), line=str(panel["line"]), title=title)


def _matrix(panel: Panel, link: Link) -> str:
    labels, values = panel["labels"], panel["values"]
    shown = labels[:MATRIX_SHOWN]
    head = "".join(f"<th scope='col'><span>{escape(str(label))}</span></th>" for label in shown)
    rows = []
    for i, label in enumerate(shown):
        total = sum(values[i]) or 1
        cells = "".join(
            f"<td class='{'at-hit' if i == j else 'at-miss'}{' at-zero' if not values[i][j] else ''}'"
            f" style='--share:{values[i][j] / total:.3f}'>{values[i][j]:,}</td>"
            for j in range(len(shown))
        )
        rows.append(f"<tr><th scope='row'>{escape(str(label))}</th>{cells}</tr>")
    more = len(labels) - len(shown)
    tail = f"<p class='at-note'>The first {len(shown)} of {len(labels):,} classes.</p>" if more > 0 else ""
    return (
        f"<div class='at-scroll' tabindex='0' role='region' aria-label='{escape(str(panel.get('title')), quote=True)}'>"
        "<table class='at-matrix'>"
        f"<caption>Rows: {escape(str(panel['rows']))}. Columns: {escape(str(panel['columns']))}.</caption>"
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>{tail}"
    )


def _table(panel: Panel, link: Link) -> str:
    if not panel["rows"]:
        return "" if panel.get("note") else "<p class='at-note'>None.</p>"
    first = panel["rows"][0]
    numeric = [n > 0 and isinstance(cell, int | float) for n, cell in enumerate(first)]
    head = "".join(
        f"<th scope='col'{' class=at-num' if n < len(numeric) and numeric[n] else ''}>{escape(str(c))}</th>"
        for n, c in enumerate(panel["columns"])
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f"<th scope='row'{LONG if len(figure(cell)) > LONG_TEXT else ''}>{escape(figure(cell))}</th>"
            if n == 0
            else f"<td{' class=at-num' if isinstance(cell, int | float) else ''}"
            f" data-name='{escape(str(panel['columns'][n]), quote=True)}'>{escape(figure(cell))}</td>"
            for n, cell in enumerate(row)
        )
        + "</tr>"
        for row in panel["rows"][:TABLE_SHOWN]
    )
    long = any(len(figure(row[0])) > LONG_TEXT for row in panel["rows"][:TABLE_SHOWN] if row)
    more = len(panel["rows"]) - TABLE_SHOWN
    tail = f"<p class='at-note'>and {more:,} more rows</p>" if more > 0 else ""
    return (
        f"<div class='at-scroll' tabindex='0' role='region' aria-label='{escape(str(panel.get('title')), quote=True)}'>"
        f"<table class='at-table{' at-of-texts' if long else ''}'>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{tail}"
    )


def _gallery(panel: Panel, link: Link) -> str:
    groups: dict[str, list[dict[str, Any]]] = {}
    for item in panel["items"]:
        groups.setdefault(str(item.get("group") or ""), []).append(item)
    return "".join(_group(name, items, link) for name, items in groups.items())


def _group(name: str, items: Sequence[dict[str, Any]], link: Link) -> str:
    figures = []
    heard = [item for item in items if sounds.is_sound(str(item["file"]))]
    for item in (i for i in items if i not in heard):
        caption, tone = str(item.get("caption") or ""), item.get("tone")
        mark = {"good": ("at-good", "✓ "), "bad": ("at-bad", "✗ ")}.get(str(tone), ("", ""))
        text = f"<figcaption>{mark[1]}{escape(caption)}</figcaption>" if caption else ""
        alt = escape("" if caption else (name or "example"), quote=True)
        url = escape(link(str(item["file"])), quote=True)
        figures.append(
            f"<figure class='{mark[0]}'><img loading='lazy' decoding='async' src='{url}' alt='{alt}'>{text}</figure>"
        )
    head = f"<h4>{escape(name)}</h4>" if name else ""
    seen = f"<div class='at-gallery'>{''.join(figures)}</div>" if figures else ""
    return f"<div class='at-gallery-group'>{head}{seen}{sounds.players(heard, link) if heard else ''}</div>"


def _tokens(panel: Panel, link: Link) -> str:
    items = []
    for item in panel["items"]:
        read = "".join(f"<span>{escape(str(t))}</span> " for t in item["read"])
        cut = "".join(f"<del>{escape(str(t))}</del> " for t in item["cut"])
        more = f"<em>and {item['more']:,} more</em>" if item["more"] else ""
        # Not "auto": the first token is often one of the model's own, in Latin letters.
        side = "rtl" if item.get("rtl") else "ltr"
        items.append(f"<li><b dir='auto'>{escape(str(item['label']))}</b><p dir='{side}'>{read}{cut}{more}</p></li>")
    return f"<ul class='at-tokens'>{''.join(items)}</ul>"


def _prose(panel: Panel, link: Link) -> str:
    return f"<div class='at-prose'>{_markdown.render(str(panel['text']))}</div>"


def _legend(names: Sequence[str]) -> str:
    items = "".join(
        f"<li><i class='at-c{n % len(SERIES_COLOURS)}'></i>{escape(name)}</li>" for n, name in enumerate(names)
    )
    return f"<ul class='at-legend'>{items}</ul>"


_DRAW: dict[str, Callable[[Panel, Link], str]] = {
    "numbers": _numbers,
    "bars": _bars,
    "lines": _lines,
    "scatter": _scatter,
    "matrix": _matrix,
    "table": _table,
    "gallery": _gallery,
    "transcripts": sounds.transcripts,
    "tokens": _tokens,
    "markdown": _prose,
}
