"""Fields that every panel has (kind, id, title, note), and the context of a renderer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Panel = dict[str, Any]
"""`{"kind", "id", "title", "note", …}`: JSON-ready data. Files in it are paths relative to the run directory."""


def _unchanged(path: str) -> str:
    return path


@dataclass(frozen=True)
class RenderContext:
    """Arguments of a renderer besides the panel.

    link: path of a file, relative to the run directory → the URL of an `<img>` or `<audio>`.
    download: path of a file for download → its URL (HTML), or the place where it was saved (text).
    rows: the most rows, bars or items that text shows.
    """

    link: Callable[[str], str] = _unchanged
    download: Callable[[str], str] = _unchanged
    rows: int = 20


def new_panel(kind: str, title: str, *, id: str = "", note: str = "", **fields: Any) -> Panel:
    """Return a panel. id: stable, in kebab-case, for code that looks the panel up; default: from the title."""
    return {"kind": kind, "id": id or slug(title) or kind, "title": title, "note": note, **fields}


def panel_id(panel: Mapping[str, Any]) -> str:
    """Return a panel's id; derived from the title for panels stored by earlier versions, which have none."""
    return str(panel.get("id") or slug(str(panel.get("title") or "")) or panel.get("kind") or "")


def find_panel(panels: list[Panel] | None, id: str) -> Panel | None:
    """Return the first panel with that id."""
    return next((p for p in panels or [] if panel_id(p) == id), None)


def slug(text: str) -> str:
    """Return a text in kebab-case: "Each label" → "each-label"."""
    return "-".join(re.findall(r"\w+", text.lower()))


def unit_for(panel: Mapping[str, Any], value: float) -> str:
    """Return a panel's unit as it follows a number: 2 rows, 1 row, 1 min; "" if the panel has no unit."""
    unit = str(panel.get("unit") or "")
    return unit[:-1] if value == 1 and len(unit) > 3 and unit.endswith("s") else unit
