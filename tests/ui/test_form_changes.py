"""A change of the form: its spec is resolved once, and everything that shows it is updated."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.api import foreground
from autotrain_gradio.cli.console import ProgressBar
from autotrain_gradio.core.errors import WorkerError
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from autotrain_gradio.tasks import registry as registry_module
from autotrain_gradio.tasks.registry import registry
from tests.ui.tab_steps import TabSteps, build_steps

TASK = registry().get("text-classification")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(Settings(home=tmp_path), dispatch=False)
    yield made
    made.close()


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The specs that were resolved."""
    specs: list[Any] = []
    original = registry_module.resolve

    def resolve(spec: Any, tasks: Any = None) -> Any:
        specs.append(spec)
        return original(spec, tasks)

    for module in list(sys.modules.values()):
        if module and module.__name__.startswith("autotrain_gradio") and vars(module).get("resolve") is original:
            monkeypatch.setattr(module, "resolve", resolve)
    return specs


def fire_change(steps: TabSteps, component: Any, values: dict[Any, Any]) -> dict[Any, Any]:
    """Call every handler of a component's change event, as Gradio does; return their updates."""
    updates: dict[Any, Any] = {}
    for fn in steps.demo.fns.values():
        if (component._id, "change") in fn.targets and fn.fn is not None:
            given = {c: values.get(c, c.value) for c in fn.inputs}
            made = fn.fn(given) if fn.inputs_as_dict else fn.fn(*given.values())
            for update in made if isinstance(made, Iterator) else [made]:
                if isinstance(update, dict):
                    updates |= update
    return updates


def test_a_change_of_a_parameter_resolves_the_spec_once(service: Service, resolved: list[Any]) -> None:
    draft = service.draft(TASK.name)
    service.check(draft, {"task": TASK.name, "data": {"source": "sample", "path": "messages"}})
    steps = build_steps(service, TASK)
    fields = {f.name: f.component for f in steps.session.form.params}
    data = {"source": "sample", "path": "messages"}
    values = {**steps.values(epochs=7), steps.session.draft: draft, steps.session.form.data: data}
    resolved.clear()
    updates = fire_change(steps, fields["epochs"], values)
    assert len(resolved) == 1
    views = steps.model.views
    assert "epochs: 7" in updates[views.yaml] and "--epochs 7" in updates[views.command]
    assert "epochs=7" in updates[views.python] and "7 epochs" in updates[steps.model.estimate]
    assert "7 epochs" in updates[steps.train.summary] and updates[steps.model.problem] == ""
    assert updates[steps.train.start].interactive
    assert service.draft_state(draft)["spec"]["params"]["epochs"] == 7, "the draft keeps the change"


def test_a_selected_model_changes_its_defaults_and_resolves_the_spec_once(
    service: Service, resolved: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Service, "probe", lambda self, spec, *args, **more: {"findings": []})
    steps = build_steps(service, TASK)
    form = steps.session.form
    values = steps.values() | {form.model_defaults: form.model_defaults.value, form.model: "tiny"}
    resolved.clear()
    updates = fire_change(steps, form.model, values)
    assert not resolved, "the defaults are applied first"
    changed = [f.component for f in form.params if f.component in updates]
    assert len(changed) > 1, "the tiny model has several defaults of its own"
    shown: dict[Any, Any] = {}
    for component in changed:  # the browser reports them as changes
        shown |= fire_change(steps, component, values | updates)
    assert len(resolved) == 1 and "model: tiny" in shown[steps.model.views.yaml]
    fire_change(steps, changed[0], values | updates | {form.project_name: "other"})
    assert len(resolved) == 2, "a later change is not skipped"


def test_training_from_python_resolves_the_spec_once(
    service: Service, resolved: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreground, "finish", lambda *given: None)
    monkeypatch.setattr(foreground, "saved_token", lambda: None)
    spec = {"task": TASK.name, "model": "tiny", "data": {"source": "sample", "path": "messages"}}
    run = foreground.run_to_end(service, spec, tmp_path, ProgressBar(quiet=True))
    assert len(resolved) == 1
    assert service.snapshot(run)["state"] == "queued"  # type: ignore[index]


def test_an_error_of_the_form_is_shown_and_blocks_the_start(service: Service, resolved: list[Any]) -> None:
    steps = build_steps(service, TASK)
    fields = {f.name: f.component for f in steps.session.form.params}
    resolved.clear()
    updates = fire_change(steps, fields["epochs"], steps.values(epochs=-1))
    assert len(resolved) == 1 and "epochs" in updates[steps.model.problem]
    assert updates[steps.train.problem] == updates[steps.model.problem] and not updates[steps.train.start].interactive


@pytest.mark.parametrize(
    ("code", "ready"), [("model-broken", False), ("hub-unreachable", False), ("model-gated", True)]
)
def test_training_is_not_offered_with_a_model_that_cannot_be_loaded(
    service: Service, monkeypatch: pytest.MonkeyPatch, code: str, ready: bool
) -> None:
    finding = {"level": "error", "message": "The model is damaged.", "hint": None, "where": None, "code": code}
    monkeypatch.setattr(Service, "probe", lambda self, spec, *args, **more: {"findings": [finding]})
    steps = build_steps(service, TASK)
    step, form = steps.model, steps.session.form
    values = steps.values() | {step.unusable: {}, form.model: "microsoft/resnet-18"}
    *_, probed = step.probe_model(values | {step.probed_model: ""})
    assert probed[step.probed_model] == "", "it is probed again when the step is opened again"
    updates = step.review(values | {step.unusable: probed[step.unusable]}, steps.train)
    assert updates[step.following].interactive is updates[steps.train.start].interactive is ready
    assert "damaged" in updates[steps.train.problem] and "Not ready" in updates[steps.train.summary]
    other = step.review(values | {step.unusable: probed[step.unusable], form.model: "tiny"}, steps.train)
    assert other[step.following].interactive and other[steps.train.start].interactive


def test_a_probe_that_took_too_long_does_not_prevent_the_training(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*args: Any, **more: Any) -> None:
        raise WorkerError("The probe exceeded the time limit.", "Use a faster machine.", code="out-of-time")

    monkeypatch.setattr(Service, "probe", late)
    steps = build_steps(service, TASK)
    *_, probed = steps.model.probe_model(steps.values() | {steps.model.probed_model: ""})
    assert probed[steps.model.unusable] == {}
