"""Augmentation of images together with their masks."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from autotrain_gradio.training.vision import A  # imported there without its check for a newer version

LEAST_CROP = 0.3
"""Area of the smallest crop, relative to the image."""


class MaskTransform:
    """A pipeline of albumentations for images and masks, whose randomness depends on seed, epoch and row only."""

    def __init__(self, params: Any) -> None:
        self._compose = A.Compose(_steps(params))
        self._seed = params.seed
        self._python, self._philox = random.Random(), np.random.Philox(key=params.seed)
        self._fresh = self._philox.state
        self._compose.set_random_state(np.random.Generator(self._philox), self._python)

    def __call__(self, image: np.ndarray, mask: np.ndarray, *, epoch: int = 0, row: int = 0) -> tuple[Any, Any]:
        """Return the image (height, width, 3) and its mask uint8 (height, width), whose pixels stay class numbers."""
        self._python.seed((self._seed * 1_000_003 + epoch) * 4_294_967_291 + row)
        self._fresh["state"]["counter"][:] = (0, row, epoch, 0)
        self._philox.state = self._fresh
        found = self._compose(image=image, mask=mask)
        return found["image"], found["mask"]


def _steps(params: Any) -> list[Any]:
    steps: list[Any] = []
    if params.random_resized_crop:
        steps.append(RandomCrop(p=0.75))
    if params.random_rotate90:
        steps.append(A.RandomRotate90(p=0.75))
    if params.horizontal_flip:
        steps.append(A.HorizontalFlip(p=0.5))
    if params.random_brightness_contrast:
        steps.append(A.RandomBrightnessContrast(p=0.5))
    return steps


class RandomCrop(A.augmentations.crops.transforms.BaseCrop):
    """A crop of 30 to 100 % of the area with the shape of the image, anywhere in it; the model's input is resized."""

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """Return the corners of the crop in pixels."""
        height, width = params["shape"][:2]
        scale = self.py_random.uniform(LEAST_CROP, 1.0) ** 0.5
        tall, wide = max(1, round(height * scale)), max(1, round(width * scale))
        top, left = self.py_random.randint(0, height - tall), self.py_random.randint(0, width - wide)
        return {"crop_coords": (left, top, left + wide, top + tall)}
