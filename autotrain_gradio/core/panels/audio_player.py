"""Audio players as HTML. Everything from a panel is escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any

from autotrain_gradio.core.file_types import AUDIO_SUFFIXES

MARKS = {"good": ("at-good", "✓ "), "bad": ("at-bad", "✗ ")}
"""Tone of an item → its class and the sign before its caption."""


def is_audio(file: str) -> bool:
    """Return whether a file of a panel is shown as a player."""
    return file.lower().endswith(AUDIO_SUFFIXES)


def player(file: str, link: Callable[[str], str], label: str) -> str:
    """Return an `<audio>` that loads nothing until it is played."""
    url, name = escape(link(file), quote=True), escape(f"Play: {label}" if label else "Play", quote=True)
    return f"<audio controls preload='none' src='{url}' aria-label='{name}'></audio>"


def players(items: Iterable[Mapping[str, Any]], link: Callable[[str], str]) -> str:
    """Return a list of clips: caption, detail and player of each."""
    drawn = []
    for item in items:
        caption, detail, tone = (str(item.get(k) or "") for k in ("caption", "detail", "tone"))
        mark = MARKS.get(tone, ("", ""))
        head = f"<p class='at-caption' dir='auto'>{mark[1]}{escape(caption)}</p>" if caption else ""
        more = f"<p class='at-detail'><bdi>{escape(detail)}</bdi></p>" if detail else ""
        sound = player(str(item["file"]), link, caption or detail)
        drawn.append(f"<li class='{mark[0]}'>{head}{more}{sound}</li>")
    return f"<ul class='at-players'>{''.join(drawn)}</ul>"
