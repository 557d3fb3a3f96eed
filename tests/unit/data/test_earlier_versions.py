"""A draft and a run that version 4 of the data layer wrote open, and are checked anew where that is needed.

`tests/fixtures/home_v4` was written by the app itself: an uploaded table of texts that was checked, and a finished run
of a decision tree.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio import data
from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.registry import resolve

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures" / "home_v4"
DRAFT, RUN = (next((FIXTURE / "runs").glob(f"*{task}*")).name for task in ("text-classification", "tabular"))


RECORD = {"id", "owner", "created"}
"""What `spec.json` holds beside the spec."""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    shutil.copytree(FIXTURE, tmp_path / "home")
    opened = Service(Settings(home=tmp_path / "home"))
    yield opened
    opened.close()


def test_an_old_draft_opens_and_is_checked_anew(service: Service) -> None:
    state = service.draft_state(DRAFT)
    assert state["task"] == "text-classification" and state["check"]["labels"][0]["name"] == "good"
    directory = service.settings.runs / DRAFT
    with pytest.raises(DataError, match="another version"):
        data.load(directory)
    old = json.loads((directory / "data" / "manifest.json").read_text())
    manifest = data.ensure(directory, resolve(state["spec"]))
    assert manifest["v"] != old["v"] and manifest["key"] != old["key"]
    assert manifest["splits"] == old["splits"] and manifest["classes"] == old["classes"] == {"target": ["good", "poor"]}
    assert {n: len(rows) for n, rows in data.load(directory).items()} == old["splits"]


def test_an_old_run_opens_with_its_results(service: Service) -> None:
    snapshot: dict[str, Any] = service.snapshot(RUN) or {}
    assert snapshot["state"] == "completed" and snapshot["metrics"]["eval_accuracy"] == 0.25
    assert [r["id"] for r in service.runs()] == [RUN]
    spec = json.loads((service.settings.runs / RUN / "spec.json").read_text())
    manifest = data.ensure(service.settings.runs / RUN, resolve({k: v for k, v in spec.items() if k not in RECORD}))
    assert manifest["classes"] == {"target:kind": ["herb", "tree"]}


def test_the_model_of_an_old_run_predicts(service: Service) -> None:
    (answer,) = service.predict(RUN, [{"row": {"height": "2.5", "colour": "red"}}])
    assert answer["label"] in {"herb", "tree"}
