"""Preview of the augmented training images."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from huggingface_hub import try_to_load_from_cache

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.training import vision
from autotrain_gradio.training.tiny_image_model import TINY_SIDE

if TYPE_CHECKING:
    from datasets import Dataset

DEFAULT_SIDE = 224


def augmentation_gallery(
    draft: Path,
    spec: RunSpec,
    params: Any,
    context: Mapping[str, Any],
    *,
    choose: Callable[[Dataset, int], list[int]],
    title: Callable[[Dataset, int], str],
) -> list[Panel]:
    """Show a few images, each unchanged and with the augmentation of the first epochs.

    The augmentation is that of the training with the same seed. Nothing is downloaded.

    context: `images`, how many images (default 4, at most 16); `versions` of each (default 5, at most 16).
    choose: returns the rows of a number of images. title: of the group of images of a row.

    Raises:
        DataError: the data was not checked yet.
    """
    rows = data.load(draft)["train"]
    geometry, known = _geometry(spec.model)
    transform = vision.preview_transform(geometry, params)
    side, white = round(vision.SCALE * min(geometry.height, geometry.width)), vision.white_level(draft, "image")
    folder = draft / "preview"
    shutil.rmtree(folder, ignore_errors=True)
    items = []
    for row in choose(rows, min(16, int(context.get("images", 4)))):
        pixels = np.asarray(vision.open_image(rows[row]["image"], shorter_side=side, white=white))
        images = {"original": pixels}
        for epoch in range(min(16, int(context.get("versions", 5)))):
            images[f"epoch {epoch + 1}"] = transform(pixels, epoch=epoch, row=row)
        for place, (caption, picture) in enumerate(images.items()):
            file = folder / f"{row}-{place}.jpg"
            vision.thumbnail(picture, file)
            items.append(
                {
                    "file": f"preview/{file.name}",
                    "caption": caption,
                    "group": f"{title(rows, row)}, row {row + 1}",
                }
            )
    note = f"The input size of the model is {geometry.width} × {geometry.height} pixels."
    if not known:
        note = f"Shown at the default size of {DEFAULT_SIDE} × {DEFAULT_SIDE} pixels: the model is not downloaded yet."
    return [panels.gallery("Training images with augmentation", items, note=note)]


def load_ahead() -> None:
    """Import the data sets library, and the image processors, which only models of the Hub and of folders need."""
    import datasets  # noqa: F401
    from transformers import AutoImageProcessor  # noqa: F401


def _geometry(model: str) -> tuple[vision.Geometry, bool]:
    """Return the model's geometry and True; the default one and False if the model is not downloaded."""
    if model == TINY:
        return _default_geometry(TINY_SIDE), True
    try:
        if not Path(model).is_dir() and not isinstance(try_to_load_from_cache(model, "config.json"), str):
            return _default_geometry(DEFAULT_SIDE), False
        from transformers import AutoImageProcessor  # its import takes seconds

        return vision.Geometry.of(AutoImageProcessor.from_pretrained(model, local_files_only=True)), True
    except (OSError, ValueError, KeyError, ImportError, UserError):
        # Errors of the model are reported by the probe; the augmentation can be shown without it.
        return _default_geometry(DEFAULT_SIDE), False


def _default_geometry(side: int) -> vision.Geometry:
    return vision.Geometry(side, side, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
