"""Augmentation of images together with their boxes."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from autotrain_gradio.training.vision import A  # imported there without its check for a newer version

LEAST_VISIBLE = 0.3
"""Part of a box that must be left in a crop."""
LEAST_CROP = 0.3
"""Area of the smallest crop, relative to the image."""


class BoxTransform:
    """A pipeline of albumentations for images and boxes, whose randomness depends on seed, epoch and row only."""

    def __init__(self, params: Any) -> None:
        self._steps = _steps(params)
        self._seed = params.seed
        self._python, self._philox = random.Random(), np.random.Philox(key=params.seed)
        self._fresh = self._philox.state
        self._generator = np.random.Generator(self._philox)

    def __call__(
        self, image: np.ndarray, boxes: np.ndarray, labels: np.ndarray, *, epoch: int = 0, row: int = 0
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the image (height, width, 3), the boxes that are left (n, 4) as left, top, width, height, and classes.

        Boxes are in pixels of the image before and after.
        """
        if not self._steps:
            return image, boxes, labels
        boxes_format = A.BboxParams(
            format="coco", label_fields=["labels"], min_visibility=LEAST_VISIBLE, min_width=1, min_height=1, clip=True
        )
        compose = A.Compose(self._steps, bbox_params=boxes_format)
        self._python.seed((self._seed * 1_000_003 + epoch) * 4_294_967_291 + row)
        self._fresh["state"]["counter"][:] = (0, row, epoch, 0)
        self._philox.state = self._fresh
        compose.set_random_state(self._generator, self._python)
        found = compose(image=image, bboxes=boxes, labels=labels.tolist())
        left = np.asarray(found["bboxes"], dtype=np.float64).reshape(-1, 4)
        return found["image"], left, np.asarray(found["labels"], dtype=np.int64)


def _steps(params: Any) -> list[Any]:
    steps: list[Any] = []
    if params.random_crop:
        steps.append(RandomCrop(p=0.5))
    if params.horizontal_flip:
        steps.append(A.HorizontalFlip(p=0.5))
    if params.random_brightness_contrast:
        steps.append(A.RandomBrightnessContrast(p=0.5))
    return steps


class RandomCrop(A.augmentations.crops.transforms.BaseCrop):
    """A crop of 30 to 100 % of the area with the shape of the image, anywhere in it."""

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """Return the corners of the crop in pixels."""
        height, width = params["shape"][:2]
        scale = self.py_random.uniform(LEAST_CROP, 1.0) ** 0.5
        tall, wide = max(1, round(height * scale)), max(1, round(width * scale))
        top, left = self.py_random.randint(0, height - tall), self.py_random.randint(0, width - wide)
        return {"crop_coords": (left, top, left + wide, top + tall)}
