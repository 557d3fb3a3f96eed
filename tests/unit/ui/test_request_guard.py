"""Uploads that are refused before they are received: the status says why."""

from __future__ import annotations

import asyncio
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.text_format import GIB, MIB
from autotrain_gradio.ui.allowed_hosts import AllowedHosts
from autotrain_gradio.ui.allowed_routes import UPLOAD
from autotrain_gradio.ui.request_guard import GuardRules, RequestGuard
from autotrain_gradio.ui.upload_ledger import UploadLedger

Usage = namedtuple("Usage", "total used free")


def upload(folder: Path, size: int) -> tuple[int, str]:
    """Return status and text of the answer to an upload."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"[]"})

    rules = GuardRules(AllowedHosts(), UploadLedger(folder, largest=2 * GIB, per_hour=GIB))
    headers = [(b"host", b"127.0.0.1"), (b"content-length", str(size).encode())]
    scope = {"type": "http", "method": "POST", "path": UPLOAD, "query_string": b"", "headers": headers}
    asyncio.run(RequestGuard(app, lambda: rules)(scope, receive, send))
    return sent[0]["status"], b"".join(m.get("body", b"") for m in sent).decode()


@pytest.mark.parametrize(
    ("size", "free", "status", "text"),
    [
        (MIB, 8 * GIB, 200, "[]"),
        (3 * GIB, 8 * GIB, 413, "the limit is 2.0 GiB"),
        (int(1.5 * GIB), 8 * GIB, 429, "limited to 1.0 GiB an hour"),
        (MIB, GIB, 507, "The disk of the server is full: the upload has 1.0 MiB, and 1.0 GiB are free"),
    ],
)
def test_the_status_says_why_an_upload_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, free: int, status: int, text: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(100 * GIB, 100 * GIB - free, free))
    found, answer = upload(tmp_path, size)
    assert found == status and text in answer
