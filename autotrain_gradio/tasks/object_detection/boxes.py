"""Conventions of boxes, and their conversion to left, top, width, height in pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

CONVENTIONS = ("xywh", "xyxy", "cxcywh")
NORMALIZED = "-normalized"
FORMATS = (*CONVENTIONS, *(f"{c}{NORMALIZED}" for c in CONVENTIONS))
"""Left, top, width, height (COCO); corners (Pascal VOC); centre, width, height (YOLO): in pixels, or relative to the
size of the image."""
YOLO_FORMAT = f"cxcywh{NORMALIZED}"
TOLERANCE = 0.02
"""Part of the image's size by which a box may extend beyond it through rounding."""
MOST_WRONG = 0.02
"""Share of the boxes that may not fit a convention that the data has."""


def corners(boxes: np.ndarray, name: str, sizes: np.ndarray) -> np.ndarray:
    """Return boxes (n, 4) of a format as left, top, right, bottom in pixels. sizes: width and height (n, 2)."""
    convention, normalized = name.removesuffix(NORMALIZED), name.endswith(NORMALIZED)
    scaled = boxes * np.tile(sizes, 2) if normalized else boxes
    first, second = scaled[:, :2], scaled[:, 2:]
    if convention == "xyxy":
        return np.concatenate([first, second], axis=1)
    if convention == "cxcywh":
        return np.concatenate([first - second / 2, first + second / 2], axis=1)
    return np.concatenate([first, first + second], axis=1)


def detect_format(boxes: np.ndarray, sizes: np.ndarray) -> tuple[str, int, list[str]]:
    """Return the format in which the boxes fit their images, the number that do not fit as `xywh`, and other formats.

    `xywh` is preferred, then corners. The third value: other conventions in which just as many boxes fit.
    """
    relative = bool(len(boxes)) and bool((np.abs(boxes) <= 1 + TOLERANCE).all()) and bool((boxes % 1 != 0).any())
    names = [f"{c}{NORMALIZED}" if relative else c for c in CONVENTIONS]
    wrong = [int((~_fits(corners(boxes, name, sizes), sizes)).sum()) for name in names]
    best = min(range(len(names)), key=lambda n: wrong[n])
    chosen = 0 if wrong[0] <= MOST_WRONG * len(boxes) else best
    return names[chosen], wrong[0], [n for n, w in zip(names, wrong, strict=True) if w == 0 and n != names[chosen]]


def _fits(found: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return whether each box has an area and lies in its image, as corners in pixels."""
    margin = TOLERANCE * sizes
    positive = (found[:, 2:] > found[:, :2]).all(axis=1)
    inside: np.ndarray = (found[:, :2] >= -margin).all(axis=1) & (found[:, 2:] <= sizes + margin).all(axis=1)
    return inside & positive


def clip(found: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return corners limited to their images."""
    return np.clip(found, 0, np.tile(sizes, 2))


def to_xywh(found: np.ndarray) -> np.ndarray:
    """Return corners (n, 4) as left, top, width, height."""
    return np.concatenate([found[:, :2], found[:, 2:] - found[:, :2]], axis=1)


def as_array(boxes: Sequence[Sequence[float]]) -> np.ndarray:
    """Return boxes as float64 (n, 4), also if there are none."""
    return np.asarray(boxes, dtype=np.float64).reshape(-1, 4)


def hull(points: Sequence[Sequence[float]]) -> list[float]:
    """Return the left, top, right and bottom of points (x, y)."""
    across, down = [p[0] for p in points], [p[1] for p in points]
    return [min(across), min(down), max(across), max(down)]


def displayed(found: np.ndarray, orientation: int, size: tuple[float, float]) -> np.ndarray:
    """Return corners (n, 4) of the stored pixels as corners of the image as it is displayed.

    orientation: of EXIF, 1 to 8. size: width and height of the displayed image.
    """
    left, top, right, bottom = found.T
    width, height = size
    if orientation in (5, 6, 7, 8):  # rows are displayed as columns
        left, top, right, bottom = top, left, bottom, right
    if orientation in (2, 3, 6, 7):
        left, right = width - right, width - left
    if orientation in (3, 4, 7, 8):
        top, bottom = height - bottom, height - top
    return np.stack([left, top, right, bottom], axis=1)
