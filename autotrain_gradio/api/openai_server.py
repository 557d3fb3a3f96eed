"""A server with OpenAI's API for one finished run, for local use: chat completions and completions.

The model runs in the run's warm worker: this process imports no torch. Format:
https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from autotrain_gradio.api.openai_generation import Generation
from autotrain_gradio.api.openai_requests import ApiError, chat_arguments, completion_arguments, includes_usage
from autotrain_gradio.core.errors import StateError
from autotrain_gradio.core.loopback import is_loopback
from autotrain_gradio.core.text_format import MIB
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.chat import CHAT, COMPLETE

BODY_BYTES = 8 * MIB


@dataclass(frozen=True)
class Endpoint:
    """An endpoint that generates text. text: a text, and whether it is part of a stream → the fields of a choice."""

    path: str
    verb: str
    arguments: Callable[[Mapping[str, Any]], dict[str, Any]]
    prefix: str
    object: str
    part_object: str
    choice: Callable[[str, bool], dict[str, Any]]


def _message(text: str, part: bool) -> dict[str, Any]:
    return {"delta": {"content": text}} if part else {"message": {"role": "assistant", "content": text}}


ENDPOINTS = (
    Endpoint(
        "/v1/chat/completions",
        CHAT.name,
        chat_arguments,
        "chatcmpl",
        "chat.completion",
        "chat.completion.chunk",
        _message,
    ),
    Endpoint(
        "/v1/completions",
        COMPLETE.name,
        completion_arguments,
        "cmpl",
        "text_completion",
        "text_completion",
        lambda text, part: {"text": text},
    ),
)


class LoopbackOnly:
    """Middleware that refuses requests whose host is not a name or address of this computer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = Request(scope).url.hostname or ""
            if not is_loopback(host):
                error = ApiError(400, f"The server answers requests to this computer only, not to '{host:.80}'.")
                await JSONResponse(error.body(), error.status)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def create_app(service: Service, run: str, *, key: str = "", loopback: bool = True) -> FastAPI:
    """Return the server of a run.

    key: clients must send it as bearer token; empty: none is needed. loopback: only requests to a local name are
    answered, so that no web page can reach the server by another name.

    Raises:
        StateError: the run has no model, or its task generates no text.
    """
    snapshot = service.snapshot(run) or {}
    verbs = {verb["name"] for verb in service.verbs(run)}
    offered = [endpoint for endpoint in ENDPOINTS if endpoint.verb in verbs]
    if not offered:
        message = (
            f"A run of {snapshot.get('task_title') or snapshot.get('task')} cannot be served: it generates no text."
        )
        raise StateError(message, "Serve a run of a language model.", code="not-served")
    if not snapshot.get("can", {}).get("call"):
        raise StateError("The run has no model yet.", "Wait until it is completed, or stop it.", code="no-model")
    name, created = str(snapshot["project_name"]), int(snapshot.get("created") or 0)
    model = {"id": name, "object": "model", "created": created, "owned_by": "autotrain-gradio"}
    app, lock = FastAPI(title="autotrain-gradio", docs_url=None, redoc_url=None, openapi_url=None), threading.Lock()
    if loopback:
        app.add_middleware(LoopbackOnly)

    @app.exception_handler(ApiError)
    async def api_error(request: Request, error: ApiError) -> Response:
        return JSONResponse(error.body(), error.status)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        found = ApiError(error.status_code, f"{error.detail}: {request.method} {request.url.path}.")
        return JSONResponse(found.body(), found.status)

    def authorize(request: Request) -> None:
        sent = request.headers.get("authorization", "")
        if key and not hmac.compare_digest(sent.encode(), f"Bearer {key}".encode()):
            raise ApiError(401, "The API key is missing or wrong.", code="invalid_api_key")

    def require_model(asked: Any) -> None:
        if asked not in (name, run):
            raise ApiError(
                404,
                f"The model '{asked!s:.80}' does not exist; this server has '{name}'.",
                param="model",
                code="model_not_found",
            )

    @app.get("/v1/models")
    async def models(request: Request) -> Any:
        authorize(request)
        return {"object": "list", "data": [model]}

    @app.get("/v1/models/{asked:path}")
    async def one_model(asked: str, request: Request) -> Any:
        authorize(request)
        require_model(asked)
        return model

    def add(endpoint: Endpoint) -> None:
        @app.post(endpoint.path)
        async def generate(request: Request) -> Any:
            authorize(request)
            body = await read_body(request)
            require_model(body.get("model"))
            if endpoint not in offered:
                message = f"This model has another endpoint: {offered[0].path}."
                raise ApiError(400, message, code="wrong_endpoint")
            arguments = endpoint.arguments(body)
            generation = Generation(lambda: service.stream(run, endpoint.verb, arguments), lock)
            items = generation.items(request.is_disconnected)
            head = {
                "id": f"{endpoint.prefix}-{secrets.token_hex(12)}",
                "created": int(time.time()),
                "model": name,
            }
            if body.get("stream"):
                # The first item is awaited: an error before it has its own status.
                first = [item async for item in _until_first(items)]
                usage = includes_usage(body)
                events = _events(endpoint, {**head, "object": endpoint.part_object}, first, items, usage)
                return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-cache"})
            text, facts = "", {}
            async for item in items:
                if isinstance(item, str):
                    text += item
                elif item is not None:
                    facts = item
            choice = {"index": 0, **endpoint.choice(text, False), "logprobs": None, "finish_reason": _reason(facts)}
            return {**head, "object": endpoint.object, "choices": [choice], "usage": _usage(facts)}

    for endpoint in ENDPOINTS:
        add(endpoint)
    return app


async def read_body(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request.

    Raises:
        ApiError: it is too large, of another type, or not a JSON object.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ApiError(415, "The body must have the type application/json.")
    raw = b""
    async for part in request.stream():
        raw += part
        if len(raw) > BODY_BYTES:
            raise ApiError(413, f"The body is larger than {BODY_BYTES // MIB} MiB.")
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, f"The body is not JSON: {str(error)[:100]}.", code="invalid_json") from None
    if not isinstance(found, dict):
        raise ApiError(400, "The body must be a JSON object.", code="invalid_json")
    return found


async def _until_first(items: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for item in items:
        if item is not None:
            yield item
            return


async def _events(
    endpoint: Endpoint, head: Mapping[str, Any], first: list[Any], items: AsyncIterator[Any], usage: bool
) -> AsyncIterator[str]:
    """Yield server-sent events: a chunk for each part of the text, one with the reason of the end, and `[DONE]`."""

    def chunk(choice: Mapping[str, Any], reason: str | None = None) -> str:
        found = {**head, "choices": [{"index": 0, **choice, "logprobs": None, "finish_reason": reason}]}
        return _event({**found, "usage": None} if usage else found)

    if endpoint.choice("", True).get("delta") is not None:
        yield chunk({"delta": {"role": "assistant", "content": ""}})
    facts: Mapping[str, Any] = {}
    try:
        for item in first:
            if isinstance(item, str):
                yield chunk(endpoint.choice(item, True))
            else:
                facts = item
        async for item in items:
            if item is None:
                yield ": waiting\n\n"
            elif isinstance(item, str):
                yield chunk(endpoint.choice(item, True))
            else:
                facts = item
    except ApiError as error:
        yield _event(error.body())
        return
    empty = {"delta": {}} if "delta" in endpoint.choice("", True) else endpoint.choice("", True)
    yield chunk(empty, _reason(facts))
    if usage:
        yield _event({**head, "choices": [], "usage": _usage(facts)})
    yield "data: [DONE]\n\n"


def _event(value: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def _reason(facts: Mapping[str, Any]) -> str:
    return "length" if facts.get("finish_reason") == "length" else "stop"


def _usage(facts: Mapping[str, Any]) -> dict[str, int]:
    prompt, completion = int(facts.get("prompt_tokens", 0)), int(facts.get("completion_tokens", 0))
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
