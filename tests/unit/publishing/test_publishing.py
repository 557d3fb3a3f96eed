"""Publishing, against a Hub that is small enough for a test."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.errors import SpecError, UserError
from autotrain_gradio.service import Service

TOKEN = "hf_right"


@dataclass
class Hub:
    """What the small Hub was sent: repositories, and the files of their commits."""

    url: str = ""
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    full: bool = False
    role: str = "write"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub on a free port, to which `HF_ENDPOINT` points."""
    state = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            return None

        def reply(self, value: Any, status: int = 200) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/json")
            if status >= 400:
                self.send_header("X-Error-Message", value.get("error", ""))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            if self.headers.get("authorization") != f"Bearer {TOKEN}":
                return self.reply({"error": "Invalid credentials"}, 401)
            if self.path == "/api/whoami-v2":
                auth = {"accessToken": {"role": state.role}}
                return self.reply({"type": "user", "name": "ana", "orgs": [{"name": "lab"}], "auth": auth})
            return self.reply({}, 404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/api/repos/create":
                asked = json.loads(body)
                name = f"{asked.get('organization') or 'ana'}/{asked['name']}"
                state.repositories[name] = asked
                return self.reply({"url": f"{state.url}/{name}"})
            if self.path == "/api/validate-yaml":
                return self.reply({"warnings": [], "errors": []})
            if "/preupload/" in self.path:
                if state.full:
                    return self.reply({"error": "Storage limit reached"}, 403)
                files = [
                    {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for f in json.loads(body)["files"]
                ]
                return self.reply({"files": files})
            match = re.fullmatch(r"/api/models/(.+)/commit/main", self.path)
            if match:
                for line in body.splitlines():
                    entry = json.loads(line)
                    if entry["key"] == "file":
                        state.files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
                url = f"{state.url}/{match[1]}/commit/1"
                return self.reply({"success": True, "commitOid": "1", "commitUrl": url, "hookOutput": ""})
            return self.reply({}, 404)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("HF_ENDPOINT", state.url)
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


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


def test_an_organisation_is_named_by_username(hub: Hub, service: Service, start: Start, until: Until) -> None:
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
def test_a_token_that_will_not_do_is_found_before_the_training(
    hub: Hub, service: Service, start: Start, until: Until, token: str, role: str, username: str | None, code: str
) -> None:
    hub.role = role
    failed = until(begin(service, token, username=username), "failed")
    assert failed["error"]["code"] == code and failed["error"]["hint"]
    assert failed["series"] == {} and hub.repositories == {}
    assert token not in json.dumps(failed)


def test_without_a_token_nothing_is_started(hub: Hub, service: Service, start: Start) -> None:
    with pytest.raises(SpecError, match="needs a token"):
        begin(service, "")
    assert service.runs() == []


def test_a_failed_upload_leaves_the_run_completed_and_can_be_tried_again(
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


def test_a_hub_that_is_away_is_told_before_the_training(
    service: Service, start: Start, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    failed = until(begin(service, TOKEN), "failed")
    assert failed["error"]["code"] == "hub-unreachable"


def test_a_name_that_the_hub_refuses_is_found_before_the_training(
    hub: Hub, service: Service, start: Start, until: Until
) -> None:
    draft = service.draft("toy-sorting")
    data = {"source": "upload", "path": "x"}
    spec = {"task": "toys", "project_name": "my--model", "data": data, "hub": {"push_to_hub": True}}
    failed = until(service.start(draft, spec, token=TOKEN), "failed")
    assert failed["error"]["code"] == "name-refused" and failed["series"] == {}
