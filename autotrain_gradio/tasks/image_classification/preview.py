"""Image classification: the user's own images as the training will see them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from huggingface_hub import try_to_load_from_cache

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.tasks.image_classification.tiny import TINY_SIDE
from autotrain_gradio.training import vision
from autotrain_gradio.training.sample_selection import balanced_sample

USUAL_SIDE = 224


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show a few images of different classes, each as it is and as the first epochs will see it.

    The versions are those of the training with the same seed. Nothing is downloaded for it.

    context: `images`, how many images (default 4, at most 16); `versions` of each (default 5, at most 16).

    Raises:
        DataError: the data was not checked yet.
    """
    rows = data.load(draft)["train"]
    names, targets = rows.features["target"].names, np.asarray(rows["target"])
    geometry, known = _geometry(spec.model)
    transform = vision.preview_transform(geometry, params)
    side = round(vision.SCALE * min(geometry.height, geometry.width))
    folder = draft / "preview"
    shutil.rmtree(folder, ignore_errors=True)
    items = []
    for row in balanced_sample(targets, min(16, int(context.get("images", 4))), params.seed):
        pixels = np.asarray(vision.open_image(rows[row]["image"], shorter_side=side))
        images = {"as it is": pixels}
        for epoch in range(min(16, int(context.get("versions", 5)))):
            images[f"epoch {epoch + 1}"] = transform(pixels, epoch=epoch, row=row)
        for place, (caption, picture) in enumerate(images.items()):
            file = folder / f"{row}-{place}.jpg"
            vision.thumbnail(picture, file)
            items.append(
                {
                    "file": f"preview/{file.name}",
                    "caption": caption,
                    "group": f"{names[int(targets[row])]}, row {row + 1}",
                }
            )
    note = f"The model sees {geometry.width} × {geometry.height} pixels."
    if not known:
        note = f"Shown for {USUAL_SIDE} × {USUAL_SIDE} pixels, the usual size: the model is not on this machine yet."
    return [panels.gallery("What the training sees", items, note=note)]


def load_ahead() -> None:
    """Load what reads the rows, and the image processors, which only models of the Hub and of folders need."""
    import datasets  # noqa: F401
    from transformers import AutoImageProcessor  # noqa: F401


def _geometry(model: str) -> tuple[vision.Geometry, bool]:
    """Return the model's geometry and True; the usual one and False where it is not on this machine."""
    if model == TINY:
        return _plain(TINY_SIDE), True
    try:
        if not Path(model).is_dir() and not isinstance(try_to_load_from_cache(model, "config.json"), str):
            return _plain(USUAL_SIDE), False
        from transformers import AutoImageProcessor  # it loads for seconds

        return vision.Geometry.of(AutoImageProcessor.from_pretrained(model, local_files_only=True)), True
    except (OSError, ValueError, KeyError, ImportError, UserError):
        # What is wrong with a model is the probe's to say; the augmentation can be shown without it.
        return _plain(USUAL_SIDE), False


def _plain(side: int) -> vision.Geometry:
    return vision.Geometry(side, side, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
