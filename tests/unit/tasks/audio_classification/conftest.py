"""Runs with prepared clips, trained in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.trials import Trial

RATE = 16_000
TONES = {"low": 300, "high": 2000}


def tone(name: str, seconds: float, seed: int, rate: int = RATE) -> np.ndarray[Any, Any]:
    """Return a pulsing tone of a class with noise (samples,)."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    wave = 0.3 * np.sin(2 * np.pi * TONES[name] * rng.uniform(0.9, 1.1) * time) * (np.sin(2 * np.pi * 5 * time) > 0)
    return (wave + rng.normal(0, 0.005, len(time))).astype(np.float32)


def record(folder: Path, each: int, *, shortest: float = 0.4, longest: float = 2.5) -> Path:
    """Write a folder of clips for each class, of different lengths."""
    for number, name in enumerate(TONES):
        (folder / name).mkdir(parents=True)
        for i, seconds in enumerate(np.linspace(shortest, longest, each)):
            soundfile.write(folder / name / f"{i}.wav", tone(name, float(seconds), 100 * number + i), RATE)
    return folder


@pytest.fixture
def clip_trial(tmp_path: Path) -> Callable[..., Trial]:
    """Return a function that prepares a run on recorded clips: 10 of each class, 8 of them to train on."""

    def make(run: str = "run", **params: Any) -> Trial:
        path = params.pop("path", None) or tmp_path / "clips"
        if not path.exists():
            record(path, 10)
        spec = {
            "task": "audio-classification",
            "model": params.pop("model", "tiny"),
            "project_name": "tones",
            "data": {"source": "path", "path": str(path), **params.pop("data", {})},
            "params": {"epochs": 1, "batch_size": 4, "lr": 2e-3, "early_stopping_patience": 0, **params},
        }
        return Trial(tmp_path / run, spec)

    return make
