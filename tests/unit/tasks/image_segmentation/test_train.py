"""Training, predictions, metrics and augmentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

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
