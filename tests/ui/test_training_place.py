"""Where a training runs: the choice on the page, with flavors, price and limits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.registry import registry
from tests.hf_jobs_server import TOKEN, Failure, Server, serve
from tests.ui.tab_steps import build_steps
from tests.ui.test_form_changes import fire_change

TASK = registry().get("text-classification")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Server]:
    with serve(tmp_path / "hub") as found:
        yield found


@pytest.fixture
def service(hub: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    made = Service(Settings(home=tmp_path / "home", hub_endpoint=hub.url), dispatch=False)
    yield made
    made.close()


def test_places_are_offered_to_a_user_who_is_signed_in(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [p["name"] for p in service.training_places()] == ["local", "hf-jobs"]
    shared = Service(Settings(home=tmp_path / "shared", shared=True), dispatch=False)
    assert [p["name"] for p in shared.training_places()] == ["local"]  # the login is the server's
    shared.close()
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "none"))
    assert [p["name"] for p in service.training_places()] == ["local"]
    assert build_steps(service, TASK).session.form.place.backend.visible is False


def test_a_chosen_place_shows_its_flavors_and_the_price(service: Service, hub: Server) -> None:
    steps = build_steps(service, TASK)
    place = steps.session.form.place
    draft = {steps.session.draft: service.draft(TASK.name)}
    values: dict[Any, Any] = {**steps.values(), **draft, place.backend: "hf-jobs"}
    updates = fire_change(steps, place.backend, values)
    flavor, cost = updates[place.flavor], updates[place.max_cost.component]
    assert ("Nvidia A10G - small (24 GB of GPU memory), 1.00 USD per hour", "a10g-small") in flavor.choices
    # The cheapest flavor with a GPU, and a limit that the user sees.
    assert flavor.value == "a10g-small" and updates[place.row].visible and cost.value == "2"
    values |= {place.flavor: "a10g-small", place.max_cost.component: "2"}
    updates = fire_change(steps, place.max_cost.component, values)
    text = "1.00 USD per hour; at most 2 h, so at most 2.00 USD."
    assert text in updates[steps.model.estimate] and text in updates[steps.train.summary]
    assert "--backend hf-jobs" in updates[steps.model.views.command]
    assert "max_cost: 2.0" in updates[steps.model.views.yaml]
    values[place.max_cost.component] = ""
    updates = fire_change(steps, place.max_cost.component, values)
    assert "has no limit" in updates[steps.model.problem] and updates[steps.train.start].interactive is False
    # Back on this machine, nothing of it is left in the spec.
    values[place.backend] = "local"
    updates = fire_change(steps, place.backend, values)
    assert "flavor" not in updates[steps.model.views.yaml] and "USD" not in updates[steps.model.estimate]


def test_prices_that_cannot_be_fetched_are_an_error_on_the_page(service: Service, hub: Server) -> None:
    hub.failures.append(Failure("GET", "/api/jobs/hardware", 500, times=99))
    steps = build_steps(service, TASK)
    place = steps.session.form.place
    draft = {steps.session.draft: service.draft(TASK.name)}
    updates = fire_change(steps, place.backend, {**steps.values(), **draft, place.backend: "hf-jobs"})
    assert "prices of Hugging Face Jobs cannot be fetched" in updates[steps.model.problem]
