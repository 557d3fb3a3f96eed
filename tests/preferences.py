"""Runs of tasks that learn from preferences, on made messages and replies."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.tasks.registry import registry
from tests.trials import Trial

COLOURS = ("red", "green", "amber", "blue", "white", "black", "pink", "grey")


def pairs(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Make questions about colours, each with a kind and an unkind reply."""
    draw, found = random.Random(seed), []
    for _ in range(count):
        one, other = draw.sample(COLOURS, 2)
        found.append(
            {
                "prompt": f"Is {one} like {other}?",
                "chosen": draw.choice((f"Thank you, {one} is nice.", f"Thank you, {other} is nice.")),
                "rejected": draw.choice((f"Who cares about {one}.", f"Who cares about {other}.")),
            }
        )
    return found


def judged(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Make questions about colours, each with a kind or an unkind reply and whether it is kind: a third are."""
    draw, found = random.Random(seed), []
    for number, row in enumerate(pairs(count, seed)):
        good = number % 3 == 0
        found.append({"prompt": row["prompt"], "completion": row["chosen" if good else "rejected"], "label": good})
    draw.shuffle(found)
    return found


def change_weights(model: Any) -> None:
    """Add noise to the weights of a model, the same each time: it is not its reference any more."""
    import torch

    draw = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(0.02 * torch.randn(weights.shape, generator=draw))


@pytest.fixture
def preference_trial(tmp_path: Path) -> Callable[..., Trial]:
    """Return a function that prepares a run on made rows, pairs unless others are given: 32 to train on, 8 others."""

    def make(
        task: str,
        rows: list[dict[str, Any]] | None = None,
        run: str = "run",
        rows_of: Callable[..., list[dict[str, Any]]] = pairs,
        **params: Any,
    ) -> Trial:
        folder = tmp_path / "texts"
        folder.mkdir(exist_ok=True)
        made = {"train": rows_of(32), "validation": rows_of(8, seed=1)} if rows is None else {"train": rows}
        for name, part in made.items():
            lines = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in part)
            (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
        usual = {"epochs": 1, "batch_size": 4, "generation_rows": 2, "max_new_tokens": 8}
        fields = registry().get(task).params.model_fields
        spec = {
            "task": task,
            "model": params.pop("model", "tiny"),
            "project_name": "colours",
            "data": {"source": "path", "path": str(folder), **params.pop("data", {})},
            "params": {**{name: value for name, value in usual.items() if name in fields}, **params},
        }
        return Trial(tmp_path / run, spec)

    return make
