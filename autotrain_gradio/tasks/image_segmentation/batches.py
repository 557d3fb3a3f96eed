"""Batches of images and masks: both are decoded and augmented as they are needed, and never all in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from datasets import Dataset

from autotrain_gradio.tasks.image_segmentation.augmentation import MaskTransform
from autotrain_gradio.tasks.image_segmentation.mask_reader import MaskReader
from autotrain_gradio.training.image_files import open_image

ROWS, TRUE = "rows", "true"
"""Inputs of a batch that the model does not get: row numbers, and validation masks in the size of the images."""


class SegmentationImages(torch.utils.data.Dataset[dict[str, Any]]):
    """Images with masks; an item is `{"image": uint8 (height, width, 3), "mask": uint8 (height, width), "row"}`.

    An image and its mask are decoded at each access. Without a transform, batches have the masks in their size, too.
    """

    def __init__(
        self, rows: Dataset, reader: MaskReader, *, transform: MaskTransform | None = None, white: float | None = None
    ) -> None:
        self._rows, self._reader, self._transform, self._white = rows, reader, transform, white
        # In shared memory: loader processes are persistent over the epochs.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    def __len__(self) -> int:
        return len(self._rows)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch (called by accelerate), so that each epoch has different augmentation."""
        self._epoch.fill_(epoch)

    def image(self, row: int) -> np.ndarray:
        """Return the image of a row as uint8 (height, width, 3).

        Raises:
            DataError: it cannot be decoded.
        """
        return np.asarray(open_image(self._rows[row]["image"], white=self._white))

    def mask(self, row: int, size: tuple[int, int]) -> np.ndarray:
        """Return the class numbers of a row, uint8 of this size (height, width).

        Raises:
            DataError: it cannot be decoded.
        """
        return self._reader.read(self._rows[row], size)

    def __getitem__(self, row: int) -> dict[str, Any]:
        image = self.image(row)
        mask = self.mask(row, image.shape[:2])
        if self._transform is None:
            return {"image": image, "mask": mask, "row": row, TRUE: mask}
        image, mask = self._transform(image, mask, epoch=int(self._epoch), row=row)
        return {"image": image, "mask": mask, "row": row}


class Collator:
    """Makes a batch of items with a model's image processor; masks are resized to the same square (nearest pixel)."""

    def __init__(self, processor: Any) -> None:
        self._processor = processor

    def __call__(self, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return pixel_values (batch, 3, side, side), labels int64 (batch, side, side), row numbers (batch,).

        Of validation images also the masks in their own size, a list of uint8 (height, width).
        """
        images = [item["image"] for item in items]
        made = self._processor(images=images, return_tensors="pt", input_data_format="channels_last")
        height, width = made["pixel_values"].shape[-2:]
        masks = [cv2.resize(i["mask"], (width, height), interpolation=cv2.INTER_NEAREST_EXACT) for i in items]
        labels = torch.from_numpy(np.stack(masks)).long()
        rows = torch.tensor([item["row"] for item in items], dtype=torch.long)
        batch = {"pixel_values": made["pixel_values"], "labels": labels, ROWS: rows}
        whole = [torch.from_numpy(item[TRUE].copy()) for item in items if TRUE in item]
        return batch | ({TRUE: whole} if whole else {})
