"""OpenAI's API of a run: its responses, streams and errors, and what happens when a client leaves."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import httpx
import openai
import pytest
import uvicorn
from fastapi.testclient import TestClient

from autotrain_gradio.api.openai_server import create_app
from autotrain_gradio.core.errors import StateError, UserError, WorkerError

FACTS = {"finish_reason": "length", "prompt_tokens": 7, "completion_tokens": 3, "seconds": 0.1}
HELLO = {"model": "lights", "messages": [{"role": "user", "content": "red?"}]}


class FakeService:
    """A service with one run, whose verbs yield fixed items."""

    def __init__(self, *verbs: str, items: tuple[Any, ...] = ("At ", "red.", FACTS)) -> None:
        self._verbs, self.items = verbs, items
        self.contexts: list[Mapping[str, Any]] = []
        self.running = self.most = 0
        self.closed = threading.Event()

    def snapshot(self, run: str) -> dict[str, Any]:
        return {"project_name": "lights", "created": 12.5, "task_title": "Toys", "can": {"call": True}}

    def verbs(self, run: str) -> list[dict[str, Any]]:
        return [{"name": name} for name in self._verbs]

    def stream(self, run: str, verb: str, context: Mapping[str, Any]) -> Generator[Any, None, None]:
        self.contexts.append({"verb": verb, **context})
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            for item in self.items:
                if isinstance(item, float):
                    time.sleep(item)
                elif isinstance(item, Exception):
                    raise item
                else:
                    yield item
        finally:
            self.running -= 1
            self.closed.set()


def client_of(service: Any, **options: Any) -> TestClient:
    return TestClient(create_app(service, "run-1", **options), base_url="http://127.0.0.1")


def events(text: str) -> list[Any]:
    """Return the data of server-sent events."""
    data = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [d if d == "[DONE]" else json.loads(d) for d in data]


def test_models_are_listed() -> None:
    client = client_of(FakeService("chat"))
    found = client.get("/v1/models").json()
    assert found["object"] == "list" and [m["id"] for m in found["data"]] == ["lights"]
    assert client.get("/v1/models/lights").json()["created"] == 12
    assert client.get("/v1/models/other").status_code == 404


def test_a_chat_completion_has_the_form_of_openai() -> None:
    service = FakeService("chat")
    system = {"role": "developer", "content": [{"type": "text", "text": "Be "}, {"type": "text", "text": "short."}]}
    body = {**HELLO, "messages": [system, *HELLO["messages"]], "temperature": 0.5, "top_p": 0.9, "seed": 3}  # type: ignore[misc]
    body |= {"max_completion_tokens": 9, "stop": "x", "user": "ann", "n": 1, "presence_penalty": 0}
    found = client_of(service).post("/v1/chat/completions", json=body).json()
    choice = found["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": "At red."} and choice["finish_reason"] == "length"
    assert found["usage"] == {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    assert found["object"] == "chat.completion" and found["id"].startswith("chatcmpl-") and found["model"] == "lights"
    assert service.contexts == [
        {
            "verb": "chat",
            "messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "red?"}],
            "temperature": 0.5,
            "top_p": 0.9,
            "seed": 3,
            "max_tokens": 9,
            "stop": "x",
        }
    ]


def test_a_stream_has_chunks_with_the_usage_at_the_end() -> None:
    body = {**HELLO, "stream": True, "stream_options": {"include_usage": True}}
    answer = client_of(FakeService("chat")).post("/v1/chat/completions", json=body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    *chunks, end, usage, done = events(answer.text)
    assert [c["choices"][0]["delta"].get("content") for c in chunks] == ["", "At ", "red."]
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant" and len({c["id"] for c in chunks}) == 1
    assert end["choices"][0] == {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "length"}
    assert usage["choices"] == [] and usage["usage"]["total_tokens"] == 10 and done == "[DONE]"


def test_texts_are_continued() -> None:
    service = FakeService("complete")
    client, body = client_of(service), {"model": "lights", "prompt": ["At red"], "max_tokens": 4}
    found = client.post("/v1/completions", json=body).json()
    assert found["choices"][0]["text"] == "At red." and found["object"] == "text_completion"
    assert service.contexts[0] == {"verb": "complete", "text": "At red", "max_tokens": 4}
    parts = events(client.post("/v1/completions", json={**body, "stream": True}).text)
    assert [p["choices"][0]["text"] for p in parts[:-1]] == ["At ", "red.", ""]
    wrong = client.post("/v1/chat/completions", json=HELLO)
    assert wrong.status_code == 400 and "/v1/completions" in wrong.json()["error"]["message"]


@pytest.mark.parametrize(
    ("change", "status", "param"),
    [
        ({"model": "gpt"}, 404, "model"),
        ({"messages": []}, 400, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, 400, "messages[0].role"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "messages[0].content"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, 400, "messages[0].role"),
        ({"n": 2}, 400, "n"),
        ({"tools": [{"type": "function"}]}, 400, "tools"),
        ({"response_format": {"type": "json_object"}}, 400, "response_format"),
    ],
)
def test_what_cannot_be_done_is_a_clear_error(change: Mapping[str, Any], status: int, param: str) -> None:
    answer = client_of(FakeService("chat")).post("/v1/chat/completions", json={**HELLO, **change})
    error = answer.json()["error"]
    assert answer.status_code == status and error["param"] == param and error["type"] == "invalid_request_error"


@pytest.mark.parametrize("stream", [False, True])
def test_errors_of_the_model_have_a_status(stream: bool) -> None:
    wrong = UserError("Input should be less than 2.", "", "temperature", "invalid-setting")
    body = {**HELLO, "stream": stream}
    answer = client_of(FakeService("chat", items=(wrong,))).post("/v1/chat/completions", json=body)
    assert answer.status_code == 400 and answer.json()["error"]["param"] == "temperature"
    dead = client_of(FakeService("chat", items=(WorkerError("The worker died.", code="worker-died"),)))
    answer = dead.post("/v1/chat/completions", json=body)
    assert answer.status_code == 500 and answer.json()["error"]["type"] == "server_error"


def test_an_error_after_the_first_part_ends_the_stream() -> None:
    service = FakeService("chat", items=("At ", WorkerError("The worker died.", code="worker-died")))
    parts = events(client_of(service).post("/v1/chat/completions", json={**HELLO, "stream": True}).text)
    assert parts[-1]["error"]["code"] == "worker-died" and "[DONE]" not in parts


def test_bodies_that_are_no_json_objects() -> None:
    client, json_type = client_of(FakeService("chat")), {"content-type": "application/json"}
    assert (
        client.post("/v1/chat/completions", content=b"{", headers=json_type).json()["error"]["code"] == "invalid_json"
    )
    assert client.post("/v1/chat/completions", content=b"[]", headers=json_type).status_code == 400
    # A form of another page could send this without being asked by the browser.
    assert client.post("/v1/chat/completions", content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    assert client.get("/v2").json()["error"]["type"] == "invalid_request_error"


def test_the_key_and_the_host_are_required() -> None:
    client = client_of(FakeService("chat"), key="secret", loopback=False)
    assert client.get("/v1/models").status_code == 401
    assert client.post("/v1/chat/completions", json=HELLO, headers={"authorization": "Bearer s"}).status_code == 401
    assert client.get("/v1/models", headers={"authorization": "Bearer secret"}).status_code == 200
    refused = client_of(FakeService("chat")).get("/v1/models", headers={"host": "evil.example"})
    assert refused.status_code == 400 and "evil.example" in refused.json()["error"]["message"]
    for host in ("127.0.0.2:8000", "app.localhost", "[::1]:8000"):
        assert client_of(FakeService("chat")).get("/v1/models", headers={"host": host}).status_code == 200


def test_a_run_without_a_text_cannot_be_served() -> None:
    with pytest.raises(StateError, match="generates no text"):
        create_app(FakeService("explain"), "run-1")  # type: ignore[arg-type]


@pytest.fixture
def serve() -> Iterator[Any]:
    """Return a function that serves a service on a port, and returns its URL."""
    servers = []

    def start(service: Any) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(service, "run-1"), log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"

    yield start
    for server, thread in servers:
        server.should_exit = True
        thread.join(10)


def test_a_client_that_leaves_cancels_its_generation(serve: Any) -> None:
    service = FakeService("chat", items=("a", *(0.05, "b") * 400))
    url = serve(service)
    with httpx.stream("POST", f"{url}/chat/completions", json={**HELLO, "stream": True}) as answer:
        next(answer.iter_lines())
    assert service.closed.wait(5)
    service.closed.clear()
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{url}/chat/completions", json=HELLO, timeout=0.5)
    assert service.closed.wait(5)


def test_requests_are_queued(serve: Any) -> None:
    service = FakeService("chat", items=("a", 0.3, "b", FACTS))
    url, answers = serve(service), []

    def ask() -> None:
        answers.append(httpx.post(f"{url}/chat/completions", json=HELLO, timeout=20).json()["choices"][0])

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [a["message"]["content"] for a in answers] == ["ab"] * 3 and service.most == 1


def test_the_client_of_openai_understands_it(serve: Any) -> None:
    client = openai.OpenAI(base_url=serve(FakeService("chat")), api_key="none", max_retries=0)
    assert [m.id for m in client.models.list()] == ["lights"]
    found = client.chat.completions.create(**HELLO)
    assert found.choices[0].message.content == "At red." and found.usage.total_tokens == 10
    parts = client.chat.completions.create(**HELLO, stream=True)
    assert "".join(part.choices[0].delta.content or "" for part in parts) == "At red."
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        client.chat.completions.create(**{**HELLO, "model": "gpt"})
    with pytest.raises(openai.BadRequestError, match="'n' is not supported"):
        client.chat.completions.create(**HELLO, n=2)
