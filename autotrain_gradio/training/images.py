"""A torch data set of images with a cache of decoded images, limited by the free memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import torch

from autotrain_gradio.training.label_sets import LabelSets
from autotrain_gradio.training.vision import SCALE, Transform, open_image

SHARE = 0.25
"""Share of the free memory for the cache of decoded images."""
CGROUP = Path("/sys/fs/cgroup")

# OpenCV's own threads would compete with torch's, and do not survive the fork of a loader process.
cv2.setNumThreads(0)


class Budget:
    """Remaining size of the image cache in bytes; shared by the data sets of a run."""

    def __init__(self, size: float | None = None) -> None:
        self.left = free_memory() * SHARE if size is None else size


def free_memory() -> float:
    """Return the free memory in bytes: of the machine, or of its container if less."""
    free = float(psutil.virtual_memory().available)
    try:
        most, used = (CGROUP / n for n in ("memory.max", "memory.current"))
        return min(free, float(most.read_text()) - float(used.read_text()))  # "max": no limit, not a number
    except (OSError, ValueError):
        return free


class Images(torch.utils.data.Dataset[dict[str, Any]]):
    """Images and their targets; an item is `{"pixel_values": float32 (height, width, 3), "labels"}`.

    targets: a class number of each image (rows,); float32 numbers (rows, targets); or the `LabelSets` of multi-label
    images, whose items have 0 or 1 for each label, float32 (labels,).

    An image is decoded on first access, or by `preload`, and cached as RGB uint8, downscaled until its shorter side is
    `SCALE` times the model's input: crops of at least 44 % of the area keep the full resolution. When the budget is
    used up, other images are decoded at each access.

    white: as in `open_image`.
    """

    def __init__(
        self,
        cells: Sequence[Mapping[str, Any]],
        targets: Sequence[int] | np.ndarray | LabelSets,
        transform: Transform,
        side: int,
        *,
        budget: Budget | None = None,
        white: float | None = None,
    ) -> None:
        if len(cells) != len(targets):
            raise ValueError(f"{len(cells)} images for {len(targets)} targets")
        self.targets: Any = targets if isinstance(targets, np.ndarray | LabelSets) else np.asarray(targets, np.int64)
        self._cells, self._transform, self._side = cells, transform, round(side * SCALE)
        self._white = white
        self._cache: list[np.ndarray | None] = [None] * len(self.targets)
        self._budget = budget or Budget()
        # In shared memory: loader processes are persistent over the epochs.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    def __len__(self) -> int:
        return len(self.targets)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch (called by accelerate), so that each epoch has different augmentation."""
        self._epoch.fill_(epoch)

    def image(self, row: int) -> np.ndarray:
        """Return an image as uint8 (height, width, 3).

        Raises:
            DataError: it cannot be decoded.
        """
        cached = self._cache[row]
        if cached is not None:
            return cached
        pixels = np.asarray(open_image(self._cells[row], shorter_side=self._side, white=self._white))
        if pixels.nbytes <= self._budget.left:
            self._budget.left -= pixels.nbytes
            self._cache[row] = pixels
        return pixels

    def preload(self, should_continue: Callable[[int], bool] = lambda done: True) -> bool:
        """Decode images in threads until the budget is used up; return whether all are cached.

        should_continue: called after each batch with the number of decoded images; False cancels.
        """
        rows = iter(range(len(self)))
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            while batch := list(islice(rows, 64)):
                list(pool.map(self.image, batch))
                if any(self._cache[row] is None for row in batch) or not should_continue(batch[-1] + 1):
                    break
        return all(cached is not None for cached in self._cache)

    def __getitem__(self, row: int) -> dict[str, Any]:
        pixels = self._transform(self.image(row), epoch=int(self._epoch), row=row)
        return {"pixel_values": pixels, "labels": self.targets[row]}


def collate(items: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
    """Stack items of `Images`: pixel_values float32 (batch, 3, height, width), labels int64 (batch,), or float32
    (batch, targets).
    """
    first = items[0]["pixel_values"]
    batch = np.empty((len(items), first.shape[2], *first.shape[:2]), dtype=np.float32)
    for place, item in enumerate(items):
        batch[place] = item["pixel_values"].transpose(2, 0, 1)
    return {
        "pixel_values": torch.from_numpy(batch),
        "labels": torch.from_numpy(np.asarray([item["labels"] for item in items])),
    }
