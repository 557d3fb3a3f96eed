"""Predictions of a saved model of images, preprocessed as the validation images of its training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training import vision
from autotrain_gradio.training.images import collate

WHITE = "white_level"
"""Entry of the model's configuration: value of images of 16 bits that is white."""


def save_white_level(run: Reporter, model: Any) -> None:
    """Store the white level of the run's images of 16 bits, if it has such, in the model's configuration."""
    white = vision.white_level(run.directory, "image")
    if white is not None:
        setattr(model.config, WHITE, white)


def predict_logits(
    model: Any, geometry: vision.Geometry, inputs: Sequence[Mapping[str, Any]], *, batch_size: int
) -> Iterator[torch.Tensor]:
    """Yield the logits float32 (batch, outputs) of the images of inputs `{"image": path}`.

    Raises:
        UserError: an image is missing or cannot be read.
    """
    paths = [str(given.get("image") or "") for given in inputs]
    for path in paths:
        _require_file(path)
    for start in range(0, len(paths), batch_size):
        opened = (open_input(model, geometry, path)[1] for path in paths[start : start + batch_size])
        items = [{"pixel_values": pixels, "labels": 0} for pixels in opened]
        yield model(pixel_values=collate(items)["pixel_values"].to(model.device)).logits.float()


def open_input(model: Any, geometry: vision.Geometry, path: str) -> tuple[np.ndarray, np.ndarray]:
    """Return an image uint8 (height, width, 3), and the model's input float32 (height, width, 3).

    Raises:
        UserError: the image is missing or cannot be read.
    """
    _require_file(path)
    side = round(vision.SCALE * min(geometry.height, geometry.width))
    white = getattr(model.config, WHITE, None)
    picture = np.asarray(vision.open_image({"path": path, "bytes": None}, shorter_side=side, white=white))
    return picture, vision.valid_transform(geometry)(picture)


def _require_file(path: str) -> None:
    if not path or not Path(path).is_file():
        message = "No image was given, or the file does not exist."
        raise UserError(message, "Give the path of an image.", path, "no-image")
