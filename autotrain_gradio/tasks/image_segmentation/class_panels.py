"""Panels of the classes: their share of the pixels, and the images in which they are."""

from __future__ import annotations

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.data.kinds import charts
from autotrain_gradio.data.rows import Rows

SHOWN = 40
COUNTS = "counts"
"""Fact of the masks: per row the number of pixels of each class (classes,)."""


def counts_by_split(rows: Rows, role: str) -> dict[str, np.ndarray]:
    """Return split → pixels of each class in each of its rows, int64 (rows, classes)."""
    counts = rows.cells[role].facts[COUNTS]
    classes = len(rows.cells[role].about["classes"])
    return {
        split: np.array([counts[i] for i in rows.indices(split).tolist()], dtype=np.int64).reshape(-1, classes)
        for split in ("train", "validation")
    }


def pixels_panels(rows: Rows, role: str) -> list[Panel]:
    """Return the share of the pixels of each class, and the images with it; nothing before the classes are known."""
    cells = rows.cells[role]
    if COUNTS not in cells.facts or not rows.count():
        return []
    names, found = cells.about["classes"], counts_by_split(rows, role)
    shares = {s: (100 * c.sum(axis=0) / max(1, c.sum())).round(2) for s, c in found.items() if len(c)}
    order = np.argsort(-sum(c.sum(axis=0) for c in found.values()), kind="stable")[:SHOWN]
    note = f"The {SHOWN} largest of {len(names):,} classes." if len(names) > SHOWN else ""
    series = {s: v[order].tolist() for s, v in shares.items()}
    images = {s: (c > 0).sum(axis=0) for s, c in found.items()}
    return [
        panels.table(
            "Share of the pixels of each class, in percent",
            ["class", *series],
            [[names[k], *(series[s][n] for s in series)] for n, k in enumerate(order.tolist())],
            note=note,
        ),
        charts.largest("Images with each class", names, images, SHOWN, unit="images", noun="classes"),
    ]
