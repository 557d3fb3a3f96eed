"""A visitor of the page as plain HTTP requests: what a browser may send, and what it would never send."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

import httpx

API = "/gradio_api"


class Visitor:
    """A session of one visitor, with the id that owns their runs."""

    def __init__(self, url: str, name: str) -> None:
        self.id, self.session = f"{name}-{secrets.token_hex(12)}", secrets.token_hex(8)
        self.owner = f"visitor:{self.id}"
        self.http = httpx.Client(base_url=url, timeout=60)

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def upload(self, name: str, content: bytes) -> str:
        """Upload a file; return its path on the server."""
        answer = self.http.post(f"{API}/upload", files={"files": (name, content)})
        assert answer.status_code == 200, answer.text
        return str(answer.json()[0])

    def call(self, event: int, data: Sequence[Any], *, queued: bool = True, event_data: Any = None) -> str:
        """Send an event; return all that the server answers, as text."""
        body = {
            "fn_index": event,
            "data": list(data),
            "session_hash": self.session,
            "event_data": event_data,
            "trigger_id": None,
        }
        if not queued:
            return self.http.post(f"{API}/run/predict", json=body).text
        joined = self.http.post(f"{API}/queue/join", json=body)
        if joined.status_code != 200:
            return joined.text
        mine, found = joined.json()["event_id"], [joined.text]
        with self.http.stream("GET", f"{API}/queue/data", params={"session_hash": self.session}) as stream:
            for line in stream.iter_lines():
                found.append(line)
                message = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if message.get("event_id") == mine and message.get("msg") in {"process_completed", "unexpected_error"}:
                    break
                if message.get("msg") == "close_stream":
                    break
        return "\n".join(found)

    def serve(self, component: int, function: str, data: Any) -> httpx.Response:
        """Call a server function of a component."""
        body = {"component_id": component, "fn_name": function, "data": data, "session_hash": self.session}
        return self.http.post(f"{API}/component_server", json=body)


def file_data(path: str) -> dict[str, Any]:
    """Return the value of a file component for a path."""
    return {"path": path, "orig_name": "x.png", "meta": {"_type": "gradio.FileData"}}
