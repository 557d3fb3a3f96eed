"""Attack: routes of Gradio that show or change what is not the visitor's; pages of other origins; other hosts."""

from __future__ import annotations

import re
from typing import Any

import pytest

from autotrain_gradio.ui.allowed_routes import is_allowed
from tests.security.conftest import SECRET, Place

EXPECTED = {
    *("/", "/config", "/config/", "/theme.css", "/favicon.ico", "/robots.txt", "/manifest.json"),
    *("/pwa_icon", "/assets/{path:path}", "/static/{path:path}", "/login", "/login/", "/logout"),
    *("/gradio_api/theme.css", "/gradio_api/info", "/gradio_api/info/", "/gradio_api/startup-events"),
    *("/gradio_api/app_id", "/gradio_api/app_id/", "/gradio_api/heartbeat/{session_hash}", "/gradio_api/queue/data"),
    *("/gradio_api/user", "/gradio_api/user/", "/gradio_api/login_check", "/gradio_api/login_check/"),
    *("/gradio_api/queue/join", "/gradio_api/component_server", "/gradio_api/component_server/", "/gradio_api/cancel"),
    *("/gradio_api/reset", "/gradio_api/reset/", "/gradio_api/upload", "/gradio_api/upload_progress"),
    *("/autotrain/files/{run}/{path:path}", "/autotrain/download/{ticket}"),
}
"""The routes of the app that pass the guard. A version of Gradio with others fails here, not in public."""


def _routes(app: Any) -> list[tuple[str, str]]:
    """Return (method, path) of every route of the app."""
    found = []
    for route in app.routes:
        router = getattr(route, "original_router", None)  # of `include_router`; its routes have the prefix
        for inner in router.routes if router else [route]:
            found += [(method, inner.path) for method in getattr(inner, "methods", None) or {"GET"}]
    return found


def _fill(path: str) -> str:
    return re.sub(r"\{(\w+)(:path)?\}", "x", path)


def test_only_the_listed_routes_are_reached(place: Place) -> None:
    routes = _routes(place.demo.app)
    assert len(routes) > 80
    reached = set()
    for method, path in routes:
        if method == "HEAD":
            continue  # its answers have no text; the guard treats it as GET
        if "heartbeat" in path or path.endswith("queue/data"):
            # Streams without an end: only the guard is asked.
            if is_allowed(method, _fill(path)):
                reached.add(path)
            continue
        answer = place.b.http.request(method, _fill(path), headers={"Accept": "text/html"}, follow_redirects=False)
        if answer.text != "Not found.":
            reached.add(path)
    assert reached == EXPECTED


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/deep_link?session_hash={a}",
        "/gradio_api//deep_link?session_hash={a}",
        "/gradio_api/%64eep_link?session_hash={a}",
        "/?deep_link=aaaaaaaaaaaaaaaa",
        "/config?deep_link=aaaaaaaaaaaaaaaa",
        "/monitoring",
        "/monitoring/summary",
        "/gradio_api/queue/status",
        "/gradio_api/file={server}",
        "/gradio_api/file%3D{server}",
        "/gradio_api/file=%2Fetc%2Fpasswd",
        "/gradio_api/file={uploads}/deep_links/x/state.json",
        "/gradio_api/file={uploads}/../server.png",
        "/gradio_api/file={draft}",
        "/gradio_api/proxy=http://127.0.0.1:1/",
        "/file={server}",
        "/autotrain/files/{run}/../draft.json",
        "/autotrain/files/{run}/%2e%2e/draft.json",
        "/autotrain/files/{run}/data/upload/a.toy",
        "/autotrain/download/{run}",
    ],
)
def test_routes_that_show_what_is_not_the_visitors(place: Place, path: str) -> None:
    store = place.service.store.folder
    for run in (place.reader, place.draft):
        filled = path.format(
            a=place.a.session,
            server=place.server_file,
            uploads=place.service.settings.uploads,
            draft=store / place.draft / "draft.json",
            run=run,
        )
        answer = place.b.http.get(filled, follow_redirects=True)
        assert answer.status_code in {403, 404} and SECRET not in answer.text
        assert not [word for word in place.private if word in answer.text]


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/upload", "/gradio_api/queue/join", "/login"])
def test_other_hosts_and_origins_are_refused(place: Place, method: str, path: str) -> None:
    preflight = {"Access-Control-Request-Method": "POST"}
    for headers in (
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:7860"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://evil.example", **preflight},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ):
        answer = place.b.http.request(method, path, headers=headers)
        assert answer.status_code == 403, (headers, answer.status_code)
        assert "access-control-allow-origin" not in answer.headers
    assert place.b.http.get("/", headers={"Origin": place.url.rstrip("/")}).status_code == 200


def test_an_upload_is_limited_before_there_is_a_session(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = place.demo.rules.uploads
    monkeypatch.setattr(ledger, "_largest", 1000)
    answer = place.b.http.post("/gradio_api/upload", files={"files": ("a.bin", b"x" * 2000)})
    assert answer.status_code == 413 and "the limit is" in answer.text
    monkeypatch.setattr(ledger, "_per_hour", 1500)
    monkeypatch.setattr(ledger, "_sent", {})
    codes = [
        place.b.http.post("/gradio_api/upload", files={"files": ("a.bin", b"x" * 500)}).status_code for _ in range(3)
    ]
    assert codes == [200, 200, 429]

    def body() -> Any:
        yield b"x" * 100

    chunked = place.b.http.post("/gradio_api/upload", content=body(), headers={"Content-Type": "multipart/form-data"})
    assert chunked.status_code == 411


def test_the_page_cannot_be_framed_by_others(place: Place) -> None:
    headers = place.b.http.get("/").headers
    assert headers["content-security-policy"] == "frame-ancestors 'self'"
    assert headers["x-content-type-options"] == "nosniff"
