"""Images: opening them, the sizes that a processor wants, augmentation, and each decoded once."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A  # noqa: E402
import cv2  # noqa: E402
import numpy as np  # noqa: E402
import psutil  # noqa: E402
import torch  # noqa: E402
from PIL import Image, ImageOps  # noqa: E402

from autotrain_gradio.errors import DataError, UserError  # noqa: E402

KEPT_SCALE = 2.0
"""Images are kept with a shorter side of at most so many times the model's input side."""
MEMORY_SHARE = 0.25
"""Share of the free memory that may hold decoded images."""

Transform = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Geometry:
    """What a processor makes of an image: its size in pixels, and how values are scaled.

    resize: shorter side before a centre crop to height × width; None: the image is resized to them at once.
    """

    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize: int | None = None

    @classmethod
    def of(cls, processor: Any) -> Geometry:
        """Read a processor of transformers: `height` and `width`, `shortest_edge` or `longest_edge`.

        Raises:
            UserError: it names no size.
        """
        size, crop = _size(processor.size), _size(getattr(processor, "crop_size", None))
        crops = bool(getattr(processor, "do_center_crop", False)) and crop
        edge = size.get("shortest_edge") or size.get("longest_edge")
        fraction = getattr(processor, "crop_pct", None)
        resize = None
        if crops:
            height, width, resize = crop["height"], crop["width"], edge or size.get("height")
        elif size.get("height"):
            height, width = size["height"], size["width"]
        elif edge:
            height = width = edge
            if fraction and edge < 384:  # ConvNeXT's rule: larger images are resized without a crop
                resize = int(edge / fraction)
        else:
            raise UserError(
                f"The model's processor names no image size: {processor.size}.", where="model", code="no-size"
            )
        normalizes = getattr(processor, "do_normalize", True)
        mean = tuple(processor.image_mean) if normalizes and processor.image_mean else (0.0, 0.0, 0.0)
        std = tuple(processor.image_std) if normalizes and processor.image_std else (1.0, 1.0, 1.0)
        return cls(int(height), int(width), mean, std, int(resize) if resize else None)

    @property
    def side(self) -> int:
        """The larger of height and width."""
        return max(self.height, self.width)


def _size(size: Any) -> dict[str, int]:
    if size is None:
        return {}
    if isinstance(size, int):
        return {"height": size, "width": size}
    names = ("height", "width", "shortest_edge", "longest_edge")
    values = {n: size.get(n) if isinstance(size, Mapping) else getattr(size, n, None) for n in names}
    return {n: int(v) for n, v in values.items() if v}


def open_image(cell: Mapping[str, Any], *, shorter_side: int | None = None) -> Image.Image:
    """Open a cell `{"path", "bytes"}` as an upright RGB image.

    Rotation by EXIF is applied, transparency laid on white, 16 bits reduced to 8; of an animation the
    first picture is taken.

    shorter_side: reduce the image so that its shorter side is about this long, cheaply where the format can.

    Raises:
        DataError: it cannot be decoded.
    """
    source = io.BytesIO(cell["bytes"]) if cell.get("bytes") else cell["path"]
    try:
        with Image.open(source) as image:
            if shorter_side and image.format == "JPEG":
                image.draft("RGB", (shorter_side, shorter_side))
            return _reduced(ImageOps.exif_transpose(_rgb(image)), shorter_side)
    except (OSError, SyntaxError, ValueError) as error:
        name = Path(cell.get("path") or "an embedded image").name
        raise DataError(
            f"The image cannot be read: {error}.", "Check the data again.", name, "unreadable-image"
        ) from error


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, dtype=np.float32)
        top = 65535.0 if values.max(initial=0) > 255 else 255.0
        upright = Image.fromarray((values.clip(0, top) * (255.0 / top)).astype(np.uint8)).convert("RGB")
        upright.info.update(image.info)
        return upright
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        flat = Image.alpha_composite(white, layer).convert("RGB")
        flat.info.update({k: v for k, v in image.info.items() if k == "exif"})
        return flat
    return image.convert("RGB")


def _reduced(image: Image.Image, shorter_side: int | None) -> Image.Image:
    if not shorter_side or min(image.size) <= shorter_side:
        return image
    scale = shorter_side / min(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BOX, reducing_gap=2.0)


def train_transform(params: Any, geometry: Geometry) -> Transform:
    """Return the augmentation, each part of it switched by a parameter; normalised floats come out.

    As AutoTrain Advanced's: random resized crop, rotation by 90 degrees, mirroring (half of the
    images), brightness and contrast (a fifth of them).
    """
    return _compose([*augmentations(params, geometry), _normalize(geometry)], params.seed)


def augmentations(params: Any, geometry: Geometry) -> list[A.BasicTransform]:
    """Return the augmenting steps alone, which keep 8-bit values."""
    size = (geometry.height, geometry.width)
    crop = (
        A.RandomResizedCrop(size=size) if params.random_resized_crop else A.Resize(*size, interpolation=cv2.INTER_AREA)
    )
    steps: list[A.BasicTransform] = [crop]
    if params.random_rotate90 and geometry.height == geometry.width:
        steps.append(A.RandomRotate90())
    if params.horizontal_flip:
        steps.append(A.HorizontalFlip(p=0.5))
    if params.random_brightness_contrast:
        steps.append(A.RandomBrightnessContrast(p=0.2))
    return steps


def eval_transform(geometry: Geometry) -> Transform:
    """Return what is done to an image that is judged: the processor's resize, crop and normalisation."""
    if geometry.resize:
        size = {"height": geometry.height, "width": geometry.width}
        steps = [
            A.SmallestMaxSize(geometry.resize, interpolation=cv2.INTER_AREA),
            A.CenterCrop(**size, pad_if_needed=True),
        ]
    else:
        steps = [A.Resize(geometry.height, geometry.width, interpolation=cv2.INTER_AREA)]
    return _compose([*steps, _normalize(geometry)], 0)


def preview_transform(params: Any, geometry: Geometry) -> Transform:
    """Return the augmentation without the normalisation, to look at."""
    return _compose(augmentations(params, geometry), params.seed)


def _normalize(geometry: Geometry) -> A.BasicTransform:
    return A.Normalize(mean=geometry.mean, std=geometry.std)


def _compose(steps: Sequence[Any], seed: int) -> Transform:
    return A.Compose(list(steps), seed=seed)


class Images(torch.utils.data.Dataset[dict[str, Any]]):
    """Rows of images and labels, decoded once and kept while memory lasts.

    An item is `{"pixel_values": float32 (3, height, width), "labels": int}`.

    Images are kept as 8-bit RGB, reduced to a shorter side of at most `KEPT_SCALE` times the model's
    input: a random crop of a tenth of the area is then still about as fine as the input.
    `opened` counts how many images were decoded.
    """

    def __init__(
        self,
        cells: Sequence[Mapping[str, Any]],
        labels: Sequence[int],
        transform: Transform,
        geometry: Geometry,
        *,
        budget: float | None = None,
    ) -> None:
        self._cells = cells
        self._labels = list(labels)
        self._transform = transform
        self._side = round(KEPT_SCALE * (geometry.resize or geometry.side))
        self._kept: list[np.ndarray | None] = [None] * len(self._labels)
        self._free = psutil.virtual_memory().available * MEMORY_SHARE if budget is None else budget
        self._worker = -1
        self.opened = 0

    def __len__(self) -> int:
        return len(self._labels)

    def image(self, index: int) -> np.ndarray:
        """Return the image as uint8 (height, width, 3)."""
        kept = self._kept[index]
        if kept is not None:
            return kept
        self.opened += 1
        pixels = np.asarray(open_image(self._cells[index], shorter_side=self._side))
        if pixels.nbytes <= self._free:
            self._free -= pixels.nbytes
            self._kept[index] = pixels
        return pixels

    def preload(self) -> bool:
        """Decode all images in threads, for loader processes to share; return whether all could be kept."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for _ in pool.map(self.image, range(len(self))):
                if self._free < 1_000_000:
                    break
        return all(kept is not None for kept in self._kept)

    def __getitem__(self, index: int) -> dict[str, Any]:
        self._seed_in_worker()
        pixels = self._transform(image=self.image(index))["image"]
        return {"pixel_values": pixels.transpose(2, 0, 1), "labels": self._labels[index]}

    def _seed_in_worker(self) -> None:
        # Loader processes are copies of each other: each needs a seed of its own, and a new one each epoch.
        info = torch.utils.data.get_worker_info()
        if info is not None and info.seed != self._worker:
            self._worker = info.seed
            self._transform.set_random_seed(info.seed % 2**32)  # type: ignore[attr-defined]


def collate(rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
    """Stack items of `Images`: pixel_values (batch, 3, height, width), labels (batch,)."""
    return {
        "pixel_values": torch.from_numpy(np.stack([r["pixel_values"] for r in rows])),
        "labels": torch.tensor([r["labels"] for r in rows], dtype=torch.long),
    }
