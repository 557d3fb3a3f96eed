"""Image segmentation: preview of the augmented training images with their masks."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio import data
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.tasks.image_segmentation.augmentation import MaskTransform
from autotrain_gradio.tasks.image_segmentation.mask_reader import MaskReader
from autotrain_gradio.tasks.image_segmentation.masks_panel import masks_panel
from autotrain_gradio.tasks.image_segmentation.overlays import item_of
from autotrain_gradio.training import vision

SIDE = 480


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show a few images with their masks, each unchanged and with the augmentation of the first epochs.

    The augmentation is that of the training with the same seed. Nothing is downloaded.

    context: `images`, how many images (default 4, at most 16); `versions` of each (default 3, at most 16).

    Raises:
        DataError: the data was not checked yet.
    """
    rows, reader = data.load(draft)["train"], MaskReader.of(draft)
    transform, white = MaskTransform(params), vision.white_level(draft, "image")
    folder = draft / "preview"
    shutil.rmtree(folder, ignore_errors=True)
    order = np.random.default_rng(params.seed).permutation(len(rows)).tolist()
    items = []
    for row in order[: min(16, int(context.get("images", 4)))]:
        pixels = np.asarray(vision.open_image(rows[row]["image"], white=white))
        mask = reader.read(rows[row], pixels.shape[:2])
        versions = [("original", (pixels, mask))]
        for epoch in range(min(16, int(context.get("versions", 3)))):
            versions.append((f"epoch {epoch + 1}", transform(pixels, mask, epoch=epoch, row=row)))
        for place, (caption, (image, found)) in enumerate(versions):
            name, words = f"{row}-{place}", f"row {row + 1}"
            item = item_of(folder, draft, name, image, [(caption, found)], reader.names, side=SIDE, caption=words)
            items.append(item)
    side = params.image_square_size
    note = f"The model gets each image resized to {side} × {side} pixels, without regard to its proportions."
    return [masks_panel("Training images with augmentation", items, reader.names, note=note)]


def load_ahead() -> None:
    """Import the data sets library."""
    import datasets  # noqa: F401
