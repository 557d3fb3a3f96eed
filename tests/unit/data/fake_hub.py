"""A Hub small enough for tests: datasets that are folders, served as `huggingface_hub` asks for them."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

SHA = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_right"


@dataclass
class FakeHub:
    """Datasets by id. `gated` ones ask for agreement, `private` ones hide, unless the right token is sent."""

    root: Path
    gated: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    url: str = ""

    def card(self, name: str) -> dict[str, Any]:
        """Return the front matter of a dataset's README."""
        readme = self.root / name / "README.md"
        found = re.match(r"---\n(.*?)\n---", readme.read_text(), re.DOTALL) if readme.is_file() else None
        return yaml.safe_load(found[1]) if found else {}


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            return None

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.requests.append(f"{self.command} {path}")
            api = re.fullmatch(r"/api/datasets/(.+?)(?:/revision/([^/]+))?", path)
            file = re.fullmatch(r"/datasets/(.+?)/resolve/([^/]+)/(.+)", path)
            name = (api or file)[1] if api or file else ""  # type: ignore[index]
            revision = (api or file)[2] if api or file else None  # type: ignore[index]
            folder = hub.root / name
            signed = self.headers.get("authorization") == f"Bearer {TOKEN}"
            if name in hub.broken:
                return self.send(500, b"oops", body)
            if not name or not folder.is_dir() or (name in hub.private and not signed):
                return self.send(401 if not signed else 404, b"", body, {"X-Error-Code": "RepoNotFound"})
            if name in hub.gated and not signed and file:
                return self.send(
                    401, b"", body, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted"}
                )
            if revision not in {None, "main", SHA}:
                return self.send(404, b"", body, {"X-Error-Code": "RevisionNotFound"})
            if file:
                target = folder / file[3]
                if not target.is_file():
                    return self.send(404, b"", body, {"X-Error-Code": "EntryNotFound"})
                content = target.read_bytes()
                tag = hashlib.sha1(content).hexdigest()
                return self.send(200, content, body, {"ETag": f'"{tag}"', "X-Repo-Commit": SHA})
            files = sorted(p for p in folder.rglob("*") if p.is_file())
            value = {
                "id": name,
                "sha": SHA,
                "gated": "manual" if name in hub.gated else False,
                "private": name in hub.private,
                "siblings": [{"rfilename": p.relative_to(folder).as_posix(), "size": p.stat().st_size} for p in files],
                "cardData": hub.card(name),
                "tags": [],
                "downloads": 0,
                "likes": 0,
            }
            self.send(200, json.dumps(value).encode(), body, {"Content-Type": "application/json"})

        def send(self, status: int, content: bytes, body: bool, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for key, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
                self.send_header(key, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

    return Handler


@contextmanager
def serve(root: Path) -> Iterator[FakeHub]:
    """Serve the datasets below a folder (`root/user/name/…`) on a free port."""
    hub = FakeHub(root)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
