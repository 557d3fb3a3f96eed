"""Panels of texts: their lengths, and a few examples of each class."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.data.rows import Context, Rows
from autotrain_gradio.data.values.arrow_columns import pick
from autotrain_gradio.data.values.labels import short

EDGES = (0, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
PER_CLASS = 3
CLASSES = 12
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
        parts[split] = words(pick(_texts(rows, role), chosen))
    every = np.concatenate(list(parts.values()))
    if not len(every):
        return []
    counts = {n: np.histogram(v, [*EDGES, np.inf])[0] for n, v in parts.items() if len(v) or n == "train"}
    filled = np.flatnonzero(sum(counts.values()))
    cut = slice(filled[0], filled[-1] + 1)
    labels = [_named(a, b) for a, b in zip(EDGES, EDGES[1:], strict=False)] + [f"{EDGES[-1]:,} and more"]
    middle, most = np.quantile(every, (0.5, 1))
    note = f"Median {middle:,.0f} words, longest {most:,.0f}."
    if len(every) < rows.count():
        note += f" Of {len(every):,} texts, evenly chosen."
    return [
        panels.bars(
            "Words in a text",
            labels[cut],
            {n: [float(c) for c in v[cut]] for n, v in counts.items()},
            unit="texts",
            note=note,
        )
    ]


def _named(begin: int, end: int) -> str:
    return f"{begin:,}" if end == begin + 1 else f"{begin:,} to {end - 1:,}"


def _texts(rows: Rows, role: str) -> pa.ChunkedArray:
    texts: pa.ChunkedArray = rows.cells[role].values
    return texts


def gallery(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Show a few texts of each class; the same ones each time."""
    texts, found = _texts(rows, role), rows.classes()
    used = rows.indices()
    if found is None:
        chosen = [("", i) for i in _some("", used)]
    else:
        labels = found[1].labels
        strata = labels.strata(used)
        chosen = [(name, i) for k, name in enumerate(labels.names[:CLASSES]) for i in _some(name, used[strata == k])]
    shown = [
        [
            _short(texts[i].as_py()),
            *([_label(found[1].values[i])] if found is not None else []),
            "validation" if rows.validation[i] else "training",
        ]
        for _, i in chosen
    ]
    columns = [context.title, *(["Label"] if found is not None else []), "Used for"]
    more = len(found[1].labels.names) - CLASSES if found is not None else 0
    note = f"{more:,} more classes are not shown." if more > 0 else ""
    return [panels.table("Examples", columns, shown, note=note)]


def _some(name: str, rows: Any) -> list[int]:
    chosen = random.Random(name).sample(range(len(rows)), min(PER_CLASS, len(rows)))
    return [int(rows[k]) for k in sorted(chosen)]


def _short(text: str) -> str:
    text = " ".join(text[: SHOWN * 4].split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _label(label: str | tuple[str, ...]) -> str:
    return short(label) if isinstance(label, str) else ", ".join(map(short, label)) or "(none)"
