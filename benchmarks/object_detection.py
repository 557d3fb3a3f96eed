"""Object detection compared with a tuned plain script: the same model, batches, augmentation and metrics."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from benchmarks.rows import Row
from benchmarks.training import trained

BATCH, EPOCHS, IMAGES, SIDE, SIZE = 8, 4, 200, 160, (640, 480)
REPEATS = 2
NAMES = ("circle", "square", "bar")


def folder_of_scenes(folder: Path, count: int) -> Path:
    """Write train/ and valid/: JPEG files with one to five shapes, and their boxes as COCO JSON."""
    rng = np.random.default_rng(0)
    for split, number in (("train", count), ("valid", count // 4)):
        (folder / split).mkdir(parents=True)
        images, objects = [], []
        for i in range(number):
            small = Image.fromarray(rng.integers(60, 200, (6, 8, 3)).astype(np.uint8))
            image = small.resize(SIZE, Image.Resampling.BICUBIC)
            pen = ImageDraw.Draw(image)
            for _ in range(rng.integers(1, 6)):
                kind = int(rng.integers(len(NAMES)))
                width = int(rng.integers(60, 200))
                height = width if kind < 2 else width // 3
                left, top = int(rng.integers(0, SIZE[0] - width)), int(rng.integers(0, SIZE[1] - height))
                corners = (left, top, left + width, top + height)
                colour = tuple(rng.integers(0, 255, 3).tolist())
                (pen.ellipse if kind == 0 else pen.rectangle)(corners, fill=colour)
                one = {"id": len(objects), "image_id": i, "category_id": kind, "area": width * height, "iscrowd": 0}
                objects.append({**one, "bbox": [left, top, width, height]})
            image.save(folder / split / f"{i:04d}.jpg", quality=90)
            images.append({"id": i, "file_name": f"{i:04d}.jpg", "width": SIZE[0], "height": SIZE[1]})
        categories = [{"id": n, "name": name} for n, name in enumerate(NAMES)]
        document = {"images": images, "annotations": objects, "categories": categories}
        (folder / split / "_annotations.coco.json").write_text(json.dumps(document))
    return folder


def small_detector(folder: Path) -> Path:
    """Write an RT-DETRv2 with random weights (about 3 million parameters) and its processor."""
    from transformers import RTDetrImageProcessor, RTDetrResNetConfig, RTDetrV2Config, RTDetrV2ForObjectDetection

    backbone = RTDetrResNetConfig(
        embedding_size=32,
        hidden_sizes=[32, 64, 128, 256],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = RTDetrV2Config(
        backbone_config=backbone,
        freeze_backbone_batch_norms=False,
        encoder_in_channels=[64, 128, 256],
        encoder_hidden_dim=96,
        encoder_ffn_dim=256,
        encoder_attention_heads=4,
        hidden_expansion=0.5,
        decoder_in_channels=[96] * 3,
        d_model=96,
        decoder_ffn_dim=256,
        decoder_attention_heads=3,
        decoder_layers=3,
        num_queries=50,
        num_denoising=50,
        num_labels=len(NAMES),
    )
    RTDetrV2ForObjectDetection(config).save_pretrained(folder)
    RTDetrImageProcessor(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


def plain(data: Path, model: Path, output: Path) -> dict[str, float]:
    """Run the plain script in a process of its own; return its samples per second and best validation loss."""
    command = [sys.executable, "-m", "benchmarks.plain_object_detection", str(data), str(model), str(output)]
    command += [str(EPOCHS), str(BATCH), str(SIDE)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "HF_HUB_OFFLINE": "1"}
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return {**found, "samples_per_second": (found["steps"] - 1) * BATCH / found["steps_seconds"]}


def ours(service: Service, data: Path, model: Path) -> dict[str, float]:
    """Run the same training as a user would; return its samples per second, loss and peak memory."""
    params: dict[str, Any] = {
        "epochs": EPOCHS,
        "batch_size": BATCH,
        "lr": 5e-4,
        "image_square_size": SIDE,
        "logging_steps": 5,
        "metric_for_best_model": "loss",
        "early_stopping_patience": 0,
    }
    spec = {
        "task": "object-detection",
        "model": str(model),
        "project_name": "bench",
        "data": {"path": str(data), "valid_split": "valid"},
        "params": params,
    }
    return trained(service, spec, BATCH)


def measure() -> list[Row]:
    """Run both alternately, and compare medians."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        data, model = folder_of_scenes(root / "scenes", IMAGES), small_detector(root / "model")
        service = Service(Settings(home=root / "home"))
        try:
            mine, theirs = [], []
            for i in range(REPEATS):
                theirs.append(plain(data, model, root / f"plain{i}"))
                mine.append(ours(service, data, model))
        finally:
            service.close()
    speed, other = (statistics.median(f["samples_per_second"] for f in found) for found in (mine, theirs))
    loss, other_loss = (statistics.median(f["loss"] for f in found) for found in (mine, theirs))
    return [
        Row(
            "object detection, evaluation and checkpoints included, against a tuned plain Trainer script",
            f"{speed:.1f} samples/s",
            f"{other:.1f} samples/s",
            speed / other,
            1,
            at_least=True,
        ),
        Row(
            "object detection: best validation loss, compared with the plain script",
            f"{loss:.3f}",
            f"{other_loss:.3f}",
            loss / other_loss,
            1.05,
        ),
    ]
