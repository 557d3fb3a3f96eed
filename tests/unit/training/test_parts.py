"""The parts of the engine: images and their sizes, metrics, intervals, threads, models before they load."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import f1_score, roc_auc_score
from transformers import ConvNextImageProcessor, ViTImageProcessor

from autotrain_gradio.errors import DataError, MissingExtra
from autotrain_gradio.training import metrics, pretrained, threads, vision
from autotrain_gradio.training.arguments import logging_interval

KNOWN = {"resnet": "ResNetForImageClassification", "timm_wrapper": "TimmWrapperForImageClassification"}


def jpeg(image: Image.Image, **more: Any) -> dict[str, Any]:
    """Return a cell that carries the image as JPEG."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **more)
    return {"path": "a.jpg", "bytes": buffer.getvalue()}


def test_an_image_turned_by_exif_is_upright() -> None:
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


def test_a_broken_image_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    with pytest.raises(DataError) as caught:
        vision.open_image({"path": str(tmp_path / "broken.jpg"), "bytes": None})
    assert caught.value.where == "broken.jpg"


def test_large_images_are_kept_small() -> None:
    opened = vision.open_image(jpeg(Image.new("RGB", (4000, 3000))), shorter_side=128)
    assert min(opened.size) == 128 and max(opened.size) == pytest.approx(171, abs=2)


def test_sizes_of_processors() -> None:
    plain = vision.Geometry.of(ViTImageProcessor(size={"height": 32, "width": 48}))
    assert (plain.height, plain.width, plain.resize) == (32, 48, None)
    edge = vision.Geometry.of(ConvNextImageProcessor(size={"shortest_edge": 224}, crop_pct=0.875))
    assert (edge.height, edge.width, edge.resize) == (224, 224, 256)
    image = np.zeros((300, 500, 3), np.uint8)
    assert vision.eval_transform(edge)(image=image)["image"].shape == (224, 224, 3)


def test_what_is_judged_is_what_the_processor_makes() -> None:
    processor = ViTImageProcessor(size={"height": 32, "width": 32})
    image = Image.fromarray(np.tile(np.linspace(0, 255, 64, dtype=np.uint8)[None, :, None], (64, 1, 3)))
    ours = vision.eval_transform(vision.Geometry.of(processor))(image=np.asarray(image))["image"].transpose(2, 0, 1)
    theirs = processor(images=image, return_tensors="np")["pixel_values"][0]
    assert np.abs(ours - theirs).max() < 0.05


def test_augmentation_differs_by_epoch_and_repeats_by_seed() -> None:
    class Params:
        seed, random_resized_crop, random_rotate90, horizontal_flip, random_brightness_contrast = (
            7,
            True,
            True,
            True,
            True,
        )

    geometry = vision.Geometry(16, 16, (0.5,) * 3, (0.5,) * 3)
    image = np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    first, second = (vision.train_transform(Params, geometry) for _ in range(2))
    runs = [[t(image=image)["image"] for _ in range(4)] for t in (first, second)]
    assert all(np.array_equal(a, b) for a, b in zip(*runs, strict=True))
    assert not np.array_equal(runs[0][0], runs[0][1])
    Params.seed = 8
    assert not np.array_equal(vision.train_transform(Params, geometry)(image=image)["image"], runs[0][0])


def test_loader_processes_augment_differently(tmp_path: Path) -> None:
    class Params:
        seed, random_resized_crop, random_rotate90, horizontal_flip, random_brightness_contrast = (
            7,
            True,
            False,
            False,
            False,
        )

    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    geometry = vision.Geometry(16, 16, (0.5,) * 3, (0.5,) * 3)
    cells = [{"path": str(tmp_path / "a.png"), "bytes": None}] * 4
    images = vision.Images(cells, [0] * 4, vision.train_transform(Params, geometry), geometry)
    loader = torch.utils.data.DataLoader(images, batch_size=2, num_workers=2, collate_fn=vision.collate)
    epochs = [torch.cat([b["pixel_values"] for b in loader]) for _ in range(2)]
    seen = torch.cat(epochs).flatten(1).numpy()
    assert len({row.tobytes() for row in seen}) == 8


def test_metrics_of_two_classes() -> None:
    logits = np.array([[2.0, 0.0], [0.0, 1.0], [1.0, 0.5], [0.0, 3.0]])
    labels = np.array([0, 1, 1, 1])
    found = metrics.classification(logits, labels)
    assert found["accuracy"] == 0.75 and found["precision"] == 1.0
    assert found["recall"] == pytest.approx(2 / 3) and found["f1"] == pytest.approx(0.8)
    assert found["auc"] == pytest.approx(roc_auc_score(labels, metrics.softmax(logits)[:, 1]))
    assert "auc" not in metrics.classification(logits, np.ones(4, int))


def test_metrics_of_many_classes() -> None:
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(50, 4)), rng.integers(0, 3, 50)
    found = metrics.classification(logits, labels)
    for average in ("macro", "micro", "weighted"):
        expected = f1_score(labels, logits.argmax(1), average=average, zero_division=0)
        assert found[f"f1_{average}"] == pytest.approx(expected)
    rows, confusion = metrics.per_class(logits, labels, list("abcd"))
    assert [r[0] for r in rows] == list("abcd") and rows[3][4] == 0
    assert np.sum(confusion) == 50 and np.sum(confusion[3]) == 0


@pytest.mark.parametrize(
    ("per_epoch", "total", "steps"), [(1, 3, 1), (9, 180, 1), (100, 1000, 10), (10_000, 30_000, 300)]
)
def test_the_loss_curve_has_enough_points_and_not_too_many(per_epoch: int, total: int, steps: int) -> None:
    assert logging_interval(per_epoch, total) == steps


@pytest.mark.parametrize(
    ("cores", "others", "wanted"), [(2, 0.0, 2), (2, 0.4, 2), (2, 0.9, 1), (2, 3.0, 1), (8, 2.6, 5), (1, 1.0, 1)]
)
def test_threads_are_the_cores_that_others_leave(cores: int, others: float, wanted: int) -> None:
    assert threads.wanted_threads(cores, others, cores) == wanted


def test_a_busy_neighbour_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat = tmp_path / "stat"
    ticks = 100
    monkeypatch.setattr(threads.os, "sysconf", lambda name: ticks)
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda pid: {0, 1})
    clock = [1000.0]
    monkeypatch.setattr(threads.time, "monotonic", lambda: clock[0])
    chosen = [2]
    monkeypatch.setattr(threads.torch, "get_num_threads", lambda: chosen[-1])
    monkeypatch.setattr(threads.torch, "set_num_threads", chosen.append)
    monkeypatch.setattr(threads.torch.cuda, "is_available", lambda: False)

    def cpu(busy: float, idle: float) -> None:
        stat.write_text(f"cpu {int(busy * ticks)} 0 0 {int(idle * ticks)} 0 0 0 0 0 0\ncpu0 0\n")

    cpu(0, 0)
    watched = threads.Threads(stat)
    for busy, expected in ((0.1, 2), (2.1, 1), (4.1, 1), (4.2, 2)):
        clock[0] += 2.0
        cpu(busy, 0)
        watched.adapt()
        assert chosen[-1] == expected, busy


def config(folder: Path, **values: Any) -> str:
    """Write a config.json and return its folder."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(values))
    return str(folder)


def test_a_model_is_judged_by_its_config(tmp_path: Path) -> None:
    good = config(tmp_path / "good", model_type="resnet")
    pretrained.require(pretrained.fetch_config(good), good, KNOWN, "image classification")
    other = config(tmp_path / "bert", model_type="bert", architectures=["BertForMaskedLM"])
    with pytest.raises(pretrained.ModelError) as caught:
        pretrained.require(pretrained.fetch_config(other), other, KNOWN, "image classification")
    assert caught.value.code == "model-wrong-task" and "BertForMaskedLM" in caught.value.message
    timm = config(tmp_path / "timm", architecture="resnet18", num_classes=10)
    with pytest.raises(MissingExtra) as missing:
        pretrained.require(pretrained.fetch_config(timm), timm, KNOWN, "image classification")
    assert missing.value.hint == "pip install timm"


def test_a_folder_that_is_no_model_and_a_name_that_is_nothing(tmp_path: Path) -> None:
    for name, code in ((str(tmp_path), "model-no-config"), ("no such folder/x/y", "model-not-found")):
        with pytest.raises(pretrained.ModelError) as caught:
            pretrained.fetch_config(name)
        assert caught.value.code == code
    (tmp_path / "config.json").write_text("{broken")
    with pytest.raises(pretrained.ModelError, match="damaged"):
        pretrained.fetch_config(str(tmp_path))


def test_without_a_hub_a_model_id_says_what_can_be_done() -> None:
    with pytest.raises(pretrained.ModelError) as caught:
        pretrained.fetch_config("google/vit-base-patch16-224")
    assert caught.value.code == "hub-unreachable" and "tiny" in caught.value.hint
