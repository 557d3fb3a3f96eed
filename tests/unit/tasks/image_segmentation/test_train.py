"""Training, predictions, metrics and augmentation."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F  # noqa: N812
from transformers import AutoImageProcessor, Mask2FormerConfig, Mask2FormerForUniversalSegmentation, SwinConfig

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import render_html
from autotrain_gradio.tasks.image_segmentation import outputs
from autotrain_gradio.tasks.image_segmentation.augmentation import MaskTransform
from autotrain_gradio.tasks.image_segmentation.evaluation import summarize
from autotrain_gradio.tasks.image_segmentation.masks_panel import masks_panel
from autotrain_gradio.tasks.image_segmentation.overlays import item_of
from autotrain_gradio.tasks.registry import registry
from tests.unit.tasks.image_segmentation.conftest import BOXES, mask_of, picture_of, save

OFF = {"horizontal_flip": False, "random_resized_crop": False, "random_brightness_contrast": False}


def split_folders(folder: Path) -> Path:
    for part in ("train", "val"):
        for number, (name, boxes) in enumerate(BOXES.items()):
            mask = mask_of(boxes)
            save(picture_of(mask, number), folder / "images" / part / f"{name}.png")
            save(mask, folder / "masks" / part / f"{name}.png")
    (folder / "classes.txt").write_text("background\nred\nblue\n")
    return folder


def test_a_model_overfits_four_pictures(tmp_path: Path, segment: Any) -> None:
    from autotrain_gradio.tasks.image_segmentation import train

    folder = split_folders(tmp_path / "data")
    settings = {"batch_size": 4, "epochs": 60, "lr": 3e-3, "eval_strategy": "no", "early_stopping_patience": 0}
    trial = segment(folder, **settings, **OFF)
    train.train(trial.reporter())
    values = trial.events("result")[-1]["values"]
    assert values["eval_miou"] > 0.9 and values["eval_pixel_accuracy"] > 0.95

    found = train.load(trial.directory)([{"image": str(folder / "images" / "val" / "c.png")}])[0]
    predicted = np.asarray(Image.open(trial.directory / found["mask"]))
    assert predicted.shape == (64, 96) and (predicted == mask_of(BOXES["c"])).mean() > 0.95
    assert list(found["shares"]) == ["background", "red", "blue"]
    assert found["shares"]["red"] == pytest.approx((predicted == 1).mean())


def test_masks_follow_the_augmentation() -> None:
    params = SimpleNamespace(
        seed=1,
        random_resized_crop=True,
        horizontal_flip=True,
        random_rotate90=True,
        random_brightness_contrast=False,
    )
    transform, mask = MaskTransform(params), mask_of(BOXES["d"])
    mask[0] = 255
    image = np.stack([mask * 50, mask, mask], axis=-1)
    shapes, changed = set(), 0
    for epoch in range(20):
        found, classes = transform(image, mask, epoch=epoch, row=2)
        again = transform(image, mask, epoch=epoch, row=2)
        assert (again[0] == found).all() and (again[1] == classes).all()
        assert (found[..., 1] == classes).all() and set(np.unique(classes)) <= {0, 1, 2, 255}
        shapes.add(classes.shape)
        changed += classes.shape != mask.shape or not (classes == mask).all()
    assert changed > 10 and len(shapes) > 5


def test_classes_upsampled_a_few_at_a_time_are_those_of_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = torch.randn(7, 6, 9, generator=torch.Generator().manual_seed(0))
    wanted = F.interpolate(scores[None], size=(40, 53), mode="bilinear", align_corners=False)[0].argmax(dim=0)
    monkeypatch.setattr(outputs, "MOST_NUMBERS", 2 * 40 * 53)
    assert (outputs.label_map(scores, (40, 53)) == wanted).all()


def test_metrics_of_known_counts() -> None:
    counts = np.array([[50, 10, 0], [5, 35, 0], [0, 0, 0]])
    found = summarize(counts)
    assert found["miou"] == pytest.approx((50 / 65 + 35 / 50) / 2)
    assert found["mean_accuracy"] == pytest.approx((50 / 60 + 35 / 40) / 2)
    assert found["pixel_accuracy"] == pytest.approx(85 / 100)


def test_a_run_with_ignored_images_and_class_weights(tmp_path: Path, segment: Any) -> None:
    from autotrain_gradio.tasks.image_segmentation import train

    folder = split_folders(tmp_path / "data")
    save(np.full((64, 96), 255, np.uint8), folder / "masks" / "train" / "a.png")
    # A batch of one image: in one of them all pixels are ignored, whose mean loss would be NaN.
    trial = segment(folder, batch_size=1, epochs=2, lr=1e-3, class_weights="balanced", random_rotate90=True)
    train.train(trial.reporter())
    losses = [e["values"]["loss"] for e in trial.events("metric") if "loss" in e["values"]]
    assert len(losses) == 8 and np.isfinite(losses).all() and losses.count(0.0) == 2
    assert trial.events("sample") and np.isfinite(trial.events("result")[-1]["values"]["eval_loss"])
    report = json.loads((trial.directory / "report.json").read_text())
    titles = [p["title"] for p in (report["panels"] if isinstance(report, dict) else report)]
    assert {"Each class", "Confusion matrix", "Confused classes", "Images with the lowest mIoU"} <= set(titles)


def save_mask2former(folder: Path) -> None:
    backbone = SwinConfig(
        image_size=64,
        embed_dim=16,
        depths=[1, 1, 1, 1],
        num_heads=[1, 2, 2, 2],
        window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    config = Mask2FormerConfig(
        backbone_config=backbone,
        feature_size=32,
        mask_feature_size=32,
        hidden_dim=32,
        encoder_feedforward_dim=64,
        encoder_layers=1,
        decoder_layers=2,
        num_attention_heads=2,
        dim_feedforward=64,
        num_queries=8,
        num_labels=5,
        train_num_points=256,
    )
    torch.manual_seed(0)
    Mask2FormerForUniversalSegmentation(config).save_pretrained(folder)
    settings = {"image_processor_type": "Mask2FormerImageProcessor", "size": {"shortest_edge": 64, "longest_edge": 99}}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))


def test_mask2former_learns_whole_masks(tmp_path: Path, segment: Any) -> None:
    from autotrain_gradio.tasks.image_segmentation import train

    folder = split_folders(tmp_path / "data")
    save(np.full((64, 96), 255, np.uint8), folder / "masks" / "train" / "a.png")
    save_mask2former(tmp_path / "model")
    settings = {"batch_size": 1, "epochs": 2, "lr": 1e-3, "image_square_size": 64, "freeze_backbone": True}
    trial = segment(folder, **settings, **OFF)
    trial.resolved.spec.model = str(tmp_path / "model")
    train.train(trial.reporter())
    losses = [e["values"]["loss"] for e in trial.events("metric") if "loss" in e["values"]]
    assert np.isfinite(losses).all() and len(losses) == 8
    found = train.load(trial.directory)([{"image": str(folder / "images" / "val" / "c.png")}])[0]
    assert sum(found["shares"].values()) == pytest.approx(1.0)
    # The public post-processing gives the same mask.
    processor = AutoImageProcessor.from_pretrained(trial.directory / "model")
    model = Mask2FormerForUniversalSegmentation.from_pretrained(trial.directory / "model").eval()
    image = Image.open(folder / "images" / "val" / "c.png").convert("RGB")
    with torch.inference_mode():
        made = model(**processor(images=image, return_tensors="pt"))
    public = processor.post_process_semantic_segmentation(made, target_sizes=[(64, 96)])[0]
    assert (public.numpy() == np.asarray(Image.open(trial.directory / found["mask"]))).all()


def test_class_weights_are_refused_where_the_loss_has_none(tmp_path: Path) -> None:
    from autotrain_gradio.tasks.image_segmentation import train

    run = SimpleNamespace(params=SimpleNamespace(class_weights="balanced"))
    reader = SimpleNamespace(pixels=[100, 1])
    with pytest.raises(UserError, match="no class weights"):
        train._class_weights(run, reader, "mask2former")  # type: ignore[arg-type]
    weights = train._class_weights(run, reader, "segformer")  # type: ignore[arg-type]
    assert weights is not None and float(weights[1] / weights[0]) == pytest.approx(10.0)


def test_a_panel_escapes_names(tmp_path: Path) -> None:
    registry()  # registers the panel kind
    pixels, mask = np.zeros((20, 30, 3), np.uint8), np.zeros((20, 30), np.uint8)
    mask[:5] = 1
    item = item_of(tmp_path, tmp_path, "x", pixels, [("predicted", mask)], ["background", "<b>"], side=16)
    page = render_html(masks_panel("Masks", [item], ["background", "<b>"]))
    assert "<b>" not in page and "&lt;b&gt;" in page and (item["width"], item["height"]) == (16, 11)
    overlay = np.asarray(Image.open(tmp_path / "x-0.png"))
    assert overlay.shape == (11, 16, 4) and overlay[0, 0, 3] > 0 and overlay[-1, 0, 3] == 0
