"""The panel kind `boxes`: images with boxes drawn over them, annotated and predicted ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from autotrain_gradio.core.panels import Panel, RenderContext, new_panel
from autotrain_gradio.core.panels.text_table import more_lines
from autotrain_gradio.core.text_format import pluralize

KIND = "boxes"
COLOURS = 6
"""Number of colours of the page's palette (`--at-c0` …)."""
MOST_BOXES = 200
"""Boxes of an image that are drawn."""


LEAST_SHOWN = 0.05
"""Least score that the slider of the threshold can be set to."""


def boxes_panel(
    title: str,
    items: Sequence[Mapping[str, Any]],
    *,
    note: str = "",
    id: str = "",
    threshold: float | None = None,
) -> Panel:
    """Return images with boxes.

    items: each has `file`, `width` and `height` (the size that the boxes refer to, in pixels) and `boxes`, and may have
    a `caption`. A box has `box` (left, top, right, bottom), `label`, and perhaps `score` (a predicted one) or `true`
    (an annotated one beside predicted ones: it is dashed).
    threshold: score from which predicted boxes are shown at first; a slider changes it. None: all, without a slider.
    """
    labels = sorted({str(b["label"]) for item in items for b in item["boxes"]})
    panel = new_panel(KIND, title, id=id, note=note, items=[dict(i) for i in items], labels=labels)
    return panel if threshold is None else {**panel, "threshold": threshold}


def html(panel: Panel, context: RenderContext) -> str:
    """Return a figure for each image: the image, and the boxes as an SVG over it; and the slider of the threshold."""
    colours, threshold = {label: n % COLOURS for n, label in enumerate(panel["labels"])}, _threshold(panel)
    figures = "".join(_figure(item, colours, threshold, context) for item in panel["items"])
    slider = _slider(panel, threshold) if "threshold" in panel else ""
    single = " at-single" if len(panel["items"]) == 1 else ""
    return f"<div class='at-boxes'>{slider}<div class='at-gallery at-box-images{single}'>{figures}</div></div>"


def _threshold(panel: Panel) -> float:
    return float(panel.get("threshold") or 0.0)


def _slider(panel: Panel, threshold: float) -> str:
    """Return a slider; page.js shows the boxes with at least its score. Nothing is predicted again."""
    least = min(LEAST_SHOWN, threshold)
    scores = [b["score"] for item in panel["items"] for b in item["boxes"] if b.get("score") is not None]
    shown = f"{sum(s >= threshold for s in scores):,} of {pluralize(len(scores), 'box', 'boxes')}"
    return (
        f"<label class='at-box-threshold'><span>Confidence threshold</span><input type='range' min='{least:g}' max='1' "
        f"step='0.01' value='{threshold:g}'><output>{threshold:.2f}</output><small>{shown}</small></label>"
    )


def _figure(item: Mapping[str, Any], colours: Mapping[str, int], threshold: float, context: RenderContext) -> str:
    width, height = float(item["width"]), float(item["height"])
    boxes = item["boxes"][:MOST_BOXES]
    shapes = "".join(_shape(b, colours, max(width, height), threshold) for b in boxes)
    url = escape(context.link(str(item["file"])), quote=True)
    caption = escape(str(item.get("caption") or ""))
    names = escape(", ".join(_described(b) for b in boxes if _is_shown(b, threshold)) or "no boxes", quote=True)
    drawing = (
        f"<svg viewBox='0 0 {width:g} {height:g}' role='img' aria-label='{names}' style='width:100%;height:auto'>"
        f"<image href='{url}' width='{width:g}' height='{height:g}' preserveAspectRatio='none'/>{shapes}</svg>"
    )
    return f"<figure>{drawing}<figcaption>{caption}</figcaption></figure>"


def _is_shown(box: Mapping[str, Any], threshold: float) -> bool:
    return box.get("score") is None or box["score"] >= threshold


def _shape(box: Mapping[str, Any], colours: Mapping[str, int], side: float, threshold: float) -> str:
    left, top, right, bottom = (float(v) for v in box["box"])
    colour, line = f"var(--at-c{colours[str(box['label'])]})", side / 150
    dashes = f" stroke-dasharray='{3 * line:g} {2 * line:g}'" if box.get("true") else ""
    size = side / 22
    place = top - line if top > size else top + size
    score = "" if box.get("score") is None else f" data-score='{box['score']:.4f}'"
    hidden = "" if _is_shown(box, threshold) else " style='display:none'"
    return (
        f"<g{score}{hidden}><rect x='{left:g}' y='{top:g}' width='{right - left:g}' height='{bottom - top:g}' "
        f"fill='none' style='stroke:{colour}' stroke-width='{line:g}'{dashes}><title>{escape(_described(box))}</title>"
        f"</rect><text x='{left:g}' y='{place:g}' font-size='{size:g}' style='fill:{colour};paint-order:stroke' "
        f"stroke='#fff' stroke-width='{line:g}'>{escape('' if box.get('true') else _described(box))}</text></g>"
    )


def _described(box: Mapping[str, Any]) -> str:
    """Return the class of a box, with its score or that it is annotated."""
    score = f" {box['score']:.2f}" if box.get("score") is not None else ""
    return f"{box['label']}{score}" + (" (annotated)" if box.get("true") else "")


def text(panel: Panel, context: RenderContext) -> str:
    """Return each image with its boxes: `1.jpg: cat 0.93 (10, 20, 110, 70)`."""
    lines, threshold = [], _threshold(panel)
    for item in panel["items"][: context.rows]:
        shown = [b for b in item["boxes"] if _is_shown(b, threshold)]
        boxes = [f"{_described(b)} ({', '.join(f'{v:.0f}' for v in b['box'])})" for b in shown]
        lines.append(f"  {item['file']}: {', '.join(boxes) or 'no boxes'}")
    return "\n".join(lines) + more_lines(len(panel["items"]), context.rows)


def summary(panel: Panel) -> str:
    """Return the boxes of the first image: `cat 0.93, dog 0.71`."""
    boxes = [b for b in panel["items"][0]["boxes"] if _is_shown(b, _threshold(panel))] if panel["items"] else []
    return ", ".join(_described(b) for b in boxes) or "no objects"
