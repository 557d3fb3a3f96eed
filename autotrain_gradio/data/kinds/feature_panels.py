"""What is shown of the columns of a table: one line each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow.compute as pc

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import in_unit
from autotrain_gradio.data.rows import Cells, Context, Rows
from autotrain_gradio.data.values.arrow_columns import pick

MOST = 200
"""Columns that are shown."""


def overview(rows: Rows, contexts: dict[str, Context]) -> list[Panel]:
    """Tabulate the type of every column, its share of missing values, and its range or most frequent values."""
    used = rows.indices()
    shown = [_line(rows.cells[role], context.column, used) for role, context in list(contexts.items())[:MOST]]
    more = f"The first {MOST} of {len(contexts):,} columns." if len(contexts) > MOST else ""
    head = ["Column", "Kind", "Missing", "Different", "Values"]
    return [panels.table("Columns", head, shown, note=more, id="columns")]


def _line(cells: Cells, name: str, used: Any) -> list[Any]:
    about = cells.about
    share = about["missing"] / max(1, len(used))
    missing = f"{about['missing']:,} ({share:.0%})" if about["missing"] else "0"
    kind = about["feature"] + (f", {in_unit(about['unit'])}" if about.get("unit") else "")
    return [name, kind, missing, about["distinct"], _range(cells, used)]


def _range(cells: Cells, used: Any) -> str:
    kind = cells.about["feature"]
    if not cells.stored:
        return "not used"
    values = cells.values
    if kind == "number":
        if not cells.about["range"]:
            return ""
        low, middle, high = cells.about["range"]
        return f"{low:.6g} to {high:.6g}, median {middle:.6g}"
    if kind == "date":
        bounds = pc.min_max(values)
        low, high = bounds["min"].as_py(), bounds["max"].as_py()
        return f"{low:%Y-%m-%d} to {high:%Y-%m-%d}" if low is not None else ""
    if kind == "text":
        some = pick(values, used[:: max(1, len(used) // 10_000)])
        lengths = pc.mean(pc.count_substring_regex(some, r"\S+")).as_py()
        return f"{lengths:.0f} words on average" if lengths is not None else ""
    codes = cells.facts["codes"]
    codes = codes if len(used) == len(codes) else codes[used]
    counts = np.bincount(codes + 1, minlength=2)[1:]  # -1: nothing in the cell
    best = [k for k in np.argsort(-counts, kind="stable")[:3] if counts[k]]
    named = {k: str(values[int(used[np.argmax(codes == k)])].as_py())[:30] for k in best}
    return ", ".join(f"{named[k]} ({counts[k]:,})" for k in best)
