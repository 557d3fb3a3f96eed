"""Image formats that the check, the training and the predictions open."""

from __future__ import annotations

from PIL import Image

FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "PPM", "JPEG2000", "AVIF")
"""Formats that are opened. Not those for which Pillow starts other programs (EPS)."""
Image.init()  # else only the most common formats are known
READABLE = tuple(f for f in FORMATS if f in Image.OPEN)
