"""The button that tries one training step with the settings of the form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.errors import WorkerError
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.registry import registry
from tests.ui.tab_steps import TabSteps, build_steps

FOUND = {
    "level": "info",
    "code": "trial-step",
    "message": "One step took 1.2 s.",
    "hint": "",
    "where": "",
    "fix": None,
}


def steps_of(task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, probe: Any) -> TabSteps:
    service = Service(Settings(home=tmp_path), dispatch=False)
    monkeypatch.setattr(service, "probe", probe)
    return build_steps(service, registry().get(task))


def test_a_step_is_tried_with_the_settings_of_the_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def probe(spec: dict[str, Any], owner: str, **given: Any) -> dict[str, Any]:
        asked.append((spec["params"]["batch_size"], given["step"], given["draft"]))
        if len(asked) > 1:
            raise WorkerError("It was killed.", "Try again.")
        return {"findings": [FOUND]}

    steps = steps_of("llm-sft", tmp_path, monkeypatch, probe)
    values = {**steps.values(batch_size=64), steps.session.draft: "a-draft"}
    shown = [update[steps.model.tried_step] for update in steps.model.show_step(values)]
    assert asked == [(64, True, "a-draft")]
    assert "Trying one step" in shown[0] and "One step took 1.2 s." in shown[-1]
    failed = [update[steps.model.tried_step] for update in steps.model.show_step(values)]
    assert "It was killed." in failed[-1]


@pytest.mark.parametrize(("task", "shown"), [("llm-dpo", True), ("text-classification", False)])
def test_only_tasks_that_can_try_a_step_have_the_button(
    task: str, shown: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = steps_of(task, tmp_path, monkeypatch, None)
    assert steps.model.try_step.visible is shown and steps.model.tried_step.visible is shown


def test_a_change_of_the_settings_removes_the_step_that_was_tried_with_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = steps_of("llm-sft", tmp_path, monkeypatch, lambda *given, **more: {"findings": [FOUND]})
    model, values, other = steps.model, steps.values(batch_size=64), steps.values(batch_size=8)
    *_, shown = model.show_step(values)
    assert "1.2 s" in shown[model.tried_step] and model.tried_step not in model.review(values, steps.train)
    assert model.review(other, steps.train)[model.tried_step] == ""
    trial = model.show_step(values)
    assert "Trying one step" in next(trial)[model.tried_step]
    model.review(other, steps.train)
    assert list(trial) == [], "its result is not shown beside the other settings"
