"""Checking and previewing a zip of 20,000 images compared with decoding each of them once."""

from __future__ import annotations

import io
import os
import tempfile
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from PIL import Image

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from benchmarks.data import zip_of_photos
from benchmarks.rows import Row

IMAGES = 20_000


def decode_once(path: Path) -> float:
    """Decode every image of the zip, in as many threads as there are cores; return the seconds."""
    local = threading.local()

    def decode(name: str) -> None:
        if not hasattr(local, "archive"):
            local.archive = zipfile.ZipFile(path)
        with Image.open(io.BytesIO(local.archive.read(name))) as image:
            image.load()

    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")]
    began = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(decode, names, chunksize=64):
            pass
    return time.perf_counter() - began


class PeakMemory(threading.Thread):
    """Samples the resident memory of the child workers."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.1):
            total = 0
            for child in psutil.Process().children(recursive=True):
                try:
                    total += child.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.peak = max(self.peak, total)


def measure() -> list[Row]:
    """Check the zip as the page would, and measure the files on disk."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        archive = zip_of_photos(root / "photos.zip", IMAGES)
        size = archive.stat().st_size
        floor = decode_once(archive)
        service = Service(Settings(home=root / "home"), dispatch=False)
        try:
            draft = service.draft("image-classification")
            service.upload(draft, [archive])
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
            folder = service.store.get(draft).directory
            on_disk = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
        finally:
            service.close()
    return [
        Row(
            f"check of a zip of {IMAGES:,} images, against decoding each once",
            f"{first:.1f} s",
            f"{floor:.1f} s",
            first / floor,
            2.0,
        ),
        Row("its memory, against 800 MB", f"{watch.peak / 1e6:.0f} MB", "800 MB", watch.peak / 800e6, 1.0),
        Row("check again after a change of the split", f"{again:.1f} s", f"{floor:.1f} s", again / floor, 1.0),
        Row(
            "data on disk after the check, against the zip",
            f"{on_disk / 1e6:.0f} MB",
            f"{size / 1e6:.0f} MB",
            on_disk / size,
            1.3,
        ),
    ]
