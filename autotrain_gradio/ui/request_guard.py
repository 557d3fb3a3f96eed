"""Checks every HTTP request before Gradio sees it: host, origin, route, size of uploads, wrong passwords."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import MIB
from autotrain_gradio.ui.allowed_hosts import AllowedHosts
from autotrain_gradio.ui.allowed_routes import LOGIN, UPLOAD, is_allowed
from autotrain_gradio.ui.login_limits import LoginLimits
from autotrain_gradio.ui.upload_ledger import UploadLedger

LARGEST_BODY = 16 * MIB
"""Maximum size of a request that is not an upload, in bytes; the largest are the label tables of the form."""

REFUSED_UPLOAD = {"upload-too-large": 413, "upload-limit": 429, "disk-full": 507}
"""Code of the error of `UploadLedger.admit` → HTTP status."""


@dataclass
class GuardRules:
    """What the guard of one server accepts.

    behind_proxy: the last address in `X-Forwarded-For` is that of the client.
    """

    hosts: AllowedHosts
    uploads: UploadLedger
    logins: LoginLimits = field(default_factory=LoginLimits)
    behind_proxy: bool = False


class RequestGuard:
    """ASGI middleware, the outermost one.

    rules: returns the current rules; Gradio creates its app before the page is served.
    """

    def __init__(self, app: ASGIApp, rules: Callable[[], GuardRules]) -> None:
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})  # the page has none

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        rules, headers = self._rules(), Headers(scope=scope)
        refused = _refuse_request(rules, scope, headers)
        if refused is not None:
            await refused(scope, receive, send)
            return
        address = _address(rules, scope, headers)
        with_headers = _with_headers(send, f"frame-ancestors {rules.hosts.frame_ancestors()}")
        if scope["method"] == "POST" and scope["path"] == UPLOAD:
            await self._upload(rules, address, scope, receive, with_headers)
        elif scope["method"] == "POST" and scope["path"] in LOGIN:
            await self._login(rules, address, scope, receive, with_headers)
        else:
            await self._app(scope, _limited(receive, LARGEST_BODY), with_headers)

    async def _upload(self, rules: GuardRules, address: str, scope: Scope, receive: Receive, send: Send) -> None:
        headers = MutableHeaders(scope=scope)
        size = headers.get("content-length", "")
        if not size.isdecimal():
            await PlainTextResponse("The size of the upload is unknown.", 411)(scope, receive, send)
            return
        try:
            rules.uploads.admit(address, int(size))
        except DataError as error:
            await PlainTextResponse(str(error), REFUSED_UPLOAD[error.code])(scope, receive, send)
            return
        del headers["accept-encoding"]  # the answer is parsed below
        body, status = bytearray(), 0

        async def record(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            body.extend(message.get("body", b""))
            if status == 200 and message["type"] == "http.response.body" and not message.get("more_body"):
                rules.uploads.record(str(path) for path in json.loads(body))
            await send(message)

        await self._app(scope, receive, record)

    async def _login(self, rules: GuardRules, address: str, scope: Scope, receive: Receive, send: Send) -> None:
        wait = rules.logins.begin(address)
        if wait > 0:
            seconds = str(math.ceil(wait))
            text = f"Too many wrong passwords. Try again in {seconds} s."
            await PlainTextResponse(text, 429, {"Retry-After": seconds})(scope, receive, send)
            return

        async def observe(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                rules.logins.succeed(address)
            await send(message)

        await self._app(scope, _limited(receive, LARGEST_BODY), observe)


def _refuse_request(rules: GuardRules, scope: Scope, headers: Headers) -> Response | None:
    """Return the answer to a request that is not accepted."""
    host, origin, method = headers.get("host", ""), headers.get("origin"), scope["method"]
    if not rules.hosts.accepts_host(host):
        shown = "".join(c for c in host[:100] if c.isprintable())
        return PlainTextResponse(
            f"The app is not served as '{shown}'. If that is the name of a reverse proxy in front of it, start the app "
            f"with AUTOTRAIN_GRADIO_HOSTS={shown}.",
            403,
        )
    if origin is not None and not rules.hosts.accepts_origin(origin, host):
        return PlainTextResponse("Requests from pages of another origin are refused.", 403)
    site, mode = headers.get("sec-fetch-site", ""), headers.get("sec-fetch-mode", "")
    navigates = mode == "navigate" and method == "GET"
    if origin is None and site in {"cross-site", "same-site"} and not navigates:
        return PlainTextResponse("Requests from pages of another origin are refused.", 403)
    # Gradio decodes the path of a file once more.
    query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode("latin-1"), True).items()}
    shown_file = rules.uploads.may_be_shown
    if not is_allowed(method, scope["path"], query, file=lambda p: shown_file(p) and shown_file(unquote(p))):
        return PlainTextResponse("Not found.", 404)
    return None


def _address(rules: GuardRules, scope: Scope, headers: Headers) -> str:
    """Return the address of the client; a proxy appends it to what the client itself has sent."""
    if rules.behind_proxy and (forwarded := headers.get("x-forwarded-for")):
        return str(forwarded.rpartition(",")[2].strip())
    return str((scope.get("client") or ("unknown",))[0])


def _limited(receive: Receive, largest: int) -> Receive:
    """Return a `receive` that ends the request after so many bytes."""
    total = 0

    async def limited() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        return message if total <= largest else {"type": "http.disconnect"}

    return limited


def _with_headers(send: Send, policy: str) -> Send:
    """Return a `send` that adds the headers that every answer has."""

    async def with_headers(message: Message) -> Any:
        if message["type"] == "http.response.start":
            found = MutableHeaders(scope=message)
            found.setdefault("Content-Security-Policy", policy)
            found.setdefault("X-Content-Type-Options", "nosniff")
            found.setdefault("Referrer-Policy", "same-origin")
        await send(message)

    return with_headers
