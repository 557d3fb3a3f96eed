"""Image formats that the check, the training and the predictions open, and their conversion to RGB."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "PPM", "JPEG2000", "AVIF")
"""Formats that are opened. Not those for which Pillow starts other programs (EPS)."""
Image.init()  # else only the most common formats are known
READABLE = tuple(f for f in FORMATS if f in Image.OPEN)
DEEP = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})
"""Modes with more than 8 bits a pixel: grey values of cameras, microscopes and scanners."""
WITH_ALPHA = frozenset({"RGBA", "LA", "PA", "La", "RGBa"})
DEPTHS = (8, 10, 12, 14, 16)
"""Bits a pixel of cameras; files of 16 bits hold all of them."""


def white_level(brightest: float) -> float:
    """Return the value that is white in images with this brightest pixel: the greatest of the camera's bit depth.

    Values up to 1 are fractions; above 16 bits, the brightest pixel is white.
    """
    if brightest <= 1:
        return 1.0
    return next((float(2**bits - 1) for bits in DEPTHS if brightest < 2**bits), brightest)


def as_rgb(image: Image.Image, white: float | None = None) -> Image.Image:
    """Return an image upright and in RGB: transparency on white, more than 8 bits scaled to 8.

    white: value of a deep image that becomes white, one for all images of a dataset; None: that of this image alone.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode in DEEP:
        values = np.asarray(image, dtype=np.float64)
        top = white or white_level(float(values.max(initial=0)))
        return Image.fromarray((values.clip(0, top) / top * 255).astype(np.uint8)).convert("RGB")
    if image.mode in WITH_ALPHA or "transparency" in image.info:
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, "white")
        ground.alpha_composite(layer)
        image = ground
    return image.convert("RGB")
