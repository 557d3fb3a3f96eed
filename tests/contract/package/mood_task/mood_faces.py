"""The panel kind `mood-faces`: a face for each mood, and its share."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from autotrain_gradio.core.panels import Panel, RenderContext, new_panel

FACES = {"glad": "\N{GRINNING FACE}", "sad": "\N{CRYING FACE}"}


def mood_faces(title: str, shares: Mapping[str, float]) -> Panel:
    """Return a panel of shares (mood → 0 to 1), the largest first."""
    items = [{"mood": m, "share": s} for m, s in sorted(shares.items(), key=lambda item: -item[1])]
    return new_panel("mood-faces", title, items=items)


def html(panel: Panel, context: RenderContext) -> str:
    """Return a list of faces."""
    faces = "".join(f"<li>{FACES.get(i['mood'], '')} {escape(i['mood'])} {i['share']:.0%}</li>" for i in panel["items"])
    return f"<ul class='mood-faces'>{faces}</ul>"


def text(panel: Panel, context: RenderContext) -> str:
    """Return one line for each mood."""
    return "\n".join(f"  {FACES.get(i['mood'], ' ')} {i['mood']} {i['share']:.0%}" for i in panel["items"])


def summary(panel: Panel) -> str:
    """Return the most likely mood."""
    best = panel["items"][0]
    return f"{FACES.get(best['mood'], '')} {best['mood']} {best['share']:.0%}".strip()
