"""Runs of chat models on made conversations."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trials import Trial

ANSWERS = {"red": "stop", "green": "go", "amber": "wait", "blue": "park", "white": "drive", "black": "sleep"}


def chats(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Make conversations of one or two questions, each with its fixed answer."""
    draw, found = random.Random(seed), []
    for _ in range(count):
        messages = []
        for colour in draw.sample(list(ANSWERS), draw.choice((1, 2))):
            messages += [
                {"role": "user", "content": f"What does {colour} mean?"},
                {"role": "assistant", "content": f"At {colour} you {ANSWERS[colour]}."},
            ]
        found.append({"messages": messages})
    return found


@pytest.fixture
def chat_trial(tmp_path: Path) -> Callable[..., Trial]:
    """Return a function that prepares a run on made conversations: 24, 20 of them to train on."""

    def make(rows: list[dict[str, Any]] | None = None, run: str = "run", **params: Any) -> Trial:
        folder = tmp_path / "texts"
        folder.mkdir(exist_ok=True)
        made = {"train": chats(20), "validation": chats(4, seed=1)} if rows is None else {"train": rows}
        for name, part in made.items():
            lines = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in part)
            (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
        spec = {
            "task": "llm-sft",
            "model": params.pop("model", "tiny"),
            "project_name": "lights",
            "data": {"source": "path", "path": str(folder), **params.pop("data", {})},
            "params": {"epochs": 2, "batch_size": 4, "generation_rows": 2, "max_new_tokens": 12, **params},
        }
        return Trial(tmp_path / run, spec)

    return make
