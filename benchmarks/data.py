"""Synthetic images and a small model for the benchmarks."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image


def photo(rng: np.random.Generator, width: int, height: int, label: int) -> bytes:
    """Return a JPEG with the statistics of a photo: smooth shapes and a little noise, tinted by its label."""
    small = rng.random((6, 8, 3)) * 160
    small[..., label % 3] += 80
    image = Image.fromarray(small.clip(0, 255).astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
    noisy = np.asarray(image, dtype=np.int16) + rng.integers(-8, 9, (height, width, 1), dtype=np.int16)
    buffer = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def folder_of_photos(folder: Path, count: int, *, classes: int = 3, size: tuple[int, int] = (640, 480)) -> Path:
    """Write `count` JPEG files in class folders."""
    rng = np.random.default_rng(0)
    for i in range(count):
        path = folder / f"class{i % classes}" / f"{i:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo(rng, *size, i % classes))
    return folder


def zip_of_photos(path: Path, count: int, *, classes: int = 10, size: tuple[int, int] = (320, 240)) -> Path:
    """Write a zip of `count` different JPEG files in class folders."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for i, picture in enumerate(different_photos(count, classes, size)):
            archive.writestr(f"class{i % classes}/{i:05d}.jpg", picture)
    return path


def different_photos(count: int, classes: int = 10, size: tuple[int, int] = (320, 240)) -> Iterator[bytes]:
    """Yield `count` different JPEG files: 200 images, with different comments."""
    rng = np.random.default_rng(0)
    drawn = [photo(rng, *size, i % classes) for i in range(min(200, count))]
    for i in range(count):
        picture = drawn[i % 200]
        # A JPEG comment segment behind the SOI marker makes each file differ from all others.
        note = f"number {i}".encode()
        comment = b"\xff\xfe" + (len(note) + 2).to_bytes(2, "big") + note
        yield picture[:2] + comment + picture[2:]


def small_resnet(folder: Path, *, side: int = 96) -> Path:
    """Write a ResNet with random weights (about 2.8 million parameters) and its processor."""
    from transformers import ResNetConfig, ResNetForImageClassification, ViTImageProcessorPil

    config = ResNetConfig(
        embedding_size=32, hidden_sizes=[64, 128, 256, 512], depths=[2, 2, 2, 2], layer_type="basic", num_labels=3
    )
    ResNetForImageClassification(config).save_pretrained(folder)
    ViTImageProcessorPil(size={"height": side, "width": side}).save_pretrained(folder)
    return folder
