"""Tables and values as text of a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autotrain_gradio.core.text_format import format_value


def text_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, indent: str = "") -> str:
    """Return a table with aligned columns: numbers to the right, everything else to the left."""
    cells = [[cell_text(v) for v in row] for row in rows]
    widths = [max(len(c), *(len(r[i]) for r in cells)) if cells else len(c) for i, c in enumerate(columns)]
    right = [bool(rows) and all(isinstance(r[i], int | float) for r in rows) for i in range(len(columns))]

    def line(values: Sequence[str]) -> str:
        parts = [v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right, strict=True)]
        return (indent + "  ".join(parts)).rstrip()

    return "\n".join([line(columns), line(["-" * w for w in widths]), *(line(r) for r in cells)])


def cell_text(value: Any) -> str:
    """Return a value on one line: numbers with four digits, lists with commas, "" for None."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(cell_text(v) for v in value)
    return " ".join(format_value(value).split())


def more_lines(total: int, shown: int) -> str:
    """Return the line "… and 12 more" that ends a truncated list; "" if all items are shown."""
    return f"\n  … and {total - shown:,} more" if total > shown else ""
