"""Texts that belong together, below each other: a prompt, the answers of two models, the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from autotrain_gradio.core.panels.folded_list import folded_list
from autotrain_gradio.core.panels.panel import Panel, RenderContext, new_panel
from autotrain_gradio.core.panels.text_table import cell_text, more_lines

EMPTY = "<span class='at-quiet'>(empty)</span>"


def comparisons(title: str, items: Sequence[Mapping[str, Any]], *, note: str = "", id: str = "") -> Panel:
    """Return texts to compare.

    items: each has `lines`, pairs of a title and a text, and may have a `caption` (a short line).
    """
    made = [{**item, "lines": [[str(name), str(value)] for name, value in item["lines"]]} for item in items]
    return new_panel("comparisons", title, id=id, note=note, items=made)


def html(panel: Panel, context: RenderContext) -> str:
    """Return a list of cards; a long text scrolls inside its card."""
    if not panel["items"]:
        return "" if panel.get("note") else "<p class='at-note'>None.</p>"
    return folded_list("at-transcripts at-comparisons", [_card(item) for item in panel["items"]])


def _card(item: Mapping[str, Any]) -> str:
    lines = "".join(
        f"<dt>{escape(title)}</dt><dd dir='auto'>{escape(text) if text.strip() else EMPTY}</dd>"
        for title, text in item["lines"]
    )
    caption = f"<p class='at-detail'><bdi>{escape(str(item['caption']))}</bdi></p>" if item.get("caption") else ""
    return f"<li><dl>{lines}</dl>{caption}</li>"


def text(panel: Panel, context: RenderContext) -> str:
    """Return each text on a line behind its title, and an empty line between the items."""
    blocks = []
    for item in panel["items"][: context.rows]:
        lines = [f"  {title}: {cell_text(value)}" for title, value in item["lines"]]
        blocks.append("\n".join([*lines, *([f"  {cell_text(item['caption'])}"] if item.get("caption") else [])]))
    return "\n\n".join(blocks) + more_lines(len(panel["items"]), context.rows)
