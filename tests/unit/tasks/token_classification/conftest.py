"""Checks of annotated texts, and runs with made ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio import data
from autotrain_gradio.data.request import Request
from autotrain_gradio.tasks.registry import resolve
from tests.trials import Trial

NAMES = ["Anna", "Ben", "Carla", "David", "Elif", "Farid", "Gisela", "Hugo", "Ines", "Jonas"]
TOWNS = ["Graz", "Lyon", "Porto", "Leeds", "Bergen", "Aarhus", "Turin", "Gdansk"]


def notices(count: int = 40) -> list[dict[str, Any]]:
    """Make texts with two entities each."""
    rows = []
    for i in range(count):
        name, town = NAMES[i % len(NAMES)], TOWNS[(i * 3 + i // 10) % len(TOWNS)]
        text = (f"{name} lives in {town}, near the river.", f"The road to {town} is closed, says {name}.")[i % 2]
        spans = sorted(
            (text.index(word), text.index(word) + len(word), label) for word, label in ((name, "PER"), (town, "LOC"))
        )
        rows.append({"text": f"{text} ({i})", "entities": [list(s) for s in spans]})
    return rows


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return a function that checks files, name → content; the result has `data`, if there is no error."""

    def check(files: dict[str, bytes | str], **given: Any) -> dict[str, Any]:
        root, draft = tmp_path / "in", tmp_path / "run"
        draft.mkdir(exist_ok=True)
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
        resolved = resolve({"task": "token-classification", "data": {"source": "path", "path": str(root), **given}})
        found: dict[str, Any] = dict(data.check(draft, Request.of(resolved)))
        if not any(f["level"] == "error" for f in found["findings"]):
            assert found["rows"] == sum(found["splits"].values()) + sum(d["count"] for d in found["dropped"])
            found["data"] = data.load(draft)
        return found

    return check


def entities(found: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """Return text → the (words, type) of its entities, of all splits."""
    assert "data" in found, found["findings"]
    rows = [row for part in found["data"].values() for row in part]
    return {r["text"]: [(r["text"][s["start"] : s["end"]], s["label"]) for s in r["entities"]] for r in rows}


def finding(found: dict[str, Any], code: str) -> dict[str, Any]:
    """Return the first finding of a code."""
    codes = [f["code"] for f in found["findings"]]
    assert code in codes, found["findings"]
    return dict(found["findings"][codes.index(code)])


@pytest.fixture
def tagging_trial(tmp_path: Path) -> Callable[..., Trial]:
    """Return a function that prepares a run on made texts: 40, 32 of them to train on."""

    def make(rows: list[dict[str, Any]] | None = None, run: str = "run", **params: Any) -> Trial:
        file = tmp_path / "texts" / "rows.jsonl"
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(json.dumps(r) + "\n" for r in rows or notices()), encoding="utf-8")
        spec = {
            "task": "token-classification",
            "model": params.pop("model", "tiny"),
            "project_name": "names",
            "data": {"source": "path", "path": str(file.parent), **params.pop("data", {})},
            "params": {"epochs": 2, "batch_size": 8, "lr": 1e-2, "early_stopping_patience": 0, **params},
        }
        return Trial(tmp_path / run, spec)

    return make
