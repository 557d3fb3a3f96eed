"""Batches of images and boxes: images are decoded and augmented as they are needed, and never all in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset

from autotrain_gradio.tasks.object_detection.augmentation import BoxTransform
from autotrain_gradio.training.image_files import open_image

ROWS = "rows"
"""Input of a batch with row number, height and width of each image: it is removed before the model is called."""


class DetectionImages(torch.utils.data.Dataset[dict[str, Any]]):
    """Images with their boxes; an item is `{"image": uint8 (height, width, 3), "boxes": (n, 4), "labels", "row"}`.

    boxes: left, top, width, height in pixels of the image. An image is decoded at each access.
    """

    def __init__(
        self, rows: Dataset, side: int, *, transform: BoxTransform | None = None, white: float | None = None
    ) -> None:
        self._rows, self._side, self._transform, self._white = rows, side, transform, white
        # In shared memory: loader processes are persistent over the epochs.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    def __len__(self) -> int:
        return len(self._rows)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch (called by accelerate), so that each epoch has different augmentation."""
        self._epoch.fill_(epoch)

    def annotations(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the boxes (n, 4) of a row, in pixels of its image, and their classes (n,)."""
        objects = self._rows[row]["objects"]
        boxes = np.asarray(objects["bbox"], dtype=np.float64).reshape(-1, 4)
        return boxes, np.asarray(objects["category"], dtype=np.int64)

    def image(self, row: int) -> np.ndarray:
        """Return the image of a row as uint8 (height, width, 3).

        Raises:
            DataError: it cannot be decoded.
        """
        return np.asarray(open_image(self._rows[row]["image"], white=self._white))

    def __getitem__(self, row: int) -> dict[str, Any]:
        image, (boxes, labels) = self.image(row), self.annotations(row)
        if self._transform is not None:
            image, boxes, labels = self._transform(image, boxes, labels, epoch=int(self._epoch), row=row)
        return {"image": image, "boxes": boxes, "labels": labels, "row": row}


class Collator:
    """Makes a batch of items with a model's image processor, which converts the boxes as the model needs them."""

    def __init__(self, processor: Any) -> None:
        self._processor = processor

    def __call__(self, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return pixel_values (batch, 3, side, side), labels (a dict for each image) and rows (batch, 3).

        rows: row number, height and width in pixels of each image, to which an evaluation scales the boxes.
        """
        made = self._processor(
            images=[item["image"] for item in items],
            annotations=[coco(item) for item in items],
            return_tensors="pt",
            input_data_format="channels_last",
        )
        labels = [dict(label) for label in made["labels"]]
        rows = torch.tensor([(item["row"], *item["image"].shape[:2]) for item in items], dtype=torch.long)
        return {"pixel_values": made["pixel_values"], "labels": labels, ROWS: rows}


def coco(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the boxes of an item as annotations of COCO."""
    found = [
        {
            "image_id": item["row"],
            "category_id": int(label),
            "bbox": [float(v) for v in box],
            "area": float(box[2] * box[3]),
            "iscrowd": 0,
        }
        for box, label in zip(item["boxes"], item["labels"], strict=True)
    ]
    return {"image_id": item["row"], "annotations": found}
