"""Images as a training reads them: decoding, sizes, normalization and augmentation."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    CLIPImageProcessor,
    ConvNextImageProcessor,
    EfficientNetImageProcessor,
    MobileViTImageProcessor,
    ViTImageProcessor,
)

from autotrain_gradio.core.errors import DataError, UserError
from autotrain_gradio.training import images, vision


def jpeg(image: Image.Image, **more: Any) -> dict[str, Any]:
    """Return a cell that carries the image as JPEG."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **more)
    return {"path": "a.jpg", "bytes": buffer.getvalue()}


def test_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert vision.open_image(jpeg(Image.new("RGB", (60, 20)), exif=exif)).size == (20, 60)


@pytest.mark.parametrize(
    ("image", "pixel"),
    [
        (Image.new("RGBA", (8, 8), (255, 0, 0, 0)), (255, 255, 255)),
        (Image.new("L", (8, 8), 100), (100, 100, 100)),
        (Image.new("LA", (8, 8), (0, 255)), (0, 0, 0)),
        (Image.fromarray(np.full((8, 8), 65535, np.uint16)), (255, 255, 255)),
        (Image.fromarray(np.full((8, 8), 32768, np.uint16)), (127, 127, 127)),
    ],
    ids=["transparent", "grey", "grey and alpha", "16 bits", "16 bits, half"],
)
def test_every_mode_becomes_rgb(image: Image.Image, pixel: tuple[int, int, int], tmp_path: Path) -> None:
    image.save(tmp_path / "a.png")
    opened = vision.open_image({"path": str(tmp_path / "a.png"), "bytes": None})
    assert opened.mode == "RGB" and opened.getpixel((3, 3)) == pixel


def test_errors_of_an_image_name_its_file(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    with pytest.raises(DataError) as caught:
        vision.open_image({"path": str(tmp_path / "broken.jpg"), "bytes": None})
    assert caught.value.where.endswith("broken.jpg")


def test_large_images_are_downscaled() -> None:
    opened = vision.open_image(jpeg(Image.new("RGB", (4000, 3000))), shorter_side=128)
    assert min(opened.size) == 128 and max(opened.size) == pytest.approx(171, abs=2)


@pytest.mark.parametrize(
    ("processor", "size"),
    [
        (ViTImageProcessor(size={"height": 32, "width": 48}), (32, 48)),
        (ConvNextImageProcessor(size={"shortest_edge": 224}, crop_pct=0.875), (224, 224)),
        (ConvNextImageProcessor(size={"shortest_edge": 384}), (384, 384)),
        (CLIPImageProcessor(size={"shortest_edge": 40}, crop_size={"height": 32, "width": 32}), (32, 32)),
        (CLIPImageProcessor(size={"shortest_edge": 40}, do_center_crop=False), (40, 40)),
        (ViTImageProcessor(size={"shortest_edge": 32, "longest_edge": 64}), (32, 32)),
        (MobileViTImageProcessor(size={"shortest_edge": 40}, crop_size={"height": 36, "width": 36}), (36, 36)),
        (EfficientNetImageProcessor(size={"height": 30, "width": 30}), (30, 30)),
    ],
    ids=[
        "both",
        "edge and crop share",
        "edge",
        "edge and crop",
        "edge, no crop",
        "two edges",
        "blue first",
        "scaled twice",
    ],
)
def test_size_and_scale_of_any_processor(processor: Any, size: tuple[int, int]) -> None:
    geometry = vision.Geometry.of(processor)
    assert (geometry.height, geometry.width) == size
    colour = Image.new("RGB", (geometry.width, geometry.height), (10, 120, 250))
    theirs = np.asarray(processor(images=colour, return_tensors="pt")["pixel_values"])[0]
    ours = vision.valid_transform(geometry)(np.asarray(colour)).transpose(2, 0, 1)
    assert ours.dtype == np.float32 and np.abs(ours - theirs).max() < 1e-4


def test_a_processor_without_a_single_array_is_refused() -> None:
    def patches(images: list[Image.Image], return_tensors: str) -> dict[str, Any]:
        return {"pixel_values": torch.zeros(len(images), 256, 768)}

    with pytest.raises(UserError, match="not \\(3, height, width\\)"):
        vision.Geometry.of(patches)


def test_validation_images_are_those_of_the_processor() -> None:
    processor = ViTImageProcessor(size={"height": 32, "width": 32})
    image = Image.fromarray(np.tile(np.linspace(0, 255, 64, dtype=np.uint8)[None, :, None], (64, 1, 3)))
    ours = vision.valid_transform(vision.Geometry.of(processor))(np.asarray(image)).transpose(2, 0, 1)
    theirs = np.asarray(processor(images=image, return_tensors="pt")["pixel_values"])[0]
    assert np.abs(ours - theirs).max() < 0.05


SWITCHES = {
    "random_resized_crop": "RandomResizedCrop",
    "random_rotate90": "RandomRotate90",
    "horizontal_flip": "HorizontalFlip",
    "random_brightness_contrast": "RandomBrightnessContrast",
}


SQUARE = vision.Geometry(16, 16, (0.5,) * 3, (0.5,) * 3)


NOISE = np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)


def steps(transform: vision.Transform) -> list[str]:
    """Return the names of the steps of a transform, in order."""
    return [type(step).__name__ for step in transform._compose.transforms]


@pytest.mark.parametrize("off", [*SWITCHES, "none of them"])
def test_each_parameter_removes_its_augmentation(off: str) -> None:
    params = switched(off)
    transform = vision.train_transform(SQUARE, params)
    expected = [step for name, step in SWITCHES.items() if name != off]
    if off == "random_resized_crop":
        expected = ["Resize", *expected]
    assert steps(transform) == [*expected, "Normalize"]
    assert steps(vision.preview_transform(SQUARE, params)) == expected
    assert steps(vision.valid_transform(SQUARE)) == ["Resize", "Normalize"]


def test_each_augmentation_has_its_effect() -> None:
    mirrored = vision.preview_transform(SQUARE, only("horizontal_flip"))
    still = vision.preview_transform(SQUARE, only("nothing"))(NOISE)
    seen = [mirrored(NOISE, epoch=e) for e in range(40)]
    assert all(np.array_equal(s, still) or np.array_equal(s, still[:, ::-1]) for s in seen)
    assert 8 < sum(np.array_equal(s, still) for s in seen) < 32
    turned = [vision.preview_transform(SQUARE, only("random_rotate90"))(NOISE, epoch=e) for e in range(40)]
    assert len({t.tobytes() for t in turned} & {np.rot90(still, k).tobytes() for k in range(4)}) == 4


def test_rotation_keeps_the_shape_of_non_square_inputs() -> None:
    wide = vision.Geometry(16, 24, (0.5,) * 3, (0.5,) * 3)
    transform = vision.train_transform(wide, switched("none of them"))
    assert {transform(NOISE, epoch=e).shape for e in range(8)} == {(16, 24, 3)}


def test_augmentation_depends_only_on_seed_epoch_and_row() -> None:
    first, second = (vision.train_transform(SQUARE, switched("none of them")) for _ in range(2))
    places = [(e, r) for e in range(3) for r in range(5)]
    forth = {p: first(NOISE, epoch=p[0], row=p[1]).tobytes() for p in places}
    back = {p: second(NOISE, epoch=p[0], row=p[1]).tobytes() for p in reversed(places)}
    assert forth == back and len(set(forth.values())) == len(places)
    other = switched("none of them")
    other.seed = 8
    assert vision.train_transform(SQUARE, other)(NOISE).tobytes() != forth[0, 0]


def test_augmentation_is_independent_of_loader_processes_and_differs_by_epoch(tmp_path: Path) -> None:
    Image.fromarray(NOISE).save(tmp_path / "a.png")
    cells = [{"path": str(tmp_path / "a.png"), "bytes": None}] * 6
    seen = []
    for workers in (0, 2):
        rows = images.Images(cells, [0] * 6, vision.train_transform(SQUARE, switched("none of them")), 16)
        loader = torch.utils.data.DataLoader(
            rows, batch_size=2, num_workers=workers, persistent_workers=workers > 0, collate_fn=images.collate
        )
        epochs = []
        for epoch in range(2):
            rows.set_epoch(epoch)
            epochs.append(torch.cat([b["pixel_values"] for b in loader]))
        seen.append(epochs)
    assert seen[0][0].shape == (6, 3, 16, 16)
    assert all(torch.equal(a, b) for a, b in zip(*seen, strict=True))
    assert len({row.numpy().tobytes() for epoch in seen[0] for row in epoch}) == 12


def test_images_are_decoded_in_threads_and_downscaled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (640, 480), "red").save(tmp_path / "a.jpg")
    cells = [{"path": str(tmp_path / "a.jpg"), "bytes": None}] * 70
    rows = images.Images(cells, [0] * 70, vision.valid_transform(SQUARE), 16)
    opened, original = [], images.open_image
    monkeypatch.setattr(images, "open_image", lambda cell, **more: opened.append(cell) or original(cell, **more))
    seen: list[int] = []
    assert rows.preload(lambda done: not seen.append(done))  # type: ignore[func-returns-value]
    assert len(opened) == 70 and seen == [64, 70]
    assert rows.image(3).shape == (24, 32, 3) and len(opened) == 70


def only(name: str) -> SimpleNamespace:
    """Return parameters with one augmentation."""
    return SimpleNamespace(seed=7, **{switch: switch == name for switch in SWITCHES})


def switched(off: str) -> SimpleNamespace:
    """Return parameters with all augmentations but one."""
    return SimpleNamespace(seed=7, **{switch: switch != off for switch in SWITCHES})
