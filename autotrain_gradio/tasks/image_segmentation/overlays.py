"""Write masks as small colour images with transparency, which are drawn over their photos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from autotrain_gradio.tasks.image_segmentation.colours import TRANSPARENT, colours_of
from autotrain_gradio.tasks.image_segmentation.mask_classes import IGNORE
from autotrain_gradio.training.image_files import thumbnail

IGNORED_COLOUR = (0, 0, 0)
OPACITY, IGNORED_OPACITY = 165, 60
RIGHT, WRONG = (255, 255, 255, 160), (255, 0, 0, 230)
"""Red, green, blue and opacity of right pixels, which are faded, and of wrong ones."""


def shown_size(height: int, width: int, side: int) -> tuple[int, int]:
    """Return height and width of an image whose longest side is at most `side` pixels."""
    scale = min(1.0, side / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def shrink(mask: np.ndarray, side: int) -> np.ndarray:
    """Return class numbers uint8 with a longest side of at most `side` pixels."""
    height, width = shown_size(mask.shape[0], mask.shape[1], side)
    if (height, width) == mask.shape:
        return mask
    return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST_EXACT))


def write_overlay(mask: np.ndarray, names: Sequence[str], path: Path) -> None:
    """Save class numbers as a PNG with transparency in the colours of the classes.

    Pixels of the class background are transparent, ignored ones grey.
    """
    lookup = np.zeros((256, 4), dtype=np.uint8)
    lookup[:, :3], lookup[:, 3] = IGNORED_COLOUR, IGNORED_OPACITY
    for number, colour in enumerate(colours_of(names)):
        shown = colour != TRANSPARENT
        lookup[number] = (*(int(colour[k : k + 2], 16) for k in (1, 3, 5)), OPACITY) if shown else (0, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(lookup[mask], "RGBA").save(path, optimize=True)


def item_of(
    folder: Path,
    root: Path,
    name: str,
    image: np.ndarray | Image.Image,
    masks: Sequence[tuple[str, np.ndarray]],
    names: Sequence[str],
    *,
    side: int,
    caption: str = "",
    wrong: np.ndarray | None = None,
) -> dict[str, Any]:
    """Write an image and overlays of its masks, and return an item of `masks_panel`.

    folder: of the files, below `root`, the run's directory. name: of the files. masks: title and class numbers of each.
    wrong: bool (height, width), the wrong pixels, shown in red; None: not known.
    """
    photo = folder / f"{name}.jpg"
    if not photo.exists():
        thumbnail(image, photo, side)
    layers = []
    for place, (title, mask) in enumerate(masks):
        small = shrink(mask, side)
        file = folder / f"{name}-{place}.png"
        write_overlay(small, names, file)
        present = [int(n) for n in np.unique(mask) if n != IGNORE]
        shown = [names[n] for n in present if n < len(names)]
        layers.append({"title": title, "file": file.relative_to(root).as_posix(), "classes": shown})
    if wrong is not None:
        file = folder / f"{name}-wrong.png"
        small = shrink(wrong.astype(np.uint8), side)
        Image.fromarray(np.array([RIGHT, WRONG], np.uint8)[small], "RGBA").save(file, optimize=True)
        title = f"wrong pixels: {100 * wrong.mean():.1f} %"
        layers.append({"title": title, "file": file.relative_to(root).as_posix(), "classes": []})
    with Image.open(photo) as saved:
        width, height = saved.size
    photo_file = photo.relative_to(root).as_posix()
    return {"file": photo_file, "width": width, "height": height, "caption": caption, "layers": layers}
