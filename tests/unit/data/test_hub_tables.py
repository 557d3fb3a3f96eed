"""Texts and tables of the Hub: one configuration of several, splits by name, without a file of media."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio import data
from tests.unit.data import roles
from tests.unit.data.conftest import errors, finding, names, plant
from tests.unit.data.fake_hub import FakeHub

Ask = Callable[..., dict[str, Any]]
CARD = """---
configs:
- config_name: en
  data_files:
  - split: train
    path: en/train.csv
  - split: test
    path: en/test.csv
- config_name: de
  data_files: de/*.jsonl
---
"""


def body(word: str, count: int = 10) -> str:
    return "text,label\n" + "".join(f"{word} number {i},{'ab'[i % 2]}\n" for i in range(count))


@pytest.fixture
def ask(hub: FakeHub, draft: Path) -> Ask:
    def run(name: str, **given: Any) -> dict[str, Any]:
        request = replace(roles.request(roles.TEXTS, source="hub", path=name, **given), endpoint=hub.url)
        return {**data.check(draft, request)}

    return run


def test_a_configuration_and_its_split(hub: FakeHub, ask: Ask, draft: Path) -> None:
    lines = "".join(f'{{"text": "Nummer {i}", "label": "{"xy"[i % 2]}"}}\n' for i in range(10))
    files = {"README.md": CARD, "en/train.csv": body("word"), "en/test.csv": body("other", 6), "de/rows.jsonl": lines}
    plant(hub.root / "ann/reviews", files)
    assert "en, de" in finding(ask("ann/reviews"), "hub-config")["message"]
    result = ask("ann/reviews", train_split="en:train", valid_split="test")
    assert not errors(result) and result["splits"] == {"train": 10, "validation": 6}
    assert names(ask("ann/reviews", options={"config": "de"})) == ["x", "y"]
    assert {t.split()[0] for part in data.load(draft).values() for t in part["text"]} == {"Nummer"}


def test_configurations_by_folders_of_tables(hub: FakeHub, ask: Ask) -> None:
    files = {f"{c}/{s}.csv": body(f"{c} {s}") for c in ("one", "two") for s in ("train", "valid")}
    plant(hub.root / "ann/dirs", files)
    assert "one, two" in finding(ask("ann/dirs"), "hub-config")["message"]
    assert ask("ann/dirs", train_split="two:train")["splits"] == {"train": 10, "validation": 10}


def test_only_images_without_labels(hub: FakeHub, ask: Ask) -> None:
    plant(hub.root / "ann/photos", {"cat/1.jpg": 1})
    assert "Parquet or CSV files." in finding(ask("ann/photos"), "hub-no-data")["hint"]
