"""Training, predictions, and the panel of boxes."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import render_html, render_text
from autotrain_gradio.core.panels.render import render_summary
from autotrain_gradio.tasks.object_detection.augmentation import BoxTransform
from autotrain_gradio.tasks.object_detection.average_precision import Detections, average_precision
from autotrain_gradio.tasks.object_detection.boxes_panel import boxes_panel
from autotrain_gradio.tasks.registry import registry
from tests.unit.tasks.object_detection.conftest import draw, save_small_yolos, write_lines

FOUR = [((8, 6, 44, 34), "red"), ((64, 30, 50, 44), "blue"), ((10, 36, 60, 40), "red"), ((70, 4, 40, 56), "blue")]


def test_a_detector_overfits_four_pictures(tmp_path: Path, detect: Any) -> None:
    from autotrain_gradio.tasks.object_detection import train

    for part in ("train", "valid"):
        folder = tmp_path / "images" / part
        for number, item in enumerate(FOUR):
            draw(folder / f"{number}.png", [item], number)
        write_lines(folder, [(f"{n}.png", {"bbox": [b], "category": [c]}) for n, (b, c) in enumerate(FOUR)])
    off = {"horizontal_flip": False, "random_crop": False, "random_brightness_contrast": False}
    settings = {"batch_size": 4, "epochs": 250, "lr": 2e-3, "eval_strategy": "no", "early_stopping_patience": 0}
    model = save_small_yolos(tmp_path / "model")
    trial = detect(tmp_path / "images", model=str(model), image_square_size=64, **settings, **off)
    train.train(trial.reporter())
    values = trial.events("result")[-1]["values"]
    assert values["eval_map_50"] > 0.9

    predictor = train.load(trial.directory)
    path = tmp_path / "images" / "valid" / "1.png"
    found = predictor([{"image": str(path), "threshold": "0.3"}])[0]
    best = found["objects"][0]
    assert best["score"] == max(o["score"] for o in found["objects"])
    drawn = predictor([{"image": str(path), "threshold": 0.99}])[0]["panels"][0]["items"][0]["boxes"]
    assert len(drawn) >= len(found["objects"]), "boxes under the threshold can be shown without another prediction"
    x, y, w, h = FOUR[1][0]
    assert best["label"] == "blue" and np.abs(np.array(best["box"]) - [x, y, x + w, y + h]).max() < 12
    with pytest.raises(UserError):
        predictor([{"image": str(path), "threshold": "2"}])


def test_boxes_follow_the_augmentation() -> None:
    params = SimpleNamespace(seed=1, random_crop=True, horizontal_flip=True, random_brightness_contrast=False)
    transform = BoxTransform(params)
    image = np.zeros((80, 120, 3), np.uint8)
    image[20:50, 30:70] = 255
    boxes, labels = np.array([[30.0, 20, 40, 30]]), np.array([3])
    changed = 0
    for epoch in range(20):
        found, left, classes = transform(image, boxes, labels, epoch=epoch, row=2)
        again = transform(image, boxes, labels, epoch=epoch, row=2)
        assert (again[0] == found).all() and (again[1] == left).all()
        white = np.argwhere(found[..., 0] == 255)
        changed += found.shape != image.shape or not (found == image).all()
        if len(left):
            (top, start), (bottom, end) = white.min(axis=0), white.max(axis=0) + 1
            assert left[0] == pytest.approx([start, top, end - start, bottom - top], abs=1.01) and classes.tolist() == [
                3
            ]
    assert changed > 5


def test_average_precision_of_known_boxes() -> None:
    true = [Detections(np.array([[0.0, 0, 40, 40], [50, 50, 90, 90]]), np.array([0, 1]), np.ones(2))]
    right = [Detections(true[0].boxes, true[0].labels, np.array([0.9, 0.8]))]
    assert average_precision(true, right, 2).metrics["map"] == pytest.approx(1.0)
    half = [Detections(true[0].boxes[:1], np.array([0]), np.array([0.9]))]
    found = average_precision(true, half, 2)
    assert found.metrics["map"] == pytest.approx(0.5) and found.classes == [(1.0, 1.0), (0.0, 0.0)]
    nothing = [Detections(np.empty((0, 4)), np.empty(0, int), np.empty(0))]
    assert average_precision(true, nothing, 2).metrics["map"] == 0


def test_a_panel_draws_the_boxes_and_escapes_names() -> None:
    item = {
        "file": "x.jpg",
        "width": 100,
        "height": 50,
        "boxes": [{"box": [1, 2, 30, 40], "label": "<b>", "score": 0.5}],
    }
    registry()  # registers the panel kind
    page = render_html(boxes_panel("Objects", [item]))
    assert "type='range'" not in page
    assert "<rect x='1' y='2' width='29' height='38'" in page and "<b>" not in page and "&lt;b&gt; 0.50" in page


def test_boxes_under_the_threshold_are_hidden_until_the_slider_shows_them() -> None:
    boxes = [{"box": [1, 2, 30, 40], "label": "cat", "score": score} for score in (0.9, 0.2)]
    true = {"box": [1, 2, 30, 40], "label": "cat", "true": True}
    item = {"file": "x.jpg", "width": 100, "height": 50, "boxes": [*boxes, true]}
    registry()
    panel = boxes_panel("Objects", [item], threshold=0.3)
    page = render_html(panel)
    assert "<g data-score='0.9000'>" in page and "<g data-score='0.2000' style='display:none'>" in page
    assert "value='0.3'" in page and "1 of 2 boxes" in page and "aria-label='cat 0.90, cat (annotated)'" in page
    assert "cat 0.20" not in render_text(panel) and render_summary(panel) == "cat 0.90, cat (annotated)"


def test_images_are_turned_by_exif(tmp_path: Path, detect: Any) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for n in range(4):
        image = Image.new("RGB", (60, 40), (n * 40, 90, 30))
        exif = Image.Exif()
        exif[0x0112] = 6
        image.save(folder / f"{n}.jpg", exif=exif)
    write_lines(folder, [(f"{n}.jpg", {"bbox": [[20, 40, 15, 18]], "category": ["x"]}) for n in range(4)])
    trial = detect(folder)
    rows = data.load(trial.directory)
    assert rows["train"][0]["objects"]["bbox"] == [[20.0, 40.0, 15.0, 18.0]], "as the image is shown: 40 wide, 60 high"


def test_predictions_use_the_white_level_of_training_and_delete_old_files(tmp_path: Path, detect: Any) -> None:
    from autotrain_gradio.tasks.object_detection import train

    folder = tmp_path / "images"
    folder.mkdir()
    for n, top in enumerate((4000, 200, 4000, 200)):  # a camera of 12 bits: white is 4095
        pixels = np.full((40, 60), 100, np.uint16)
        pixels[5:25, 10:30] = top + n
        Image.fromarray(pixels).save(folder / f"{n}.png")
    write_lines(folder, [(f"{n}.png", {"bbox": [[10, 5, 20, 20]], "category": ["x"]}) for n in range(4)])
    trial = detect(folder, epochs=1, batch_size=4, eval_strategy="no", early_stopping_patience=0)
    train.train(trial.reporter())
    predictor = train.load(trial.directory)

    def predicted() -> Path:
        panel = predictor([{"image": str(folder / "1.png")}])[0]["panels"][0]
        file: Path = trial.directory / panel["items"][0]["file"]
        return file

    first = predicted()
    assert np.asarray(Image.open(first)).max() < 30, "200 of 4095 is dark, as in training; of 255 it is bright"
    second = predicted()
    os.utime(first.parent, (0, 0))
    third = predicted()
    assert not first.exists() and second.exists() and third.exists()


def test_an_evaluation_decodes_no_image_for_its_size(tmp_path: Path, detect: Any) -> None:
    from autotrain_gradio.tasks.object_detection import batches, evaluation
    from autotrain_gradio.tasks.object_detection.models import open_model

    for number, item in enumerate(FOUR):
        draw(tmp_path / "images" / f"{number}.png", [item], number)
    write_lines(tmp_path / "images", [(f"{n}.png", {"bbox": [b], "category": [c]}) for n, (b, c) in enumerate(FOUR)])
    trial = detect(tmp_path / "images", data={"valid_fraction": 0})
    images = batches.DetectionImages(data.load(trial.directory)["train"], 64)
    processor = open_model("tiny", ["blue", "red"], side=64, seed=1, scratch=tmp_path / "tiny")[1]
    targets = batches.Collator(processor)([images[0], images[1]])[batches.ROWS].numpy()
    assert targets.tolist() == [[0, 80, 120], [1, 80, 120]]
    images.image = lambda row: pytest.fail("decoded again")  # type: ignore[method-assign]
    evaluator = evaluation.DetectionEvaluator(trial.reporter(), images, ["blue", "red"], [])
    outputs = np.full((2, 3, 6), -1.0)
    for row, ((x, y, w, h), label) in enumerate(FOUR[:2]):
        outputs[row, 0] = [0.9, ["blue", "red"].index(label), x / 120, y / 80, (x + w) / 120, (y + h) / 80]
    evaluator.update(outputs, targets, np.arange(2))
    assert evaluator.compute()["map"] == pytest.approx(1.0)
