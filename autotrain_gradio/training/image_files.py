"""Image files: open a cell as an RGB image, limit its size, and save thumbnails."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.data.files.json_files import read_json
from autotrain_gradio.data.media.image_formats import READABLE, as_rgb


def white_level(directory: Path, role: str) -> float | None:
    """Return the value that is white in a column's images of more than 8 bits; None if it has none.

    directory: of a run whose data was checked.
    """
    manifest = read_json(directory / "data" / "manifest.json") or {}
    level: float | None = manifest.get("white_levels", {}).get(role)
    return level


def open_image(cell: Mapping[str, Any], *, shorter_side: int | None = None, white: float | None = None) -> Image.Image:
    """Open a cell `{"path", "bytes"}` as an RGB image.

    The EXIF orientation is applied, transparency becomes white, 16 bits become 8; of an animation the first frame is
    used.

    white: the value that is white in images of 16 bits, (`white_level`); None: each image has its own.
    shorter_side: downscale to this length of the shorter side, while decoding if the format supports it.

    Raises:
        DataError: it cannot be decoded.
    """
    data = cell.get("bytes")
    try:
        with Image.open(io.BytesIO(data) if data else cell["path"], formats=READABLE) as image:
            if shorter_side:
                image.draft("RGB", (shorter_side, shorter_side))  # JPEG: decode at a half, quarter or eighth
            return _downscale(as_rgb(image, white), shorter_side)
    except (OSError, SyntaxError, ValueError, IndexError, TypeError, Image.DecompressionBombError) as error:
        # Pillow's decoders raise various exceptions for damaged files.
        where = str(cell.get("path") or "an image inside the data")
        raise DataError(
            f"The image cannot be decoded: {error}.",
            "The file was changed or is damaged: check the data again.",
            where,
            "image-corrupt",
        ) from error


def _downscale(image: Image.Image, shorter_side: int | None) -> Image.Image:
    if not shorter_side or min(image.size) <= shorter_side:
        return image
    scale = shorter_side / min(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def thumbnail(picture: np.ndarray | Image.Image, path: Path, side: int = 160) -> None:
    """Save a JPEG of at most `side` pixels a side."""
    image = picture.copy() if isinstance(picture, Image.Image) else Image.fromarray(np.ascontiguousarray(picture))
    image.thumbnail((side, side))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, "JPEG", quality=85)
