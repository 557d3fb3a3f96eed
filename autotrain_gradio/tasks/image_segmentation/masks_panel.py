"""The panel kind `masks`: images with coloured masks drawn over them, and the names of the colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from autotrain_gradio.core.panels import Panel, RenderContext, new_panel
from autotrain_gradio.core.panels.text_table import more_lines
from autotrain_gradio.tasks.image_segmentation.colours import TRANSPARENT, colours_of

KIND = "masks"
LEGEND = 40
"""Classes that the legend names."""


def masks_panel(
    title: str, items: Sequence[Mapping[str, Any]], names: Sequence[str], *, note: str = "", id: str = ""
) -> Panel:
    """Return images with masks.

    items: each has `file`, `width` and `height` (of the file), `layers`, and may have a `caption`. A layer is a mask:
    `title`, `file` (a PNG with transparency, see `overlays`) and `classes`, the names of those in it. names: of all
    classes, whose order decides their colours.
    """
    shown = {c for item in items for layer in item["layers"] for c in layer["classes"]}
    pairs = zip(names, colours_of(names), strict=True)
    legend = [{"name": n, "colour": c} for n, c in pairs if n in shown]
    return new_panel(KIND, title, id=id, note=note, items=[dict(i) for i in items], legend=legend)


def html(panel: Panel, context: RenderContext) -> str:
    """Return a legend, and for each image a figure of every mask: the image, and the mask over it."""
    figures = "".join(_figures(item, context) for item in panel["items"])
    several = any(len(item["layers"]) > 1 for item in panel["items"])
    return f"{_legend(panel)}<div class='at-gallery at-masks{' at-mask-sets' if several else ''}'>{figures}</div>"


def _legend(panel: Panel) -> str:
    entries, more = panel["legend"][:LEGEND], len(panel["legend"]) - LEGEND
    if not entries:
        return ""
    rest = f"<li>{more:,} more</li>" if more > 0 else ""
    return f"<ul class='at-mask-legend'>{''.join(map(_entry, entries))}{rest}</ul>"


def _entry(entry: Mapping[str, Any]) -> str:
    clear = entry["colour"] == TRANSPARENT
    style = "border:1px dashed currentColor" if clear else f"background:{escape(str(entry['colour']), quote=True)}"
    return f"<li><i style='{style}'></i>{escape(str(entry['name']))}</li>"


def _figures(item: Mapping[str, Any], context: RenderContext) -> str:
    photo = escape(context.link(str(item["file"])), quote=True)
    made = []
    for layer in item["layers"]:
        over = escape(context.link(str(layer["file"])), quote=True)
        size = f"width='{float(item['width']):g}' height='{float(item['height']):g}'"
        names = escape(_described(layer), quote=True)
        words = str(item.get("caption") or "") if layer is item["layers"][0] else ""
        caption = escape(" · ".join(filter(None, (words, str(layer["title"])))))
        drawing = (
            f"<svg viewBox='0 0 {float(item['width']):g} {float(item['height']):g}' role='img' aria-label='{names}' "
            f"style='width:100%;height:auto'><title>{names}</title><image href='{photo}' {size} "
            f"preserveAspectRatio='none'/><image href='{over}' {size} preserveAspectRatio='none' "
            "style='image-rendering:pixelated'/></svg>"
        )
        made.append(f"<figure>{drawing}<figcaption>{caption}</figcaption></figure>")
    return f"<div class='at-mask-set'>{''.join(made)}</div>" if len(made) > 1 else made[0]


def _described(layer: Mapping[str, Any]) -> str:
    """Return the title of a mask and its classes."""
    return f"{layer['title']}: {', '.join(layer['classes'])}" if layer["classes"] else str(layer["title"])


def text(panel: Panel, context: RenderContext) -> str:
    """Return each image with the classes of its masks: `1.jpg: predicted: cat, road`."""
    lines = []
    for item in panel["items"][: context.rows]:
        layers = [_described(layer) for layer in item["layers"]]
        lines.append(f"  {item['file']}: {'; '.join(layers)}")
    return "\n".join(lines) + more_lines(len(panel["items"]), context.rows)


def summary(panel: Panel) -> str:
    """Return the classes of the last mask of the first image: `cat, road`."""
    layers = panel["items"][0]["layers"] if panel["items"] else []
    return ", ".join(layers[-1]["classes"]) if layers else "no image"
