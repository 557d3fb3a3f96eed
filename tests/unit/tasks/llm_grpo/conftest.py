"""Runs of reinforcement learning on made prompts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trials import Trial


def questions(count: int, first: int = 0) -> list[dict[str, Any]]:
    """Make prompts about numbers, with their answers."""
    numbers = range(first, first + count)
    return [{"prompt": f"Is {n} odd or even?", "answer": "odd" if n % 2 else "even"} for n in numbers]


@pytest.fixture
def prompt_trial(tmp_path: Path) -> Callable[..., Trial]:
    """Return a function that prepares a run on made prompts: 16 to train on, 6 to validate."""

    def make(rows: list[dict[str, Any]] | None = None, run: str = "run", **params: Any) -> Trial:
        folder = tmp_path / run / "texts"
        folder.mkdir(parents=True, exist_ok=True)
        made = {"train": questions(16), "validation": questions(6, 30)} if rows is None else {"train": rows}
        for name, part in made.items():
            lines = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in part)
            (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
        spec = {
            "task": "llm-grpo",
            "model": params.pop("model", "tiny"),
            "project_name": "numbers",
            "data": {"source": "path", "path": str(folder), **params.pop("data", {})},
            "params": {"epochs": 1, "batch_size": 16, "num_generations": 4, "max_completion_length": 3, **params},
        }
        return Trial(tmp_path / run / "run", spec)

    return make


def findings_of(made: Trial) -> dict[str, str]:
    """Return code → message of the findings of the check."""
    found = json.loads((made.directory / "check.json").read_text(encoding="utf-8"))["findings"]
    return {f["code"]: f["message"] for f in found}


def notes_of(made: Trial) -> str:
    """Return the messages of the run."""
    return "\n".join(e["message"] for e in made.events("note"))
