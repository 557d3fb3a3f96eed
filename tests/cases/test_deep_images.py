"""Images of more than 8 bits a pixel: one scale for a dataset, and the same one for predictions."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from autotrain_gradio.tasks.image_classification import train as task
from autotrain_gradio.training import vision
from tests.cases.conftest import Checked, check_path
from tests.trials import Trial
from tests.unit.data.conftest import picture, plant

IMAGES = "image-classification"


def deep(level: float, top: float = 0, *, seed: int = 0, format: str = "PNG", type: Any = np.uint16) -> bytes:
    """Return a grey image of this level, with one pixel of `top`."""
    values = np.full((24, 24), level) + np.random.default_rng(seed).random((24, 24)) * (
        0.01 if type is np.float32 else 2
    )
    values[3, 3] = max(level, top)
    buffer = io.BytesIO()
    Image.fromarray(values.astype(type)).save(buffer, format)
    return buffer.getvalue()


def camera(bits: int, format: str = "PNG") -> dict[str, bytes]:
    """Return dark and bright frames of a camera; the dark ones stay below 256, as frames with a lens cap do."""
    top = 2**bits - 1
    dark = {f"dark/{k}.{format.lower()}": deep(100 + k, seed=k, format=format) for k in range(8)}
    return dark | {f"bright/{k}.{format.lower()}": deep(0.6 * top, top, seed=k, format=format) for k in range(8)}


def checked(folder: Path, files: dict[str, Any], **settings: Any) -> Checked:
    return check_path(folder, IMAGES, plant(folder / "in", files), **settings)


def brightness(found: Checked) -> dict[str, float]:
    """Return class → mean brightness of its images as the training opens them, from 0 to 255."""
    white, rows = vision.white_level(found.draft, "image"), found.rows()
    levels: dict[str, list[float]] = {}
    for row in rows:
        levels.setdefault(found.classes[row["target"]], []).append(
            float(np.asarray(vision.open_image(row["image"], white=white)).mean())
        )
    return {name: float(np.mean(values)) for name, values in levels.items()}


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_one_scale_from_the_bit_depth(tmp_path: Path, bits: int, format: str) -> None:
    found = checked(tmp_path, camera(bits, format))
    white = 2**bits - 1
    assert not found.codes("error", "warning") and f"{white:,} becomes white" in found.message("deep-images")
    assert vision.white_level(found.draft, "image") == white
    levels = brightness(found)
    assert levels["bright"] == pytest.approx(0.6 * 255, abs=3)
    assert levels["dark"] == pytest.approx(104 / white * 255, abs=1.5), "dark frames stay dark"


def test_values_below_256_are_of_8_bits(tmp_path: Path) -> None:
    found = checked(
        tmp_path, {f"{c}/{k}.png": deep(level, seed=k) for c, level in (("a", 60), ("b", 180)) for k in range(6)}
    )
    assert vision.white_level(found.draft, "image") == 255 and brightness(found)["b"] == pytest.approx(181, abs=2)


def test_fractions_are_scaled_from_0_to_1(tmp_path: Path) -> None:
    files = {
        f"{c}/{k}.tiff": deep(level, seed=k, format="TIFF", type=np.float32)
        for c, level in (("a", 0.2), ("b", 0.9))
        for k in range(6)
    }
    found = checked(tmp_path, files)
    assert vision.white_level(found.draft, "image") == 1 and brightness(found)["b"] == pytest.approx(230, abs=3)


def test_images_inside_parquet_have_one_scale(tmp_path: Path) -> None:
    frames = camera(12)
    table = pa.table(
        {
            "image": [{"bytes": content, "path": name} for name, content in frames.items()],
            "label": [name.partition("/")[0] for name in frames],
        }
    )
    (tmp_path / "in").mkdir()
    pq.write_table(table, tmp_path / "in" / "train.parquet")
    found = check_path(tmp_path, IMAGES, tmp_path / "in")
    assert vision.white_level(found.draft, "image") == 4095


def test_images_of_8_bits_keep_theirs(tmp_path: Path) -> None:
    found = checked(tmp_path, {f"{c}/{k}.png": picture(f"{c}{k}", format="PNG") for c in "ab" for k in range(6)})
    assert vision.white_level(found.draft, "image") is None and "deep-images" not in found.codes()


def test_the_bit_depth_can_be_chosen(tmp_path: Path) -> None:
    found = checked(tmp_path, camera(12), options={"bits": 16})
    assert vision.white_level(found.draft, "image") == 65535
    (deep,) = [f for f in checked(tmp_path / "2", camera(12)).result["findings"] if f["code"] == "deep-images"]
    assert [fix["change"] for fix in deep["alternatives"]] == [{"options": {"bits": 14}}, {"options": {"bits": 16}}]
    assert "bits-invalid" in checked(tmp_path / "3", camera(12), options={"bits": "many"}).errors


def test_predictions_have_the_scale_of_the_training(tmp_path: Path) -> None:
    photos = plant(tmp_path / "photos", camera(12))
    spec = {
        "task": IMAGES,
        "model": "tiny",
        "project_name": "frames",
        "data": {"source": "path", "path": str(photos)},
        "params": {"epochs": 10, "batch_size": 4, "lr": 3e-3, "early_stopping_patience": 0},
    }
    made = Trial(tmp_path / "run", spec)
    task.train(made.reporter())
    config = json.loads((made.directory / "model" / "config.json").read_text())
    assert config["white_level"] == 4095
    plant(tmp_path, {"dim.png": deep(120, seed=50), "light.png": deep(2500, 2600, seed=51)})
    predict = task.load(made.directory)
    assert [p["label"] for p in predict([{"image": str(tmp_path / n)} for n in ("dim.png", "light.png")])] == [
        "dark",
        "bright",
    ]
