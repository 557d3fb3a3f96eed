"""Panels of images: sizes, formats, and a gallery by class."""

from __future__ import annotations

import io
import os
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.data.kinds import charts
from autotrain_gradio.data.media.image_formats import as_rgb
from autotrain_gradio.data.rows import Context, Rows

SIDE = 160
"""Longest side of a thumbnail, in pixels."""
PER_CLASS = 8
CLASSES = 24
EDGES = (32, 64, 128, 224, 384, 512, 768, 1024, 2048, 4096)
RATIOS = {
    "tall (under 2:3)": 2 / 3,
    "upright": 0.95,
    "square": 1.05,
    "wide": 1.5,
    "very wide (over 3:2)": np.inf,
}
"""Name of a proportion → width divided by height below which it ends."""


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Plot the shorter sides, the proportions and the formats of the images that are used."""
    facts, used = rows.cells[role].facts, rows.indices().tolist()
    sizes = np.array([(facts["width"][i], facts["height"][i]) for i in used]).reshape(-1, 2)
    sides, ratios = sizes.min(axis=1), sizes[:, 0] / sizes[:, 1]
    bounds = [f"{a} to {b - 1}" for a, b in zip(EDGES, EDGES[1:], strict=False)]
    labels = [f"under {EDGES[0]}", *bounds, f"{EDGES[-1]} and more"]
    found = [_histogram("Shorter side in pixels", sides, (0, *EDGES, np.inf), labels)]
    shapes = _histogram("Proportions", ratios, (0, *RATIOS.values()), list(RATIOS))
    formats = Counter(facts["format"][i] for i in used)
    if len(shapes["labels"]) > 1:
        found.append(shapes)
    if len(formats) > 1:
        names, counts = zip(*formats.most_common(), strict=True)
        found.append(panels.bars("Formats", names, {"images": [float(c) for c in counts]}, unit="images"))
    return found


def _histogram(title: str, values: Any, edges: tuple[float, ...], labels: list[str]) -> Panel:
    return charts.histogram(title, {"images": values}, edges, labels, unit="images")


def gallery(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Draw a few images of each class; the same ones each time. Files are written to `check/`."""
    chosen, more = charts.examples(rows, PER_CLASS, CLASSES)
    kept, folder = context.draft / "data" / "thumbs", context.draft / "check"
    kept.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    cells = rows.cells[role]
    digests, white = cells.facts["digest"], cells.about.get("white_level")

    def make(i: int) -> None:
        name, cached = f"{digests[i]}.jpg", kept / f"{digests[i]}-{white or 0:g}.jpg"
        if not cached.is_file():
            thumbnail(context.open(i), cached, white)
        shutil.copyfile(cached, folder / name)

    # Copies of one image share their thumbnail: it is made once.
    distinct = list({digests[i]: i for _, i in chosen}.values())
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        list(pool.map(make, distinct))
    items: list[dict[str, Any]] = [
        {"file": f"check/{digests[i]}.jpg", "caption": _caption(cells.values[i], rows.locations[i]), "group": name}
        for name, i in chosen
    ]
    note = f"{PER_CLASS} of each class at most" + (f"; {more}." if more else ".") if rows.classes() else ""
    return [panels.gallery("Examples", items, note=note)]


def _caption(path: str | None, where: str) -> str:
    return where if path is None else path.rpartition("/")[2]


def thumbnail(data: bytes, target: Path, white: float | None = None) -> None:
    """Write a small JPEG of a valid image. white: as in `as_rgb`."""
    with Image.open(io.BytesIO(data)) as image:
        image.draft("RGB", (SIDE * 2, SIDE * 2))
        if image.mode in {"RGB", "L", "CMYK", "RGBA"}:
            image.thumbnail((SIDE * 2, SIDE * 2))  # first: turning and converting a large image would copy it
        small = as_rgb(image, white)
        small.thumbnail((SIDE, SIDE))
        partial = target.with_suffix(f".{os.getpid()}.partial")
        small.save(partial, "JPEG", quality=82)
    os.replace(partial, target)
