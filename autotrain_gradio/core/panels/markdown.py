"""Prose in Markdown."""

from __future__ import annotations

from autotrain_gradio.core.panels.panel import Panel, RenderContext, new_panel


def markdown(source: str, *, title: str = "", note: str = "", id: str = "") -> Panel:
    """Return prose. Only for text of the program: Markdown of users or of their data would be rendered."""
    return new_panel("markdown", title, id=id, note=note, text=source)


def html(panel: Panel, context: RenderContext) -> str:
    """Return the Markdown rendered, with raw HTML escaped."""
    from markdown_it import MarkdownIt

    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    return f"<div class='at-prose'>{renderer.render(str(panel['text']))}</div>"


def text(panel: Panel, context: RenderContext) -> str:
    """Return the Markdown source."""
    return str(panel["text"])
