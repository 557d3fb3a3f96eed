"""Attack: the token that another visitor has typed, on disk or in what the server keeps of a session."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from autotrain_gradio.ui.login_limits import LoginLimits
from autotrain_gradio.ui.page import launch
from tests.security.conftest import Place, kinds_of_events, render_all
from tests.security.visitor import Visitor

TOKEN = "hf_TypedByAVisitor4711"


def _files_with(folder: Path, text: str) -> list[str]:
    return [str(p) for p in folder.rglob("*") if p.is_file() and text.encode() in p.read_bytes()]


def test_a_typed_token_is_in_no_file_and_no_session(place: Place) -> None:
    visitor = Visitor(place.url, "token")
    rendered = render_all(place, visitor)
    fields = {i._id for f in rendered for i in f.inputs if getattr(i, "type", "") == "password"}
    events = [f for f in kinds_of_events(rendered) if any(i._id in fields for i in f.inputs)]
    typed = {i._id for f in events for i in f.inputs} & fields
    assert len(events) > 15 and len(fields) > 4 and len(typed) > 4
    for function in events:
        data = [
            TOKEN if i._id in fields else visitor.id if getattr(i, "storage_key", "").endswith("visitor") else None
            for i in function.inputs
        ]
        visitor.call(function._id, data, queued=function.queue is not False)
    visitor.http.get("/gradio_api/deep_link", params={"session_hash": visitor.session})
    kept = place.demo.app.state_holder[visitor.session].config_values
    assert typed <= kept.keys()
    assert TOKEN not in json.dumps(kept, default=repr)
    visitor.close()
    assert _files_with(place.folder, TOKEN) == []


def test_the_view_of_a_run_does_not_tell_whose_it_is(place: Place) -> None:
    shown = [place.service.snapshot(place.sorter), place.service.log(place.sorter)]
    assert place.sorter in json.dumps(shown, default=str)
    assert place.a.id not in json.dumps(shown, default=str)


def test_the_search_finds_what_is_there(place: Place) -> None:
    planted = place.folder / "temporary" / "planted"
    planted.write_text(f"x{TOKEN}x")
    assert _files_with(place.folder, TOKEN) == [str(planted)]
    planted.unlink()


def test_variables_of_the_server_are_not_read_by_a_pasted_config(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVATE_OF_THE_SERVER", "value-of-the-server")
    text = "task: toy-sorting\nhub:\n  username: ${PRIVATE_OF_THE_SERVER}\n  push_to_hub: false\n"
    spec, secrets = place.service.parse_yaml(text)
    assert "value-of-the-server" not in json.dumps(spec) and secrets.token is None


@pytest.fixture
def protected(tmp_path: Path) -> Iterator[str]:
    """The page with a user and a password."""
    service = Service(Settings(home=tmp_path / "home", shared=True), dispatch=False)
    demo, url = launch(service, auth=("guest", "correct horse"), block=False, quiet=True)
    demo.rules.logins = LoginLimits(clock=lambda: 1000.0)  # time stands still, however long a request takes
    yield url
    demo.close()
    service.close()


def test_wrong_passwords_are_slowed_down(protected: str) -> None:
    def log_in(password: str) -> httpx.Response:
        return httpx.post(f"{protected}login", data={"username": "guest", "password": password})

    assert httpx.get(f"{protected}config").status_code == 401
    assert log_in("correct horse").status_code == 200
    codes = [log_in(f"wrong {number}").status_code for number in range(8)]
    assert codes[:5] == [400] * 5 and codes[-1] == 429
    refused = log_in("correct horse")  # an answer would tell an attacker that the password is right
    assert refused.status_code == 429 and int(refused.headers["retry-after"]) >= 1
    assert "Too many wrong passwords" in refused.text


def test_all_routes_but_the_login_need_it(protected: str) -> None:
    paths: dict[str, Any] = {
        "config": 401,
        "gradio_api/info": 401,
        "gradio_api/queue/data?session_hash=x": 401,
        "gradio_api/upload_progress?upload_id=x": 401,
        "autotrain/files/x/report/a.png": 401,
        "autotrain/download/x": 401,
    }
    assert {p: httpx.get(protected + p).status_code for p in paths} == paths
    for path in ("gradio_api/queue/join", "gradio_api/run/predict", "gradio_api/component_server", "gradio_api/upload"):
        assert httpx.post(protected + path, json={}).status_code == 401
