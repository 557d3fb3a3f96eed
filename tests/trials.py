"""Runs with prepared images or texts, trained in this process."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autotrain_gradio import data
from autotrain_gradio.runs.record import Run, read_lines, write_json
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.registry import resolve

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


WORDS = {
    "fruit": ["apple", "banana", "cherry", "grape", "lemon", "melon", "orange", "peach", "pear", "plum"],
    "tool": ["axe", "chisel", "drill", "file", "hammer", "pliers", "saw", "screwdriver", "spanner", "wrench"],
    "animal": ["cat", "cow", "dog", "goat", "hen", "horse", "mouse", "rabbit", "sheep", "wolf"],
}
FILLERS = ["a", "the", "my", "your", "old", "new", "with", "and", "near", "under", "good", "small"]


def sentences(count: int, *, several: bool = False, seed: int = 0) -> list[dict[str, Any]]:
    """Make sentences of 3 to 12 words that name things of one sort, or of none to all three sorts."""
    draw, found = random.Random(seed), []
    for i in range(count):
        names = sorted(draw.sample(sorted(WORDS), draw.randint(0, 3))) if several else [sorted(WORDS)[i % 3]]
        words = draw.choices(FILLERS, k=draw.randint(2, 10)) + [w for n in names for w in draw.sample(WORDS[n], 2)]
        draw.shuffle(words)
        found.append({"text": " ".join(words), "label": names if several else names[0]})
    return found


@pytest.fixture
def text_trial(tmp_path: Path) -> Callable[..., Trial]:
    """Return a function that prepares a run on made sentences: 60, 48 of them to train on."""

    def make(rows: list[dict[str, Any]] | None = None, several: bool = False, run: str = "run", **params: Any) -> Trial:
        file = tmp_path / "texts" / "rows.jsonl"
        file.parent.mkdir(exist_ok=True)
        made = sentences(60, several=several) if rows is None else rows
        file.write_text("".join(json.dumps(r) + "\n" for r in made), encoding="utf-8")
        spec = {
            "task": "text-classification",
            "model": params.pop("model", "tiny"),
            "project_name": "things",
            "data": {"source": "path", "path": str(file.parent), **params.pop("data", {})},
            "params": {
                "epochs": 2,
                "batch_size": 8,
                "lr": 1e-2,
                "early_stopping_patience": 0,
                "few_examples": "off",
                **params,
            },
        }
        return Trial(tmp_path / run, spec)

    return make
