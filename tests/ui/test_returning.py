"""A page that comes back to a check that went on: it is shown, and what it has found is not looked for again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.ui.step_check import CheckStep

TASK = registry().get("text-classification")
DATA = {"source": "sample", "path": "messages"}


def step(service: Any) -> CheckStep:
    context = SimpleNamespace(service=service, owner=lambda visitor: "local")
    form = SimpleNamespace(spec=lambda values: {"task": TASK.name, "data": values[0]}, data="data")
    steps = SimpleNamespace(check="2", model="3", train="4")
    session: Any = SimpleNamespace(task=TASK, context=context, form=form, steps=steps, go_to=lambda step: {})
    found = CheckStep(session, None, None)  # type: ignore[arg-type]
    for name in ("status", "cancel", "findings", "summary", "result", "check_now", "following", "returned", "labels"):
        setattr(found, name, name)
    found.columns = [(column, f"column {column.role}") for column in TASK.columns]
    return found


def test_a_check_that_has_ended_before_the_page_came_back_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(Settings(home=tmp_path), dispatch=False)
    try:
        draft = service.draft(TASK.name)
        service.check(draft, {"task": TASK.name, "data": DATA})
        asked: list[str] = []
        monkeypatch.setattr(service, "check", lambda *of, **more: asked.append("again") or {})
        shown = list(step(service).resume(draft, None, None, DATA))
        assert not asked and len(shown) == 1 and "ready to train" in shown[0]["summary"]
        assert isinstance(shown[0]["returned"], gr.Timer) and not shown[0]["returned"].active
        gone = list(step(service).resume("20200101-000000-nothing-aaaaaaaaaa", None, None, DATA))
        assert "no run" in gone[0]["status"] and not asked
    finally:
        service.close()
