"""Texts split into tokens, with the truncated ones marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from autotrain_gradio.core.panels.panel import Panel, RenderContext, new_panel
from autotrain_gradio.core.panels.text_table import cell_text, more_lines


def tokens(title: str, items: Sequence[Mapping[str, Any]], *, note: str = "", id: str = "") -> Panel:
    """Return tokenized texts.

    items: each has `label`, `read` and `cut` (the tokens that the model receives, and those truncated), `more` (number
    of tokens that are not listed), and may have `rtl` (right-to-left script) and `marked` (whether each token of `read`
    is marked).
    """
    return new_panel("tokens", title, id=id, note=note, items=[dict(i) for i in items])


def html(panel: Panel, context: RenderContext) -> str:
    """Return a list of texts; truncated tokens are `<del>`, marked ones `<mark>`."""
    items = []
    for item in panel["items"]:
        marks = item.get("marked") or [False] * len(item["read"])
        tags = ["mark" if marked else "span" for marked in marks]
        read = "".join(f"<{tag}>{escape(str(t))}</{tag}> " for tag, t in zip(tags, item["read"], strict=True))
        cut = "".join(f"<del>{escape(str(t))}</del> " for t in item["cut"])
        more = f"<em>and {item['more']:,} more</em>" if item["more"] else ""
        # Not "auto": the first token is often a special token of the model, in Latin letters.
        side = "rtl" if item.get("rtl") else "ltr"
        items.append(f"<li><b dir='auto'>{escape(str(item['label']))}</b><p dir='{side}'>{read}{cut}{more}</p></li>")
    return f"<ul class='at-tokens'>{''.join(items)}</ul>"


def text(panel: Panel, context: RenderContext) -> str:
    """Return tokens with bars between; marked ones in brackets; the truncated ones follow a pair of scissors."""
    lines = []
    for item in panel["items"][: context.rows]:
        cut = f" ✂ {'|'.join(cell_text(t) for t in item['cut'])}" if item["cut"] else ""
        more = f" … and {item['more']:,} more" if item["more"] else ""
        marks = item.get("marked") or [False] * len(item["read"])
        read = [f"[{cell_text(t)}]" if m else cell_text(t) for t, m in zip(item["read"], marks, strict=True)]
        lines += [f"  {cell_text(item['label'])}", f"    {'|'.join(read)}{cut}{more}"]
    return "\n".join(lines) + more_lines(len(panel["items"]), context.rows)
