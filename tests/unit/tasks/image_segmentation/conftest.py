"""Pictures with masks, and runs on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.trials import Trial

SIZE = (96, 64)
"""Width and height."""
COLOURS = {1: (200, 30, 30), 2: (30, 30, 200)}
"""Class → its colour in pictures."""
BOXES: dict[str, list[tuple[tuple[int, int, int, int], int]]] = {
    "a": [((6, 6, 36, 26), 1)],
    "b": [((50, 22, 40, 36), 2)],
    "c": [((4, 32, 34, 28), 2), ((56, 4, 32, 36), 1)],
    "d": [((10, 4, 30, 52), 1), ((52, 30, 36, 30), 2)],
}
"""Name → boxes (left, top, width, height) and classes; the other pixels are of class 0."""


def mask_of(boxes: Sequence[tuple[Sequence[int], int]]) -> np.ndarray:
    """Return class numbers uint8 (height, width)."""
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    for (x, y, w, h), number in boxes:
        mask[y : y + h, x : x + w] = number
    return mask


def picture_of(mask: np.ndarray, seed: int = 0) -> Image.Image:
    """Return a picture of a mask, on a noisy background."""
    pixels = np.random.default_rng(seed).integers(215, 235, (*mask.shape, 3)).astype(np.uint8)
    for number, colour in COLOURS.items():
        pixels[mask == number] = colour
    return Image.fromarray(pixels)


def save(image: Any, path: Path, **options: Any) -> None:
    """Save a picture or an array."""
    path.parent.mkdir(parents=True, exist_ok=True)
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path, **options)


def draw_all(folder: Path, change: Callable[[np.ndarray], Any] = lambda mask: mask, suffix: str = ".png") -> Path:
    """Write the pictures and masks of `BOXES` into `images` and `masks`. change: makes what is saved of a mask."""
    for number, (name, boxes) in enumerate(BOXES.items()):
        mask = mask_of(boxes)
        save(picture_of(mask, number), folder / "images" / f"{name}.png")
        save(change(mask), folder / "masks" / f"{name}{suffix}")
    return folder


@pytest.fixture
def segment(tmp_path: Path) -> Callable[..., Trial]:
    """Return a function that prepares a run on a folder."""

    def make(path: Path, run: str = "run", **params: Any) -> Trial:
        given = {"source": "path", "path": str(path), **params.pop("data", {})}
        spec = {"task": "image-segmentation", "model": "tiny", "project_name": "masks", "data": given, "params": params}
        return Trial(tmp_path / run, spec)

    return make
