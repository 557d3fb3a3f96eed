"""Pictures with boxes, and runs on them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.trials import Trial

SIZE = (120, 80)
BOXES = {
    "a.png": [((10, 8, 40, 30), "red")],
    "b.png": [((60, 20, 50, 48), "blue")],
    "c.png": [((4, 40, 36, 30), "blue"), ((70, 10, 30, 40), "red")],
    "d.png": [],
}
"""File → boxes (left, top, width, height) and classes."""
COLOURS = {"red": (200, 30, 30), "blue": (30, 30, 200)}


def picture(boxes: Sequence[tuple[Sequence[int], str]], seed: int = 0) -> np.ndarray:
    """Return the pixels of filled boxes on a noisy background."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(215, 235, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
    for (x, y, w, h), label in boxes:
        pixels[y : y + h, x : x + w] = COLOURS[label]
    return pixels


def draw(path: Path, boxes: Sequence[tuple[Sequence[int], str]], seed: int = 0) -> None:
    """Write such a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(boxes, seed)).save(path)


def draw_all(folder: Path) -> Path:
    """Write the pictures of `BOXES`."""
    for number, (name, boxes) in enumerate(BOXES.items()):
        draw(folder / name, boxes, number)
    return folder


def write_lines(folder: Path, rows: Sequence[Any]) -> None:
    """Write metadata.jsonl: file name and objects of each row."""
    lines = [json.dumps({"file_name": name, "objects": objects}) for name, objects in rows]
    (folder / "metadata.jsonl").write_text("\n".join(lines))


def save_small_yolos(folder: Path, side: int = 64) -> Path:
    """Write a YOLOS with random weights, which fits a few pictures within seconds; return the folder."""
    import torch
    from transformers import YolosConfig, YolosForObjectDetection, YolosImageProcessorPil

    torch.manual_seed(42)
    config = YolosConfig(
        hidden_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=128,
        image_size=[side, side],
        patch_size=8,
        num_detection_tokens=8,
        initializer_range=0.1,  # 0.02, as for large models, would learn slowly
        use_mid_position_embeddings=False,
    )
    model = YolosForObjectDetection(config)
    for name, weights in model.named_parameters():
        if name.endswith(("position_embeddings", "detection_tokens")):
            # transformers initializes them to zero: all detection tokens would begin equal, and learn slowly.
            torch.nn.init.normal_(weights, std=0.3)
    model.save_pretrained(folder)
    YolosImageProcessorPil().save_pretrained(folder)
    return folder


@pytest.fixture
def detect(tmp_path: Path) -> Callable[..., Trial]:
    """Return a function that prepares a run on a folder."""

    def make(path: Path, run: str = "run", **params: Any) -> Trial:
        given = {"source": "path", "path": str(path), **params.pop("data", {})}
        spec = {"task": "object-detection", "project_name": "boxes", "data": given}
        spec |= {"model": params.pop("model", "tiny"), "params": params}
        return Trial(tmp_path / run, spec)

    return make
