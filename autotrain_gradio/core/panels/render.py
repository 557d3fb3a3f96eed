"""Panels as HTML and as text, by the module of their kind."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from autotrain_gradio.core.panels.kinds import KINDS
from autotrain_gradio.core.panels.panel import Panel, RenderContext, panel_id

DEFAULT = RenderContext()


def render_html(panel: Panel, context: RenderContext = DEFAULT) -> str:
    """Return a panel as a `<section>` with its title and note. The body is a note if the kind is not installed."""
    kind, title, note = str(panel.get("kind")), str(panel.get("title") or ""), str(panel.get("note") or "")
    module = _module(kind)
    body = f"<p class='at-note'>{escape(_unknown(kind))}</p>" if module is None else module.html(panel, context)
    head = f"<h3>{escape(title)}</h3>" if title else ""
    foot = f'<p class="at-note">{escape(note)}</p>' if note else ""
    return (
        f'<section class="at-panel at-panel-{escape(kind)}" data-panel="{escape(panel_id(panel), quote=True)}">'
        f"{head}{body}{foot}</section>"
    )


def render_all_html(panels: Iterable[Panel], context: RenderContext = DEFAULT) -> str:
    """Return panels as HTML, one below the other."""
    return "".join(render_html(panel, context) for panel in panels)


def render_text(panel: Panel, context: RenderContext = DEFAULT) -> str:
    """Return a panel as text: its title, its body and its note."""
    kind, note = str(panel.get("kind")), str(panel.get("note") or "")
    module = _module(kind)
    body = f"  {_unknown(kind)}" if module is None else module.text(panel, context)
    return "\n".join(part for part in (str(panel.get("title") or ""), body, f"  {note}" if note else "") if part)


def render_summary(panel: Panel) -> str:
    """Return a panel in one line; "" if its kind has no `summary`."""
    module = _module(str(panel.get("kind")))
    return str(module.summary(panel)) if module is not None and hasattr(module, "summary") else ""


def _module(kind: str) -> Any | None:
    return KINDS.get(kind).load() if kind in KINDS else None


def _unknown(kind: str) -> str:
    return f"Panels of the kind '{kind}' cannot be shown: the package that provides this kind is not installed."
