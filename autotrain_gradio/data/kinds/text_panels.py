"""Panels of texts: their lengths, and a few examples of each class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import pluralize, truncate
from autotrain_gradio.data.kinds import charts
from autotrain_gradio.data.rows import Context, Rows
from autotrain_gradio.data.values.arrow_columns import pick
from autotrain_gradio.data.values.labels import short

EDGES = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
PER_CLASS = 3
CLASSES = 12
EXAMPLES = 6
"""Texts that are shown where the targets are numbers."""
LOOKED_AT = 5_000
"""Texts of each split whose words are counted."""
SHOWN = 200
"""Characters of a text that are shown."""


def words(texts: Any) -> np.ndarray:
    """Return the number of words of each text, split at whitespace."""
    counts = pc.fill_null(pc.count_substring_regex(texts, r"\S+"), 0)
    return np.asarray(counts.combine_chunks() if isinstance(counts, pa.ChunkedArray) else counts)


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Draw how many words the texts have."""
    parts = {}
    for split in ("train", "validation"):
        used = rows.indices(split)
        chosen = used[:: max(1, -(-len(used) // LOOKED_AT))]
        parts[split] = words(pick(rows.cells[role].values, chosen))
    every = np.concatenate(list(parts.values()))
    if not len(every):
        return []
    bounds = zip(EDGES, EDGES[1:], strict=False)
    labels = [f"{a:,}" if b == a + 1 else f"{a:,} to {b - 1:,}" for a, b in bounds] + [f"{EDGES[-1]:,} and more"]
    middle, most = np.quantile(every, (0.5, 1))
    note = f"Median {pluralize(round(middle), 'word')}, longest {most:,.0f}."
    if len(every) < rows.count():
        note += f" Of {len(every):,} texts, evenly chosen."
    return [charts.histogram("Words in a text", parts, [*EDGES, np.inf], labels, unit="texts", note=note)]


def gallery(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Show a few texts of each class, the same ones each time; of numeric targets from the smallest to the largest."""
    texts, found = rows.cells[role].values, rows.classes()
    numbers = {
        r.partition(":")[2] or r: rows.cells[r].values for r in rows.having("target") if rows.cells[r].is_numeric
    }
    if found is None and numbers:
        return [_numeric_examples(rows, texts, numbers, context)]
    chosen, more = charts.examples(rows, PER_CLASS, CLASSES)
    shown = []
    for _, i in chosen:
        labels = [_label(found[1].values[i])] if found is not None else []
        shown.append([_short(texts[i].as_py()), *labels, "validation" if rows.validation[i] else "training"])
    columns = [context.title, *(["Label"] if found is not None else []), "Used for"]
    return [panels.table("Examples", columns, shown, note=f"{more}." if more else "")]


def _numeric_examples(rows: Rows, texts: Any, numbers: dict[str, Any], context: Context) -> Panel:
    """Return a table of texts evenly over the values of the first target. numbers: name of each target → its values."""
    used = rows.indices()
    order = used[np.argsort(np.asarray(next(iter(numbers.values())))[used], kind="stable")]
    chosen = order[np.linspace(0, len(order) - 1, min(EXAMPLES, len(order))).astype(int)].tolist()
    shown = [
        [
            _short(texts[i].as_py()),
            *(float(f"{values[i].as_py():.5g}") for values in numbers.values()),
            "validation" if rows.validation[i] else "training",
        ]
        for i in chosen
    ]
    return panels.table("Examples", [context.title, *numbers, "Used for"], shown)


def _short(text: str) -> str:
    return truncate(" ".join(text[: SHOWN * 4].split()), SHOWN)


def _label(label: str | tuple[str, ...]) -> str:
    return short(label) if isinstance(label, str) else ", ".join(map(short, label)) or "(none)"
