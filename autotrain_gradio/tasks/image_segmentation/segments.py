"""Polygons and run lengths of COCO: draw them as a mask of class numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from faster_coco_eval.core import mask as coco_mask

BACKGROUND = "background"
KEPT_BYTES = 64 * 1024 * 1024
"""Pixels of segments that are kept until all areas are known; the others are filled twice."""


def draw(segments: Sequence[Mapping[str, Any]], size: tuple[int, int], empty: int, ignore: int) -> np.ndarray:
    """Return a mask uint8 (height, width) of class numbers.

    The largest segments are drawn first, so that small objects in front of large ones are kept.

    segments: each has `class` (a number; None: its pixels are ignored) and `polygons` (lists of x, y) or `rle`
        (`{"size": [height, width], "counts"}`). size: height and width of the annotations. empty: class of pixels in no
        segment. ignore: class number of ignored pixels.
    """
    height, width = size
    mask = np.full((height, width), empty, dtype=np.uint8)
    kept: dict[int, np.ndarray] = {}
    areas = []
    for place, segment in enumerate(segments):
        pixels = fill(segment, height, width)
        areas.append(int(pixels.sum()))
        if (len(kept) + 1) * pixels.nbytes <= KEPT_BYTES:
            kept[place] = pixels
    for place in sorted(range(len(segments)), key=lambda k: -areas[k]):
        number = segments[place]["class"]
        pixels = kept[place] if place in kept else fill(segments[place], height, width)
        mask[pixels] = ignore if number is None else number
    return mask


def fill(segment: Mapping[str, Any], height: int, width: int) -> np.ndarray:
    """Return the pixels of a segment, bool (height, width).

    Raises:
        ValueError, TypeError, KeyError, IndexError: it is damaged.
    """
    rle = segment.get("rle")
    if rle is None:
        # Coordinates far outside would take gigabytes: the library draws every step of an outline.
        limits = np.array([[-width, -height], [2 * width, 2 * height]], dtype=float)
        rings = [
            np.asarray(p, dtype=float).reshape(-1, 2).clip(*limits).reshape(-1).tolist() for p in segment["polygons"]
        ]
        rles = coco_mask.frPyObjects(rings, height, width)
        return np.asarray(coco_mask.decode(coco_mask.merge(rles)), dtype=bool)
    if [int(v) for v in rle["size"]] != [height, width]:
        raise ValueError(f"the run lengths are of {rle['size']}, not {height} × {width}")
    counts = rle["counts"]
    lengths = np.asarray(parse_counts(counts) if isinstance(counts, str) else counts, dtype=np.int64)
    if (lengths < 0).any() or lengths.sum() != height * width:
        raise ValueError(f"the run lengths have {lengths.sum()} pixels, not {height * width}")
    flat = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    return flat.reshape(width, height).T


def parse_counts(text: str) -> list[int]:
    """Return the run lengths of COCO's compressed form.

    Groups of 5 bits, the lowest first, as letters from `0`; the sixth bit says that another group follows. From the
    third run on, the difference to the run before the previous one is stored. Parsed here, because the library trusts
    the lengths.
    """
    found: list[int] = []
    number, shift = 0, 0
    for letter in text:
        group = ord(letter) - 48
        if not 0 <= group < 64 or shift > 60:
            raise ValueError("the run lengths are damaged")
        number |= (group & 31) << shift
        shift += 5
        if group & 32:
            continue
        if group & 16:
            number -= 1 << shift
        found.append(number + (found[-2] if len(found) > 2 else 0))
        number, shift = 0, 0
    return found
