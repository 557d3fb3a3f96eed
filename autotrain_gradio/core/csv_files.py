"""CSV files whose cells a spreadsheet cannot interpret as formulas (CSV injection)."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, unchanged: Collection[str] = ()
) -> int:
    """Write a CSV file in UTF-8; return the number of cells that were escaped.

    unchanged: columns whose cells are written as they are, such as names of classes.
    """
    escaped = 0

    def written(name: str, cell: Any) -> Any:
        nonlocal escaped
        if name in unchanged:
            return "" if cell is None else cell
        safe = escape_formula(cell)
        escaped += safe != cell and cell is not None
        return safe

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([escape_formula(name) for name in columns])
        writer.writerows([written(n, c) for n, c in zip(columns, row, strict=True)] for row in rows)
    return escaped


def escape_formula(cell: Any) -> Any:
    """Return a cell, with an apostrophe before a text that a spreadsheet would interpret as a formula; "" for None.

    Source: OWASP, CSV Injection. Numbers are unchanged, also negative ones, and so are signs alone (`+`, `-`).
    """
    if not isinstance(cell, str) or not cell.startswith(FORMULA):
        return "" if cell is None else cell
    if not any(character.isalnum() for character in cell):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
