"""Read the mask of a row as class numbers, as the check decided it."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.data.files.json_files import read_json
from autotrain_gradio.data.media.image_formats import READABLE
from autotrain_gradio.tasks.image_segmentation.mask_classes import IGNORE, Classes, convert
from autotrain_gradio.tasks.image_segmentation.mask_files import COLOUR, DEEPEST, ORIENTATION, open_mask, unpack
from autotrain_gradio.tasks.image_segmentation.segments import draw

MASK, SEGMENTS = "mask", "polygons"
"""Roles of the two formats."""
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → what makes an image upright."""


class MaskReader:
    """Reads the masks of a run. names: of the classes. pixels: of each class in the training split."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Prepare it. settings: those that the check stored for the role of the masks."""
        self.names: list[str] = list(settings["names"])
        self._empty: int = settings.get("empty", IGNORE)
        self.pixels: list[int] = list(settings.get("pixels", []))
        self._classes = Classes.from_dict(settings) if "table" in settings else None
        self._lookup = self._build_lookup() if self._classes and self._classes.form == "values" else None

    @classmethod
    def of(cls, directory: Path) -> MaskReader:
        """Return the reader of a run whose data was checked.

        Raises:
            DataError: it was checked by a version without it.
        """
        found = (read_json(directory / "data" / "manifest.json") or {}).get("settings", {})
        settings = found.get(MASK) or found.get(SEGMENTS)
        if settings is None:
            raise DataError("The data was not prepared.", "Check it again.", str(directory), "data-not-prepared")
        return cls(settings)

    def read(self, row: Mapping[str, Any], size: tuple[int, int]) -> np.ndarray:
        """Return class numbers uint8 (height, width) of the image, `IGNORE` where there is none.

        row: of the dataset. size: height and width of the image as it is shown.

        Raises:
            DataError: the mask cannot be decoded.
        """
        if row.get(SEGMENTS) is not None:
            cell = json.loads(row[SEGMENTS])
            made = draw(cell["segments"], tuple(cell["size"]), self._empty, IGNORE)
            return self._fit(made, row, size, exif=False)
        cell = row[MASK]
        try:
            source = cell["bytes"] if cell.get("bytes") else cell["path"]
            pixels, palette = open_mask(source)
        except (OSError, SyntaxError, ValueError, IndexError, TypeError, Image.DecompressionBombError) as error:
            where = str(cell.get("path") or "a mask inside the data")
            hint = "The file was changed or is damaged: check the data again."
            raise DataError(f"The mask cannot be decoded: {error}.", hint, where, "mask-corrupt") from error
        return self._fit(self.classify(pixels, palette), row, size, exif=True)

    def classify(self, pixels: np.ndarray, palette: Mapping[int, int]) -> np.ndarray:
        """Return class numbers of the pixels of a mask (see `mask_files.decode`)."""
        assert self._classes is not None
        if self._lookup is not None:
            values = np.where(pixels >= COLOUR, pixels & 255, pixels) if pixels.max(initial=0) >= COLOUR else pixels
            return self._lookup[values.clip(0, DEEPEST)]
        codes, found = pd.factorize(pixels.reshape(-1))
        colours = [convert(int(v), "colours", {n: COLOUR + c for n, c in palette.items()}) for v in found]
        return self._classes_of(np.asarray(colours))[codes].reshape(pixels.shape)

    def _build_lookup(self) -> np.ndarray:
        """Return the class of each value."""
        return self._classes_of(np.arange(DEEPEST + 1))

    def _classes_of(self, values: np.ndarray) -> np.ndarray:
        """Return the class of values or colours, by the table or as the nearest one."""
        assert self._classes is not None
        table, ignored = self._classes.table, set(self._classes.ignored)
        made = np.full(len(values), IGNORE, dtype=np.uint8)
        places = {int(v): n for n, v in enumerate(values)}
        for value, number in table.items():
            if value in places:
                made[places[value]] = number
        if self._classes.others == "nearest":
            others = np.array([v not in table and v not in ignored for v in values.tolist()], dtype=bool)
            known = np.array(list(table))
            if self._classes.form == "values":
                nearest = known[np.abs(values[others, None] - known[None]).argmin(axis=1)]
            else:
                points, ends = unpack(values[others]), unpack(known)
                nearest = known[((points[:, None] - ends[None]) ** 2).sum(axis=2).argmin(axis=1)]
            made[others] = [table[int(v)] for v in nearest]
        return made

    def _fit(self, mask: np.ndarray, row: Mapping[str, Any], size: tuple[int, int], *, exif: bool) -> np.ndarray:
        """Rotate a mask like its image where it must be, and resize it to the size of the image."""
        swapped = size[0] != size[1] and mask.shape[:2] == (size[1], size[0])
        rotate_all = exif and self._classes is not None and self._classes.rotate == "all"
        if swapped or rotate_all:
            turn = TURNS.get(orientation(row["image"]))
            if turn is not None and (swapped or not (row.get(MASK) and orientation(row[MASK]) in TURNS)):
                mask = np.asarray(Image.fromarray(mask).transpose(turn))
        if mask.shape[:2] == size:
            return mask
        return np.asarray(cv2.resize(mask, (size[1], size[0]), interpolation=cv2.INTER_NEAREST_EXACT))


def orientation(cell: Mapping[str, Any]) -> int:
    """Return the EXIF orientation of an image, from 1 to 8; only its header is read."""
    data = cell.get("bytes")
    with Image.open(io.BytesIO(data) if data else cell["path"], formats=READABLE) as image:
        return int(image.getexif().get(ORIENTATION, 1))
