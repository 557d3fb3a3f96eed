"""Object detection: preview of the augmented training images with their boxes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio import data
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.tasks.object_detection.augmentation import BoxTransform
from autotrain_gradio.tasks.object_detection.boxes import as_array
from autotrain_gradio.tasks.object_detection.boxes_panel import boxes_panel
from autotrain_gradio.training import vision

SIDE = 480


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show a few images with their boxes, each unchanged and with the augmentation of the first epochs.

    The augmentation is that of the training with the same seed. Nothing is downloaded.

    context: `images`, how many images (default 4, at most 16); `versions` of each (default 3, at most 16).

    Raises:
        DataError: the data was not checked yet.
    """
    rows = data.load(draft)["train"]
    names = rows.features["objects"]["category"].feature.names
    transform, white = BoxTransform(params), vision.white_level(draft, "image")
    folder = draft / "preview"
    shutil.rmtree(folder, ignore_errors=True)
    counts = np.array([len(objects["category"]) for objects in rows["objects"]])
    order = np.random.default_rng(params.seed).permutation(len(rows))
    chosen = sorted(order.tolist(), key=lambda row: counts[row] == 0)[: min(16, int(context.get("images", 4)))]
    items = []
    for row in chosen:
        pixels = np.asarray(vision.open_image(rows[row]["image"], white=white))
        objects = rows[row]["objects"]
        boxes, labels = as_array(objects["bbox"]), np.asarray(objects["category"], dtype=np.int64)
        versions = [("original", (pixels, boxes, labels))]
        for epoch in range(min(16, int(context.get("versions", 3)))):
            versions.append((f"epoch {epoch + 1}", transform(pixels, boxes, labels, epoch=epoch, row=row)))
        for place, (caption, (image, found, classes)) in enumerate(versions):
            file = folder / f"{row}-{place}.jpg"
            vision.thumbnail(image, file, SIDE)
            ends = np.concatenate([found[:, :2], found[:, :2] + found[:, 2:]], axis=1)
            drawn = [{"box": b, "label": names[c]} for b, c in zip(ends.tolist(), classes.tolist(), strict=True)]
            items.append(
                {
                    "file": f"preview/{file.name}",
                    "caption": f"row {row + 1}, {caption}",
                    "width": image.shape[1],
                    "height": image.shape[0],
                    "boxes": drawn,
                }
            )
    side = params.image_square_size
    note = f"The model gets each image resized to {side} × {side} pixels, without regard to its proportions."
    return [boxes_panel("Training images with augmentation", items, note=note)]


def load_ahead() -> None:
    """Import the data sets library."""
    import datasets  # noqa: F401
