"""CSV files whose cells a spreadsheet cannot interpret as formulas (CSV injection)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV file in UTF-8, with every cell escaped."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([escape_formula(name) for name in columns])
        writer.writerows([escape_formula(cell) for cell in row] for row in rows)


def escape_formula(cell: Any) -> Any:
    """Return a cell, with an apostrophe before a text that a spreadsheet would interpret as a formula; "" for None.

    Source: OWASP, CSV Injection. Numbers are unchanged, also negative ones.
    """
    if not isinstance(cell, str) or not cell.startswith(FORMULA):
        return "" if cell is None else cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
