"""A page that is loaded again while, or after, its data was checked."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import pytest

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.registry import registry
from tests.ui.tab_steps import build_steps

TASK = registry().get("text-classification")
DATA = {"source": "sample", "path": "messages"}


def test_a_check_that_ended_during_a_reload_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(Settings(home=tmp_path), dispatch=False)
    try:
        draft = service.draft(TASK.name)
        service.check(draft, {"task": TASK.name, "data": DATA})
        asked: list[str] = []
        monkeypatch.setattr(service, "check", lambda *of, **more: asked.append("again") or {})
        steps = build_steps(service, TASK)
        check, values = steps.check, {**steps.values(), steps.session.draft: draft}
        shown = list(check.resume(values))
        assert not asked and len(shown) == 1
        assert "Ready to train" in shown[0][check.result.summary]
        assert isinstance(shown[0][check.resume_timer], gr.Timer) and not shown[0][check.resume_timer].active
        assert shown[0].keys() <= set(check.outputs())
        gone = list(check.resume({**values, steps.session.draft: "20200101-000000-nothing-aaaaaaaaaa"}))
        assert "does not exist" in gone[0][check.status] and not asked
    finally:
        service.close()
