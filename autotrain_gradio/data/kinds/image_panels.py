"""Panels of images: sizes, formats, and a gallery by class."""

from __future__ import annotations

import io
import os
import random
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.data.rows import Context, Rows

SIDE = 160
"""Longest side of a thumbnail, in pixels."""
PER_CLASS = 8
CLASSES = 24
EDGES = (32, 64, 128, 224, 384, 512, 768, 1024, 2048, 4096)
RATIOS = (
    ("tall (under 2:3)", 2 / 3),
    ("upright", 0.95),
    ("square", 1.05),
    ("wide", 1.5),
    ("very wide (over 3:2)", 1e9),
)


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Plot the shorter sides, the proportions and the formats of the images that are used."""
    facts = rows.cells[role].facts
    used = list(rows.used())
    sides = Counter(_bin(min(facts["width"][i], facts["height"][i])) for i in used)
    labels = [
        f"under {EDGES[0]}",
        *(f"{a} to {b - 1}" for a, b in zip(EDGES, EDGES[1:], strict=False)),
        f"{EDGES[-1]} and more",
    ]
    shapes = Counter(_shape(facts["width"][i] / facts["height"][i]) for i in used)
    formats = Counter(facts["format"][i] for i in used)
    found = [_histogram("Shorter side in pixels", labels, [sides[n] for n in range(len(labels))])]
    if len(shapes) > 1:
        found.append(_histogram("Proportions", [n for n, _ in RATIOS], [shapes[n] for n, _ in RATIOS]))
    if len(formats) > 1:
        found.append(
            panels.bars(
                "Formats",
                [n for n, _ in formats.most_common()],
                {"images": [float(c) for _, c in formats.most_common()]},
                unit="images",
            )
        )
    return found


def _bin(side: int) -> int:
    return sum(side >= edge for edge in EDGES)


def _shape(ratio: float) -> str:
    return next(name for name, limit in RATIOS if ratio < limit)


def _histogram(title: str, labels: list[str], values: list[int]) -> Panel:
    filled = [i for i, v in enumerate(values) if v]
    cut = slice(filled[0], filled[-1] + 1) if filled else slice(0, 0)
    return panels.bars(title, labels[cut], {"images": [float(v) for v in values[cut]]}, unit="images")


def gallery(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Draw a few images of each class; the same ones each time. Files are written to `check/`."""
    classes = rows.classes()
    groups: dict[str, list[int]] = {}
    for i in rows.used():
        label = classes[1].values[i] if classes else ""
        groups.setdefault(label if isinstance(label, str) else ", ".join(label), []).append(i)
    names = (classes[1].names or []) if classes and not classes[1].labels.multi else list(groups)
    shown = [n for n in names if n in groups][:CLASSES]
    chosen = [
        (name, i)
        for name in shown
        for i in sorted(random.Random(name).sample(groups[name], min(PER_CLASS, len(groups[name]))))
    ]
    kept, folder = context.draft / "data" / "thumbs", context.draft / "check"
    kept.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    cells = rows.cells[role]

    digests = cells.facts["digest"]

    def make(i: int) -> None:
        name = f"{digests[i]}.jpg"
        if not (kept / name).is_file():
            thumbnail(context.open(i), kept / name)
        _link(kept / name, folder / name)

    # Copies of one image share their thumbnail: it is made once.
    distinct = list({digests[i]: i for _, i in chosen}.values())
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        list(pool.map(make, distinct))
    items: list[dict[str, Any]] = [
        {"file": f"check/{digests[i]}.jpg", "caption": _caption(cells.values[i], rows.locations[i]), "group": name}
        for name, i in chosen
    ]
    more = len([n for n in names if n in groups]) - len(shown)
    note = f"{PER_CLASS} of each class at most" + (f"; {more} more classes are not shown." if more else ".")
    return [panels.gallery("Examples", items, note=note)]


def _caption(path: str | None, where: str) -> str:
    return where if path is None else path.rpartition("/")[2]


def thumbnail(data: bytes, target: Path) -> None:
    """Write a small JPEG of a valid image."""
    with Image.open(io.BytesIO(data)) as image:
        image.draft("RGB", (SIDE * 2, SIDE * 2))
        if image.mode in {"RGB", "L", "CMYK", "RGBA"}:
            image.thumbnail((SIDE * 2, SIDE * 2))  # first: turning and converting a large image would copy it
        small = as_rgb(image)
        small.thumbnail((SIDE, SIDE))
        partial = target.with_suffix(f".{os.getpid()}.partial")
        small.save(partial, "JPEG", quality=82)
    os.replace(partial, target)


def as_rgb(image: Image.Image) -> Image.Image:
    """Return the image upright, in RGB: transparency on white, 16 bits scaled to 8."""
    image = ImageOps.exif_transpose(image)
    if image.mode in {"I;16", "I;16L", "I;16B", "I;16N", "I"}:
        image = image.convert("I").point(lambda v: v / 256).convert("L")
    elif image.mode == "F":
        image = image.convert("L")
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image)
        image = ground
    return image.convert("RGB")


def _link(source: Path, target: Path) -> None:
    if target.exists():
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)  # a file system without hard links
