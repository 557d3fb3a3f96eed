"""Images for a model: opening them, the size and scale that a processor wants, augmentation."""

from __future__ import annotations

import io
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotrain_gradio.training.import_blocking import blocked_import

# albumentations asks the network for a newer version of itself when it is imported.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

with blocked_import("torch"):  # for one transform that is not used here; a preview needs none of it
    import albumentations as A
import cv2  # noqa: E402
import numpy as np  # noqa: E402
from PIL import Image, ImageOps  # noqa: E402

from autotrain_gradio.core.errors import DataError, UserError
from autotrain_gradio.data.media.image_formats import READABLE

SCALE = 1.5
"""Images are kept with a shorter side of at most so many times the model's input side."""
SIXTEEN_BITS = {"I;16", "I;16L", "I;16B", "I;16N", "I", "F"}
WITH_ALPHA = {"RGBA", "LA", "PA", "La", "RGBa"}


@dataclass(frozen=True)
class Geometry:
    """What a processor makes of a picture: its size in pixels, and how values are scaled.

    A value p of a channel, from 0 to 1, becomes (p - mean) / std, by channel in the model's order.
    channels: which of red, green, blue (0, 1, 2) stands at each place; most models want (0, 1, 2).
    """

    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    channels: tuple[int, ...] = (0, 1, 2)

    @classmethod
    def of(cls, processor: Any) -> Geometry:
        """Find it out by letting the processor prepare three squares: black, white, and one of three colours.

        So it does not matter how it names its sizes (`height` and `width`, `shortest_edge`, `longest_edge`, a crop),
        in which steps it scales, or whether it wants blue first.

        Raises:
            UserError: it does not turn a picture into one array (3, height, width), or does not scale evenly.
        """
        colours: tuple[Any, ...] = ("black", "white", (0, 51, 102))
        squares = [Image.new("RGB", (64, 64), c) for c in colours]
        values = np.asarray(processor(images=squares, return_tensors="pt")["pixel_values"], dtype=np.float64)
        name = type(processor).__name__
        if values.ndim != 4 or values.shape[:2] != (3, 3):
            raise UserError(
                f"The model's image processor ({name}) gives {values.shape[1:]} and not (3, height, width).",
                "Choose one of the suggested models, or another image classifier.",
                "model",
                "model-wrong-task",
            )
        height, width = values.shape[2:]
        low, high, mixed = values[:, :, height // 2, width // 2]
        if np.any(high <= low):
            message = f"The model's image processor ({name}) gives the same values for black and white."
            raise UserError(message, "Choose another model.", "model", "model-broken")
        order = np.rint((mixed - low) / (high - low) * 5).astype(int)
        if sorted(order.tolist()) != [0, 1, 2]:
            message = f"The model's image processor ({name}) mixes the colours of a picture."
            raise UserError(message, "Choose another model.", "model", "model-wrong-task")
        mean, std = -low / (high - low), 1 / (high - low)
        return cls(height, width, tuple(mean.tolist()), tuple(std.tolist()), tuple(order.tolist()))

    @property
    def side(self) -> int:
        """The longer of height and width."""
        return max(self.height, self.width)


def open_image(cell: Mapping[str, Any], *, shorter_side: int | None = None) -> Image.Image:
    """Open a cell `{"path", "bytes"}` as an upright RGB picture.

    Rotation by EXIF is applied, transparency is laid on white, 16 bits become 8; of an animation the first picture
    is taken.

    shorter_side: make the picture smaller until its shorter side is this long, cheaply where the format can.

    Raises:
        DataError: it cannot be decoded.
    """
    data = cell.get("bytes")
    try:
        with Image.open(io.BytesIO(data) if data else cell["path"], formats=READABLE) as image:
            if shorter_side:
                image.draft("RGB", (shorter_side, shorter_side))  # JPEG: decode at a half, quarter or eighth
            return _smaller(_rgb(image), shorter_side)
    except (OSError, SyntaxError, ValueError, IndexError, TypeError, Image.DecompressionBombError) as error:
        # What Pillow's decoders raise on damaged files is not one kind of error.
        where = str(cell.get("path") or "an image inside the data")
        raise DataError(
            f"The image cannot be read: {error}.",
            "It was changed or is damaged: check the data again.",
            where,
            "image-corrupt",
        ) from error


def _rgb(image: Image.Image) -> Image.Image:
    image = ImageOps.exif_transpose(image)
    if image.mode in SIXTEEN_BITS:
        values = np.asarray(image, dtype=np.float64)
        top = (
            1.0
            if image.mode == "F" and values.max(initial=0) <= 1
            else 65535.0
            if values.max(initial=0) > 255
            else 255.0
        )
        return Image.fromarray((values.clip(0, top) / top * 255).astype(np.uint8)).convert("RGB")
    if image.mode in WITH_ALPHA or "transparency" in image.info:
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, "white")
        ground.alpha_composite(layer)
        image = ground
    return image.convert("RGB")


def _smaller(image: Image.Image, shorter_side: int | None) -> Image.Image:
    if not shorter_side or min(image.size) <= shorter_side:
        return image
    scale = shorter_side / min(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


class Transform:
    """Steps of albumentations; what chance decides depends on the seed, the epoch and the row alone.

    So epochs differ, a resumed run sees what it would have seen, and any number of loader processes gives the same.
    Pixels go in as uint8 (height, width, 3) in RGB.
    """

    def __init__(self, steps: Sequence[Any], *, channels: tuple[int, ...] = (0, 1, 2), seed: int = 0) -> None:
        self._compose = A.Compose(list(steps))
        self._channels = list(channels) if channels != (0, 1, 2) else None
        self._seed = seed
        self._python = random.Random()
        self._philox = np.random.Philox(key=seed)
        self._fresh = self._philox.state
        self._compose.set_random_state(np.random.Generator(self._philox), self._python)

    def __call__(self, pixels: np.ndarray, *, epoch: int = 0, row: int = 0) -> np.ndarray:
        """Return the array (height, width, 3) that comes out; float32 where the steps normalise."""
        self._python.seed((self._seed * 1_000_003 + epoch) * 4_294_967_291 + row)
        self._fresh["state"]["counter"][:] = (0, row, epoch, 0)
        self._philox.state = self._fresh
        found = self._compose(image=pixels)["image"]
        return found if self._channels is None else found[..., self._channels]

    def names(self) -> list[str]:
        """Return the steps' names, in their order."""
        return [type(step).__name__ for step in self._compose.transforms]


def train_transform(geometry: Geometry, params: Any) -> Transform:
    """Return the augmentation of the training images, each part with its switch in the parameters, normalized.

    As AutoTrain Advanced's: random resized crop, rotation by multiples of 90 degrees, mirroring of every second
    image, brightness and contrast of every fifth.
    """
    steps = [*_augmentation(geometry, params), _normalise(geometry)]
    return Transform(steps, channels=geometry.channels, seed=params.seed)


def valid_transform(geometry: Geometry) -> Transform:
    """Return what is done to an image that is judged: resized to the input, normalized; nothing by chance."""
    return Transform([_resize(geometry), _normalise(geometry)], channels=geometry.channels)


def preview_transform(geometry: Geometry, params: Any) -> Transform:
    """Return the augmentation alone, which gives images to look at (uint8, RGB)."""
    return Transform(_augmentation(geometry, params), seed=params.seed)


def _augmentation(geometry: Geometry, params: Any) -> list[Any]:
    size = (geometry.height, geometry.width)
    steps: list[Any] = [A.RandomResizedCrop(size=size) if params.random_resized_crop else _resize(geometry)]
    if params.random_rotate90:
        steps.append(A.RandomRotate90())
        if geometry.height != geometry.width:
            steps.append(_resize(geometry))
    if params.horizontal_flip:
        steps.append(A.HorizontalFlip(p=0.5))
    if params.random_brightness_contrast:
        steps.append(A.RandomBrightnessContrast(p=0.2))
    return steps


def _resize(geometry: Geometry) -> Any:
    # By area: each pixel of a smaller picture is the mean of those that it stands for.
    return A.Resize(geometry.height, geometry.width, interpolation=cv2.INTER_AREA)


def _normalise(geometry: Geometry) -> Any:
    by_colour = [geometry.channels.index(c) for c in range(3)]
    return A.Normalize(mean=[geometry.mean[i] for i in by_colour], std=[geometry.std[i] for i in by_colour])


def thumbnail(picture: np.ndarray | Image.Image, path: Path, side: int = 160) -> None:
    """Save a JPEG of at most `side` pixels a side; a number in the file's name, not a label."""
    image = picture.copy() if isinstance(picture, Image.Image) else Image.fromarray(np.ascontiguousarray(picture))
    image.thumbnail((side, side))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, "JPEG", quality=85)
