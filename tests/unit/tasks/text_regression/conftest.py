"""Runs on made texts with numbers, trained in this process."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trials import Trial

WEIGHTS = {"gold": 9, "silver": 7, "copper": 4, "iron": 2, "sand": 1}
FILLERS = ["a", "the", "my", "with", "and", "near", "small", "heap", "of", "found", "today"]


def weighed(count: int, *, seed: int = 0, targets: int = 1) -> list[dict[str, Any]]:
    """Make texts that name one to three materials: their mean weight is the target, the number of words the second."""
    draw, found = random.Random(seed), []
    for _ in range(count):
        names = draw.choices(sorted(WEIGHTS), k=draw.randint(1, 3))
        words = draw.choices(FILLERS, k=draw.randint(2, 10)) + names
        draw.shuffle(words)
        weight = sum(WEIGHTS[n] for n in names) / len(names)
        row: dict[str, Any] = {"text": " ".join(words), "weight": round(1000 + 100 * weight, 2)}
        found.append({**row, "words": -float(len(words))} if targets == 2 else row)
    return found


@pytest.fixture
def number_trial(tmp_path: Path) -> Callable[..., Trial]:
    """Return a function that prepares a run on 80 made texts, 64 of them to train on."""

    def make(rows: list[dict[str, Any]] | None = None, targets: int = 1, run: str = "run", **params: Any) -> Trial:
        file = tmp_path / "texts" / "rows.jsonl"
        file.parent.mkdir(exist_ok=True)
        made = weighed(80, targets=targets) if rows is None else rows
        file.write_text("".join(json.dumps(r) + "\n" for r in made), encoding="utf-8")
        spec = {
            "task": "text-regression",
            "model": params.pop("model", "tiny"),
            "project_name": "weights",
            "data": {"source": "path", "path": str(file.parent), **params.pop("data", {})},
            "params": {"epochs": 2, "batch_size": 8, "lr": 5e-3, "early_stopping_patience": 0, **params},
        }
        return Trial(tmp_path / run, spec)

    return make
