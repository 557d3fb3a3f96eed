"""What people try first: pictures without classes, and tables that carry only a part of their pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from autotrain_gradio import data
from autotrain_gradio.core.errors import DataError
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.training import vision


def request(path: Path) -> data.Request:
    """Return a request for the data at a path."""
    return data.Request.of(resolve({"task": "image-classification", "data": {"source": "path", "path": str(path)}}))


def picture(path: Path, seed: int) -> bytes:
    """Write a noisy PNG and return its bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path.read_bytes()


def test_images_outside_of_folders_are_an_error_with_a_hint(tmp_path: Path) -> None:
    for i in range(3):
        picture(tmp_path / "in" / f"{i}.png", i)
    (tmp_path / "draft").mkdir()
    result = data.check(tmp_path / "draft", request(tmp_path / "in"))
    finding = result["findings"][0]
    assert finding["code"] == "no-classes" and "3 images have no classes" in finding["message"]
    assert "folder named after it" in finding["hint"]


def test_cells_that_name_a_file_among_embedded_ones_are_missing_and_counted(tmp_path: Path) -> None:
    cells, labels = [], []
    for i in range(12):
        cells.append({"bytes": picture(tmp_path / "made" / f"{i}.png", i), "path": f"{i}.png"})
        labels.append("ab"[i % 2])
    cells.append({"bytes": None, "path": "0.png"})
    labels.append("a")
    (tmp_path / "in").mkdir()
    pq.write_table(pa.table({"image": cells, "label": labels}), tmp_path / "in" / "train.parquet")
    (tmp_path / "draft").mkdir()
    result = data.check(tmp_path / "draft", request(tmp_path / "in"))
    assert result["rows"] == 13 and sum(result["splits"].values()) == 12
    assert sum(d["count"] for d in result["dropped"]) == 1


def test_no_format_is_opened_for_which_another_program_would_be_started(tmp_path: Path) -> None:
    eps = tmp_path / "x.png"
    eps.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n")
    with pytest.raises(DataError):
        vision.open_image({"path": str(eps), "bytes": None})
