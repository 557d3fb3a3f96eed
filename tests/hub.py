"""A small Hub on this machine that takes models; `HF_ENDPOINT` leads to it."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_right"


@dataclass
class Hub:
    """What the small Hub was sent: repositories, and the files of their commits."""

    url: str = ""
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    full: bool = False
    role: str = "write"


@contextlib.contextmanager
def serve() -> Iterator[Hub]:
    """Serve a Hub on a free port; `url` says where."""
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
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
