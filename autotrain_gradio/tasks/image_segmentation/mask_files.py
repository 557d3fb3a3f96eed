"""Mask files: decode the pixels as values or colours, and count them."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from PIL import Image, ImageOps, UnidentifiedImageError

from autotrain_gradio.data.kinds.image import DECODER_ERRORS
from autotrain_gradio.data.media import content_type
from autotrain_gradio.data.media.image_formats import READABLE, WITH_ALPHA

COLOUR = 1 << 24
"""Added to packed colours, so that no colour equals a value."""
MOST_VALUES = 1024
"""Distinct values or colours of a mask that are counted one by one."""
OPAQUE = 128
"""Least alpha of a pixel that has a colour; others are transparent, which is black."""
DEEPEST = 65_535
"""Greatest value of a pixel."""
ORIENTATION = 0x0112
"""EXIF tag of the orientation."""


class MaskFact(NamedTuple):
    """Properties of one mask; width and height after its own EXIF rotation.

    values: JSON of pairs of a value, or `COLOUR` + packed colour, and its number of pixels.
    palette: JSON of value → packed colour, of the values of a palette image that occur.
    distinct: number of values; those beyond `MOST_VALUES` are not in `values`.
    transparent: number of transparent pixels.
    """

    width: int | None = None
    height: int | None = None
    mode: str | None = None
    format: str | None = None
    bytes: int = 0
    values: str = "[]"
    palette: str = ""
    distinct: int = 0
    transparent: int = 0
    problem: str | None = None
    detail: str = ""


def look(data: bytes | memoryview, limit: int) -> MaskFact:
    """Decode a mask completely and count its values, or say why it cannot be used. limit: most pixels."""
    size = len(data)
    if size == 0:
        return MaskFact(problem="mask-empty", detail="0 bytes")
    known = MaskFact(bytes=size)
    try:
        with Image.open(io.BytesIO(data), formats=READABLE) as image:
            width, height = image.size
            known = known._replace(width=width, height=height, mode=image.mode, format=image.format)
            if width * height > limit:
                return known._replace(problem="mask-too-large", detail=f"{width:,} × {height:,}")
            if image.mode == "F":
                return known._replace(problem="mask-fractions", detail="mode F")
            pixels, palette, transparent = decode(image)
            values, counts = count(pixels)
            order = np.argsort(-counts, kind="stable")[:MOST_VALUES]
            pairs = [[int(values[k]), int(counts[k])] for k in order]
            used = {str(v): palette[v] for v, _ in pairs if v in palette}
            return known._replace(
                height=pixels.shape[0],
                width=pixels.shape[1],
                values=json.dumps(pairs),
                palette=json.dumps(used) if used else "",
                distinct=len(values),
                transparent=transparent,
            )
    except UnidentifiedImageError:
        return known._replace(problem="mask-unknown", detail=content_type.describe(bytes(data[:64])))
    except Image.DecompressionBombError as error:
        return known._replace(problem="mask-too-large", detail=str(error))
    except DECODER_ERRORS as error:
        return known._replace(problem="mask-corrupt", detail=(str(error) or type(error).__name__)[:120])


def decode(image: Image.Image) -> tuple[np.ndarray, dict[int, int], int]:
    """Return the pixels of a mask, its palette, and the number of transparent pixels.

    pixels: int32 (height, width), the value of grey and palette images, else `COLOUR` + red, green, blue, packed.
    palette: value → packed colour.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode == "1":
        return np.asarray(image).astype(np.int32), {}, 0
    if image.mode == "P":
        flat = image.getpalette("RGB") or []
        palette = {n: pack(*flat[3 * n : 3 * n + 3]) for n in range(len(flat) // 3)}
        return np.asarray(image).astype(np.int32), palette, 0
    if image.mode == "L" or image.mode.startswith("I"):
        return np.asarray(image).astype(np.int32), {}, 0
    alpha = None
    if image.mode in WITH_ALPHA:
        layers = np.asarray(image.convert("RGBA"))
        alpha = layers[..., 3] < OPAQUE
        grey, layers = image.mode in {"LA", "La"}, layers[..., :3]
    else:
        grey, layers = False, np.asarray(image.convert("RGB"))
    wide = layers.astype(np.int32)
    pixels = wide[..., 0] if grey else COLOUR + ((wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2])
    if alpha is None or not alpha.any():
        return pixels, {}, 0
    return np.where(alpha, 0 if grey else COLOUR, pixels), {}, int(alpha.sum())


def count(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct values of an int32 array and their numbers."""
    if pixels.size and pixels.min() >= 0 and pixels.max() <= DEEPEST:
        counts = np.bincount(pixels.reshape(-1))
        values = np.flatnonzero(counts)
        return values, counts[values]
    codes, values = pd.factorize(pixels.reshape(-1))
    return np.asarray(values), np.bincount(codes, minlength=len(values))


def open_mask(source: bytes | str | Path) -> tuple[np.ndarray, dict[int, int]]:
    """Return pixels and palette of a mask, as `decode`. Raises what Pillow raises for damaged files."""
    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=READABLE) as image:
        pixels, palette, _ = decode(image)
        return pixels, palette


def pack(red: int, green: int, blue: int) -> int:
    """Return a colour as one number."""
    return (red << 16) | (green << 8) | blue


def unpack(colours: Any) -> np.ndarray:
    """Return packed colours, with `COLOUR` or not, as int64 (n, 3)."""
    numbers = np.asarray(colours, dtype=np.int64) % COLOUR
    return np.stack([numbers >> 16, (numbers >> 8) & 255, numbers & 255], axis=-1)


def show(value: int) -> str:
    """Return a value or colour for people: `7`, `#ff0000`."""
    return f"#{value - COLOUR:06x}" if value >= COLOUR else str(value)


def parse(text: str) -> int | None:
    """Return the value or colour that a text names; None: it names none."""
    text = text.strip().lower()
    if text.startswith("#") and len(text) == 7:
        try:
            return COLOUR + int(text[1:], 16)
        except ValueError:
            return None
    return int(text) if text.isdecimal() else None


def counts_of(fact_values: str) -> Counter[int]:
    """Return the counts of `MaskFact.values`."""
    return Counter({int(value): int(number) for value, number in json.loads(fact_values)})
