"""Checking a COCO data set of 20,000 images and 150,000 boxes compared with decoding each image once."""

from __future__ import annotations

import json
import os
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from benchmarks.checking import PeakMemory, decode_once
from benchmarks.data import different_photos
from benchmarks.rows import Row

IMAGES, BOXES, CLASSES, SIZE = int(os.environ.get("BENCH_IMAGES", 20_000)), 7.5, 80, (320, 240)
"""Number of images, mean number of boxes of each, classes, and width and height in pixels."""


def zip_of_boxes(path: Path, images: int = IMAGES) -> int:
    """Write a zip of different JPEG files and their annotations as COCO JSON; return the number of boxes."""
    rng = np.random.default_rng(0)
    found: list[dict[str, Any]] = []
    listed = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number, content in enumerate(different_photos(images, size=SIZE)):
            name = f"{number:06d}.jpg"
            archive.writestr(f"images/{name}", content)
            listed.append({"id": number, "file_name": name, "width": SIZE[0], "height": SIZE[1]})
            for _ in range(rng.poisson(BOXES)):
                left, top = rng.uniform(0, SIZE[0] - 20), rng.uniform(0, SIZE[1] - 20)
                box = [left, top, rng.uniform(10, SIZE[0] - left), rng.uniform(10, SIZE[1] - top)]
                one = {"id": len(found) + 1, "image_id": number, "category_id": int(rng.integers(CLASSES)) + 1}
                found.append({**one, "bbox": [round(v, 2) for v in box], "area": round(box[2] * box[3], 2)})
        categories = [{"id": n + 1, "name": f"class {n + 1}"} for n in range(CLASSES)]
        document = {"images": listed, "annotations": found, "categories": categories}
        archive.writestr("annotations.coco.json", json.dumps(document))
    return len(found)


def measure() -> list[Row]:
    """Check the zip as the page would."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        boxes = zip_of_boxes(root / "boxes.zip")
        floor = decode_once(root / "boxes.zip")
        service = Service(Settings(home=root / "home"), dispatch=False)
        try:
            draft = service.draft("object-detection")
            service.upload(draft, [root / "boxes.zip"])
            spec = service.draft_state(draft)["spec"]
            watch = PeakMemory()
            watch.start()
            began = time.perf_counter()
            result = service.check(draft, spec)
            first = time.perf_counter() - began
            began = time.perf_counter()
            service.check(draft, {**spec, "data": {**spec["data"], "valid_fraction": 0.1}})
            again = time.perf_counter() - began
            watch.done.set()
            watch.join()
            if result["rows"] != IMAGES:
                raise RuntimeError(f"{result['rows']} rows instead of {IMAGES}")
        finally:
            service.close()
    what = f"check of {IMAGES:,} images with {boxes:,} boxes (COCO)"
    return [
        Row(f"{what}, against decoding each image once", f"{first:.1f} s", f"{floor:.1f} s", first / floor, 2.0),
        Row("its memory, against 1 GB", f"{watch.peak / 1e6:.0f} MB", "1000 MB", watch.peak / 1e9, 1.0),
        Row("check again after a change of the split", f"{again:.1f} s", f"{floor:.1f} s", again / floor, 1.0),
    ]
