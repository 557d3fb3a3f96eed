"""The panel kind `entities`: texts with their entities highlighted, annotated and predicted ones below each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from autotrain_gradio.core.panels import Panel, RenderContext, new_panel
from autotrain_gradio.core.panels.folded_list import folded_list
from autotrain_gradio.core.panels.text_table import cell_text, more_lines

KIND = "entities"
ROWS_SHOWN = 100
COLOURS = 6
"""Number of colours of the page's palette (`--at-c0` …)."""
CONTEXT = 200
"""Characters of a long text that are shown before and after its entities."""
MOST_CHARACTERS = 3000
"""Characters of a text that are shown; entities behind them are not."""


def entities_panel(title: str, items: Sequence[Mapping[str, Any]], *, note: str = "", id: str = "") -> Panel:
    """Return texts with entities.

    items: each has `text` and `lines`, and may have a `caption`. A line has `spans` (`start`, `end`, `label`, perhaps
    `score`, and `wrong`: it is a mistake) and perhaps a `title` (annotated, predicted). Spans must not overlap.
    """
    labels = {str(s["label"]) for item in items for line in item["lines"] for s in line["spans"]}
    return new_panel(KIND, title, id=id, note=note, items=[_shortened(i) for i in items], labels=sorted(labels))


def _shortened(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item with the part of its text around its entities."""
    text = str(item["text"])
    spans = [s for line in item["lines"] for s in line["spans"]]
    first = max(0, min((s["start"] for s in spans), default=0) - CONTEXT)
    last = min(len(text), max((s["end"] for s in spans), default=0) + CONTEXT, first + MOST_CHARACTERS)
    if first:
        first = text.find(" ", first, first + CONTEXT // 2) + 1 or first
    if last < len(text):
        space = text.rfind(" ", max(last - CONTEXT // 2, first), last)
        last = space if space > 0 else last
    before, after = "… " if first else "", " …" if last < len(text) else ""
    move = len(before) - first
    lines = [
        {
            **line,
            "spans": [
                {**s, "start": s["start"] + move, "end": s["end"] + move} for s in line["spans"] if s["end"] <= last
            ],
        }
        for line in item["lines"]
    ]
    return {**item, "text": f"{before}{text[first:last]}{after}", "lines": lines}


def html(panel: Panel, context: RenderContext) -> str:
    """Return a list of texts; an entity is a `<mark>` in the colour of its type, with the name of the type inside."""
    colours = {label: n % COLOURS for n, label in enumerate(panel["labels"])}
    items = []
    for item in panel["items"][:ROWS_SHOWN]:
        caption = f"<p class='at-detail'><bdi>{escape(str(item['caption']))}</bdi></p>" if item.get("caption") else ""
        lines = [
            (str(line.get("title") or ""), _marked(item["text"], line["spans"], colours)) for line in item["lines"]
        ]
        if any(title for title, _ in lines):
            body = "".join(f"<dt>{escape(title)}</dt><dd dir='auto'>{marked}</dd>" for title, marked in lines)
            body = f"<dl>{body}</dl>"
        else:
            body = "".join(f"<p dir='auto'>{marked}</p>" for _, marked in lines)
        items.append(f"<li>{body}{caption}</li>")
    return folded_list("at-entities", items, not_included=len(panel["items"]) - ROWS_SHOWN)


def _marked(text: str, spans: Sequence[Mapping[str, Any]], colours: Mapping[str, int]) -> str:
    parts, place = [], 0
    for span in sorted(spans, key=lambda s: s["start"]):
        style = f"--at-of-type: var(--at-c{colours[str(span['label'])]})"
        score = f" {span['score']:.2f}" if span.get("score") is not None else ""
        wrong = " class='at-wrong'" if span.get("wrong") else ""
        parts.append(escape(text[place : span["start"]]))
        parts.append(
            f"<mark{wrong} style='{style}'><bdi>{escape(text[span['start'] : span['end']])}</bdi>"
            f"<b>{escape(str(span['label']))}{score}</b></mark>"
        )
        place = span["end"]
    return "".join(parts) + escape(text[place:])


def text(panel: Panel, context: RenderContext) -> str:
    """Return each text with its entities in brackets: `[Anna](PER) lives in [Graz](LOC)`."""
    lines = []
    for item in panel["items"][: context.rows]:
        for line in item["lines"]:
            title = f"{line['title']}: " if line.get("title") else ""
            lines.append(f"  {title}{cell_text(_bracketed(item['text'], line['spans']))}")
        if item.get("caption"):
            lines.append(f"    {cell_text(item['caption'])}")
    return "\n".join(lines) + more_lines(len(panel["items"]), context.rows)


def _bracketed(text: str, spans: Sequence[Mapping[str, Any]]) -> str:
    parts, place = [], 0
    for span in sorted(spans, key=lambda s: s["start"]):
        score = f" {span['score']:.2f}" if span.get("score") is not None else ""
        inside = f"[{text[span['start'] : span['end']]}]({span['label']}{score})"
        parts.append(f"{text[place : span['start']]}{inside}{' ✗' if span.get('wrong') else ''}")
        place = span["end"]
    return "".join(parts) + text[place:]


def summary(panel: Panel) -> str:
    """Return the entities of the first text: `Anna (PER), Graz (LOC)`."""
    if not panel["items"]:
        return ""
    item = panel["items"][0]
    spans = item["lines"][-1]["spans"]
    shown = [f"{' '.join(item['text'][s['start'] : s['end']].split())} ({s['label']})" for s in spans]
    return ", ".join(shown) or "no entities"
