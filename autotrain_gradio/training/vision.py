"""Preprocessing of images as a model's image processor does it, and augmentation."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotrain_gradio.training.import_blocking import blocked_import

# On import albumentations checks online for a newer version.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

with blocked_import("torch"):  # torch is needed for one unused transform only, and a preview does not need it
    import albumentations as A
import cv2  # noqa: E402
import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

from autotrain_gradio.core.errors import UserError  # noqa: E402
from autotrain_gradio.training.image_files import open_image, thumbnail, white_level  # noqa: E402

__all__ = [
    "LONGEST_SIDE",
    "SCALE",
    "Geometry",
    "Transform",
    "open_image",
    "preview_transform",
    "thumbnail",
    "train_transform",
    "valid_transform",
    "white_level",
]

SCALE = 1.5
"""Maximum shorter side of cached images, relative to the model's input."""
LONGEST_SIDE = 4096
"""Longest side in pixels that an image processor may resize to: beyond, one image takes gigabytes."""


@dataclass(frozen=True)
class Geometry:
    """Output of an image processor: size in pixels, and normalization.

    A value p of a channel, from 0 to 1, becomes (p - mean) / std, by channel in the model's order.
    channels: order of red, green, blue (0, 1, 2); most models use (0, 1, 2).
    """

    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    channels: tuple[int, ...] = (0, 1, 2)

    @classmethod
    def of(cls, processor: Any) -> Geometry:
        """Infer it from the output of the processor for three squares: black, white, and a colour.

        So it does not depend on how a processor declares its size (`height` and `width`, `shortest_edge`,
        `longest_edge`, a crop), its rescaling or its channel order.

        Raises:
            UserError: its output is not one array (3, height, width), or not a linear function of the pixels.
        """
        settings = processor.to_dict() if hasattr(processor, "to_dict") else {}
        sizes = [settings.get(name) for name in ("size", "crop_size", "pad_size")]
        sides = [s for size in sizes for s in (size.values() if isinstance(size, Mapping) else [size])]
        longest = max((s for s in sides if isinstance(s, int | float)), default=0)
        if longest > LONGEST_SIDE:
            raise UserError(
                f"The model's image processor resizes images to {longest:,.0f} pixels; at most {LONGEST_SIDE:,} are "
                "supported.",
                "Choose another model.",
                "model",
                "model-broken",
            )
        colours: tuple[Any, ...] = ("black", "white", (0, 51, 102))
        squares = [Image.new("RGB", (64, 64), c) for c in colours]
        values = np.asarray(processor(images=squares, return_tensors="pt")["pixel_values"], dtype=np.float64)
        name = type(processor).__name__
        if values.ndim != 4 or values.shape[:2] != (3, 3):
            raise UserError(
                f"The model's image processor ({name}) returns {values.shape[1:]}, not (3, height, width).",
                "Choose one of the suggested models, or another model for RGB images.",
                "model",
                "model-wrong-task",
            )
        height, width = values.shape[2:]
        low, high, mixed = values[:, :, height // 2, width // 2]
        if np.any(high <= low):
            message = f"The model's image processor ({name}) returns the same values for black and white."
            raise UserError(message, "Choose another model.", "model", "model-broken")
        order = np.rint((mixed - low) / (high - low) * 5).astype(int)
        if sorted(order.tolist()) != [0, 1, 2]:
            message = f"The model's image processor ({name}) mixes the colour channels."
            raise UserError(message, "Choose another model.", "model", "model-wrong-task")
        mean, std = -low / (high - low), 1 / (high - low)
        return cls(height, width, tuple(mean.tolist()), tuple(std.tolist()), tuple(order.tolist()))


class Transform:
    """A pipeline of albumentations whose randomness depends on seed, epoch and row only.

    So epochs differ, and neither resuming nor the number of loader processes changes the result. Input: RGB uint8
    (height, width, 3).
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
        """Return the transformed array (height, width, 3); float32 if normalized."""
        self._python.seed((self._seed * 1_000_003 + epoch) * 4_294_967_291 + row)
        self._fresh["state"]["counter"][:] = (0, row, epoch, 0)
        self._philox.state = self._fresh
        found = self._compose(image=pixels)["image"]
        return found if self._channels is None else found[..., self._channels]


def train_transform(geometry: Geometry, params: Any) -> Transform:
    """Return the augmentation (as set by the parameters) and normalization of training images.

    As in AutoTrain Advanced: random resized crop, rotation by multiples of 90 degrees, horizontal flip with probability
    0.5, brightness and contrast with probability 0.2.
    """
    steps = [*_augmentation(geometry, params), _normalize(geometry)]
    return Transform(steps, channels=geometry.channels, seed=params.seed)


def valid_transform(geometry: Geometry) -> Transform:
    """Return the deterministic preprocessing of validation images: resize and normalize."""
    return Transform([_resize(geometry), _normalize(geometry)], channels=geometry.channels)


def preview_transform(geometry: Geometry, params: Any) -> Transform:
    """Return the augmentation without normalization, for display (RGB uint8)."""
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
    # Area interpolation: each output pixel is the mean of the pixels that it covers.
    return A.Resize(geometry.height, geometry.width, interpolation=cv2.INTER_AREA)


def _normalize(geometry: Geometry) -> Any:
    by_colour = [geometry.channels.index(c) for c in range(3)]
    return A.Normalize(mean=[geometry.mean[i] for i in by_colour], std=[geometry.std[i] for i in by_colour])
