"""Images and audio clips with captions, in groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from autotrain_gradio.core.panels.audio_player import MARKS, is_audio, players
from autotrain_gradio.core.panels.panel import Panel, RenderContext, new_panel
from autotrain_gradio.core.panels.text_table import more_lines


def gallery(title: str, items: Sequence[Mapping[str, Any]], *, note: str = "", id: str = "") -> Panel:
    """Return a gallery: each item has `file`, and may have `caption`, `group`, `tone` ("good" or "bad").

    A file with an audio extension is shown as a player; its item may have `detail` too, a short line below the caption.
    """
    return new_panel("gallery", title, id=id, note=note, items=[dict(i) for i in items])


def html(panel: Panel, context: RenderContext) -> str:
    """Return figures and players, group by group."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for item in panel["items"]:
        groups.setdefault(str(item.get("group") or ""), []).append(item)
    return "".join(_group(name, items, context) for name, items in groups.items())


def _group(name: str, items: Sequence[dict[str, Any]], context: RenderContext) -> str:
    clips = [item for item in items if is_audio(str(item["file"]))]
    figures = "".join(_figure(item, name, context) for item in items if item not in clips)
    head = f"<h4>{escape(name)}</h4>" if name else ""
    images = f"<div class='at-gallery'>{figures}</div>" if figures else ""
    audio = players(clips, context.link) if clips else ""
    return f"<div class='at-gallery-group'>{head}{images}{audio}</div>"


def _figure(item: Mapping[str, Any], group: str, context: RenderContext) -> str:
    caption = str(item.get("caption") or "")
    mark = MARKS.get(str(item.get("tone")), ("", ""))
    below = f"<figcaption>{mark[1]}{escape(caption)}</figcaption>" if caption else ""
    alt = escape("" if caption else (group or "example"), quote=True)
    url = escape(context.link(str(item["file"])), quote=True)
    return f"<figure class='{mark[0]}'><img loading='lazy' decoding='async' src='{url}' alt='{alt}'>{below}</figure>"


def text(panel: Panel, context: RenderContext) -> str:
    """Return the files with their captions."""
    lines = []
    for item in panel["items"][: context.rows]:
        words = [str(item[k]) for k in ("group", "caption", "detail") if item.get(k)]
        lines.append(f"  {item['file']}" + (f": {' · '.join(words)}" if words else ""))
    return "\n".join(lines) + more_lines(len(panel["items"]), context.rows)
