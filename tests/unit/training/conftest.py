"""A run with prepared images, trained in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autotrain_gradio import data
from autotrain_gradio.registry import resolve
from autotrain_gradio.runs.record import Run, read_lines, write_json
from autotrain_gradio.runs.reporter import Reporter

COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}


def paint(folder: Path, each: int, names: tuple[str, ...] = ("red", "green")) -> Path:
    """Write noisy single-colour PNG images in class folders."""
    rng = np.random.default_rng(0)
    for name in names:
        (folder / name).mkdir(parents=True)
        for i in range(each):
            pixels = np.array(COLOURS[name]) + rng.integers(-30, 31, (40, 48, 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name / f"{i}.png")
    return folder


class Trial:
    """One run directory, whose training is called as a function."""

    def __init__(self, folder: Path, spec: dict[str, Any]) -> None:
        self.directory = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.resolved = resolve(spec)
        write_json(folder / "draft.json", {"task": spec["task"], "owner": "local", "created": 0.0, "spec": spec})
        self.record = Run(folder)
        self.record.freeze(self.resolved.complete())
        data.ensure(folder, self.resolved)

    def reporter(self, attempt: int = 1) -> Reporter:
        """Return a reporter of an attempt."""
        return Reporter(self.directory, self.resolved.spec, self.resolved.params, attempt=attempt, resume=attempt > 1)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of a kind."""
        return [e for e in read_lines(self.directory / "events.jsonl")[0] if e["kind"] == kind]

    def steps(self, attempt: int = 1) -> list[int]:
        """Return the steps at which the training loss was recorded."""
        return [e["step"] for e in self.events("metric") if "loss" in e["values"] and e["attempt"] == attempt]


@pytest.fixture
def trial(tmp_path: Path) -> Callable[..., Trial]:
    """Return a function that prepares a run on painted images: 10 of each class, 8 of them to train on."""

    def make(names: tuple[str, ...] = ("red", "green"), each: int = 10, **params: Any) -> Trial:
        photos = tmp_path / "photos"
        if not photos.exists():
            paint(photos, each, names)
        spec = {
            "task": "image-classification",
            "model": params.pop("model", "tiny"),
            "project_name": "colours",
            "data": {"source": "path", "path": str(photos), **params.pop("data", {})},
            "params": {"epochs": 2, "batch_size": 4, "lr": 3e-3, "early_stopping_patience": 0, **params},
        }
        return Trial(tmp_path / "run", spec)

    return make
