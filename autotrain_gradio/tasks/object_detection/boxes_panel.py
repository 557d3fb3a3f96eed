"""The panel kind `boxes`: images with boxes drawn over them, annotated and predicted ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from autotrain_gradio.core.panels import Panel, RenderContext, new_panel
from autotrain_gradio.core.panels.text_table import more_lines

KIND = "boxes"
COLOURS = 6
"""Number of colours of the page's palette (`--at-c0` …)."""
MOST_BOXES = 200
"""Boxes of an image that are drawn."""


def boxes_panel(title: str, items: Sequence[Mapping[str, Any]], *, note: str = "", id: str = "") -> Panel:
    """Return images with boxes.

    items: each has `file`, `width` and `height` (the size that the boxes refer to, in pixels) and `boxes`, and may have
    a `caption`. A box has `box` (left, top, right, bottom), `label`, and perhaps `score` (a predicted one) or `true`
    (an annotated one beside predicted ones: it is dashed).
    """
    labels = sorted({str(b["label"]) for item in items for b in item["boxes"]})
    return new_panel(KIND, title, id=id, note=note, items=[dict(i) for i in items], labels=labels)


def html(panel: Panel, context: RenderContext) -> str:
    """Return a figure for each image: the image, and the boxes as an SVG over it."""
    colours = {label: n % COLOURS for n, label in enumerate(panel["labels"])}
    figures = "".join(_figure(item, colours, context) for item in panel["items"])
    return f"<div class='at-gallery at-boxes'>{figures}</div>"


def _figure(item: Mapping[str, Any], colours: Mapping[str, int], context: RenderContext) -> str:
    width, height = float(item["width"]), float(item["height"])
    shapes = "".join(_shape(b, colours, max(width, height)) for b in item["boxes"][:MOST_BOXES])
    url = escape(context.link(str(item["file"])), quote=True)
    caption = escape(str(item.get("caption") or ""))
    names = escape(", ".join(_described(b) for b in item["boxes"][:MOST_BOXES]) or "no boxes", quote=True)
    drawing = (
        f"<svg viewBox='0 0 {width:g} {height:g}' role='img' aria-label='{names}' style='width:100%;height:auto'>"
        f"<image href='{url}' width='{width:g}' height='{height:g}' preserveAspectRatio='none'/>{shapes}</svg>"
    )
    return f"<figure>{drawing}<figcaption>{caption}</figcaption></figure>"


def _shape(box: Mapping[str, Any], colours: Mapping[str, int], side: float) -> str:
    left, top, right, bottom = (float(v) for v in box["box"])
    colour, line = f"var(--at-c{colours[str(box['label'])]})", side / 150
    dashes = f" stroke-dasharray='{3 * line:g} {2 * line:g}'" if box.get("true") else ""
    size = side / 22
    place = top - line if top > size else top + size
    return (
        f"<rect x='{left:g}' y='{top:g}' width='{right - left:g}' height='{bottom - top:g}' fill='none' "
        f"style='stroke:{colour}' stroke-width='{line:g}'{dashes}><title>{escape(_described(box))}</title></rect>"
        f"<text x='{left:g}' y='{place:g}' font-size='{size:g}' style='fill:{colour};paint-order:stroke' "
        f"stroke='#fff' stroke-width='{line:g}'>{escape('' if box.get('true') else _described(box))}</text>"
    )


def _described(box: Mapping[str, Any]) -> str:
    """Return the class of a box, with its score or that it is annotated."""
    score = f" {box['score']:.2f}" if box.get("score") is not None else ""
    return f"{box['label']}{score}" + (" (annotated)" if box.get("true") else "")


def text(panel: Panel, context: RenderContext) -> str:
    """Return each image with its boxes: `1.jpg: cat 0.93 (10, 20, 110, 70)`."""
    lines = []
    for item in panel["items"][: context.rows]:
        boxes = [f"{_described(b)} ({', '.join(f'{v:.0f}' for v in b['box'])})" for b in item["boxes"]]
        lines.append(f"  {item['file']}: {', '.join(boxes) or 'no boxes'}")
    return "\n".join(lines) + more_lines(len(panel["items"]), context.rows)


def summary(panel: Panel) -> str:
    """Return the boxes of the first image: `cat 0.93, dog 0.71`."""
    boxes = panel["items"][0]["boxes"] if panel["items"] else []
    return ", ".join(_described(b) for b in boxes) or "no objects"
