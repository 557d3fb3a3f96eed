"""Publishing, against a Hub that is small enough for a test."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.errors import SpecError, UserError
from autotrain_gradio.service import Service
from tests.hub import TOKEN, Hub, serve


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub on a free port, to which `HF_ENDPOINT` points."""
    with serve() as state:
        monkeypatch.setenv("HF_ENDPOINT", state.url)
        yield state


Start = Callable[..., str]
Until = Callable[..., dict[str, Any]]


def begin(service: Service, token: str, **hub_settings: Any) -> str:
    """Start a toy run that is to be published."""
    draft = service.draft("toy-sorting")
    spec = {
        "task": "toy-sorting",
        "project_name": "toys",
        "data": {"source": "upload", "path": "x"},
        "hub": {"push_to_hub": True, **hub_settings},
    }
    return service.start(draft, spec, token=token)


def test_a_model_is_uploaded_after_the_training(hub: Hub, service: Service, start: Start, until: Until) -> None:
    done = until(begin(service, TOKEN), "completed")
    assert hub.repositories["ana/toys"]["visibility"] == "private"
    assert hub.files["box.txt"] == b"red"
    assert done["notes"][-1]["message"] == f"The model is at {hub.url}/ana/toys"


def test_the_username_can_be_an_organization(hub: Hub, service: Service, start: Start, until: Until) -> None:
    until(begin(service, TOKEN, username="lab"), "completed")
    assert set(hub.repositories) == {"lab/toys"}


@pytest.mark.parametrize(
    ("token", "role", "username", "code"),
    [
        ("hf_wrong", "write", None, "token-rejected"),
        (TOKEN, "read", None, "token-reads-only"),
        (TOKEN, "write", "somebody", "not-a-member"),
    ],
)
def test_an_invalid_token_is_reported_before_training(
    hub: Hub, service: Service, start: Start, until: Until, token: str, role: str, username: str | None, code: str
) -> None:
    hub.role = role
    failed = until(begin(service, token, username=username), "failed")
    assert failed["error"]["code"] == code and failed["error"]["hint"]
    assert failed["series"] == {} and hub.repositories == {}
    assert token not in json.dumps(failed)


def test_a_missing_token_is_reported_before_training(hub: Hub, service: Service, start: Start) -> None:
    with pytest.raises(SpecError, match="needs a token"):
        begin(service, "")
    assert service.runs() == []


def test_a_failed_upload_keeps_the_run_completed_and_can_be_retried(
    hub: Hub, service: Service, start: Start, until: Until
) -> None:
    hub.full = True
    run = begin(service, TOKEN)
    done = until(run, "completed")
    note = done["notes"][-1]
    assert note["level"] == "warning" and "Storage limit" in note["message"] and "publish" in note["hint"]
    with pytest.raises(UserError, match="not uploaded"):
        service.publish(run, token=TOKEN)
    hub.full = False
    assert service.publish(run, token=TOKEN) == f"{hub.url}/ana/toys"
    assert hub.files["box.txt"] == b"red"


def test_the_token_is_in_no_file_of_the_run(hub: Hub, service: Service, start: Start, until: Until) -> None:
    run = begin(service, TOKEN)
    until(run, "completed")
    folder: Path = service.store.get(run).directory
    assert not [p for p in folder.rglob("*") if p.is_file() and TOKEN.encode() in p.read_bytes()]


def test_an_unreachable_hub_is_reported_before_training(
    service: Service, start: Start, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    failed = until(begin(service, TOKEN), "failed")
    assert failed["error"]["code"] == "hub-unreachable"


def test_an_invalid_repository_name_is_reported_before_training(
    hub: Hub, service: Service, start: Start, until: Until
) -> None:
    draft = service.draft("toy-sorting")
    data = {"source": "upload", "path": "x"}
    spec = {"task": "toys", "project_name": "my--model", "data": data, "hub": {"push_to_hub": True}}
    failed = until(service.start(draft, spec, token=TOKEN), "failed")
    assert failed["error"]["code"] == "name-refused" and failed["series"] == {}
