"""A generated text, such as a transcript, optionally in segments with timestamps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from autotrain_gradio.core.panels.panel import Panel, RenderContext, new_panel


def text_block(
    title: str,
    text: str,
    *,
    segments: Sequence[Mapping[str, Any]] = (),
    empty: str = "(empty)",
    note: str = "",
    id: str = "",
) -> Panel:
    """Return a text. It is escaped, never rendered.

    segments: `{"start", "end", "text"}`, times in seconds. empty: shown in place of a text without characters.
    """
    fields = {"text": text, "segments": [dict(s) for s in segments], "empty": empty}
    return new_panel("text", title, id=id, note=note, **fields)


def html(panel: Panel, context: RenderContext) -> str:
    """Return the text, and its segments where there are several."""
    body = str(panel["text"]).strip()
    head = (
        f"<p class='at-generated-text' dir='auto'>{escape(body)}</p>"
        if body
        else f"<p class='at-quiet'>{escape(str(panel['empty']))}</p>"
    )
    segments = panel.get("segments") or []
    rows = "".join(
        f"<li><span>{clock(s['start'])}–{clock(s['end'])}</span><b dir='auto'>{escape(str(s['text']))}</b></li>"
        for s in segments
    )
    parts = f"<ol class='at-segments'>{rows}</ol>" if len(segments) > 1 else ""
    return f"<div class='at-answer'>{head}{parts}</div>"


def text(panel: Panel, context: RenderContext) -> str:
    """Return the text, or its segments with their times."""
    segments = panel.get("segments") or []
    if len(segments) > 1:
        return "\n".join(f"  {clock(s['start'])}–{clock(s['end'])}  {str(s['text']).strip()}" for s in segments)
    return "\n".join(f"  {line}" for line in (str(panel["text"]).strip() or str(panel["empty"])).splitlines())


def summary(panel: Panel) -> str:
    """Return the text on one line."""
    return " ".join(str(panel["text"]).split()) or str(panel["empty"])


def clock(seconds: float) -> str:
    """Return a time in a recording: 0:04.2, 1:02:05."""
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{whole // 60}:{seconds % 60:04.1f}"
