"""Runs on made translations, and small models of several families."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trials import Trial

WORDS = dict(
    zip(
        ["red", "blue", "old", "new", "big", "cat", "dog", "bird", "house", "tree", "sees", "finds", "likes"],
        ["rot", "blau", "alt", "neu", "gross", "Katze", "Hund", "Vogel", "Haus", "Baum", "sieht", "findet", "mag"],
        strict=True,
    )
)


def translations(count: int, seed: int = 0) -> list[dict[str, str]]:
    """Make sentences of 3 to 8 words, translated word by word."""
    draw, found = random.Random(seed), {}
    while len(found) < count:
        words = draw.choices(list(WORDS), k=draw.randint(3, 8))
        found[" ".join(words)] = " ".join(WORDS[w] for w in words)
    return [{"text": text, "target": target} for text, target in found.items()]


@pytest.fixture
def pair_trial(tmp_path: Path) -> Callable[..., Trial]:
    """Return a function that prepares a run on made translations: 60, 48 of them to train on."""

    def make(rows: list[dict[str, str]] | None = None, run: str = "run", **params: Any) -> Trial:
        file = tmp_path / "texts" / "rows.jsonl"
        file.parent.mkdir(exist_ok=True)
        made = translations(60) if rows is None else rows
        file.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in made), encoding="utf-8")
        spec = {
            "task": "seq2seq",
            "model": params.pop("model", "tiny"),
            "project_name": "words",
            "data": {"source": "path", "path": str(file.parent), **params.pop("data", {})},
            "params": {"epochs": 1, "batch_size": 8, "early_stopping_patience": 0, "max_target_length": 24, **params},
        }
        return Trial(tmp_path / run, spec)

    return make
