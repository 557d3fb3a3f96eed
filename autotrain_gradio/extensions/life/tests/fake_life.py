"""A LiFE server for the tests, as stock LiFE behaves, and one with tokens."""

from __future__ import annotations

import hashlib
import io
import json
import secrets
import threading
import time
import urllib.parse
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from autotrain_gradio.extensions.life.tests.life_data import PEOPLE, wav

PASSWORD = "correct horse battery"
TOKEN = "life-token-of-the-tests"
USER = PEOPLE[0]


class FakeLife:
    """What the server has, how it misbehaves, and what it has seen.

    projects: name → `{"type", "documents", "downloadchecked"}`.
    """

    def __init__(self, projects: Mapping[str, dict[str, Any]]) -> None:
        usual = {"type": "transcriptions", "downloadchecked": "true"}
        self.projects = {name: {**usual, **p} for name, p in projects.items()}
        self.active: str | None = list(self.projects)[-1]
        self.first = self.active
        self.sessions: set[str] = set()
        self.csrf: set[str] = set()
        self.audio_seconds = 10.0
        self.expire_at: int | None = None
        """Number of the request with which all sessions end, once."""
        self.answer: dict[str, tuple[int, dict[str, str], bytes]] = {}
        """Beginning of a path → what is answered instead."""
        self.break_downloads = 0
        """So many downloads of paths that begin with `break_at` are cut off in the middle."""
        self.break_at = "/"
        self.ranges = True
        self.marks: str | None = "etag"
        """What tells one state of a file from another: `etag`, `weak` (a weak tag), `last-modified`, or nothing."""
        self.changed_seconds: float | None = None
        """Length of all audio from the first download on that is cut off."""
        self.silent_seconds = 0.0
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.downloading = 0
        self.most_downloading = 0
        self.lock = threading.Lock()

    def zip(self, name: str, *, audio: bool) -> bytes:
        """Return the export of a project."""
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for one in self.projects[name].get("documents", []):
                archive.writestr(one["audioFilename"].rpartition(".")[0] + ".json", json.dumps(one, ensure_ascii=False))
                if audio:
                    archive.writestr(one["audioFilename"], wav(self.audio_seconds))
        return file.getvalue()

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Serve on a free port of this machine; yields the address."""
        fake = self

        class Bound(Handler):
            life = fake

        server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: else each answer waits for the other side's delayed acknowledgement
    life: FakeLife

    def log_message(self, *args: Any) -> None:
        """Print nothing."""

    def do_GET(self) -> None:  # noqa: N802 - the library's name
        """Answer a GET."""
        self._route("")

    def do_POST(self) -> None:  # noqa: N802
        """Answer a POST."""
        self._route(self.rfile.read(int(self.headers.get("content-length") or 0)).decode())

    def _route(self, body: str) -> None:
        life = self.life
        path, _, query = self.path.partition("?")
        asked = dict(urllib.parse.parse_qsl(query))
        with life.lock:
            life.requests.append((self.command, self.path, dict(self.headers)))
            if life.expire_at is not None and len(life.requests) >= life.expire_at:
                life.expire_at = None
                life.sessions.clear()
        for beginning, (status, headers, data) in life.answer.items():
            if path.startswith(beginning):
                self._send(data, status=status, **headers)
                return
        if path.startswith("/api/v1/"):
            self._token_api(urllib.parse.unquote(path).removeprefix("/api/v1/").split("/"), asked)
        elif path == "/login":
            self._login(body)
        elif self._session() not in life.sessions:
            self._redirect("/login?next=" + urllib.parse.quote(path))
        elif path == "/lifedata/getprojectslist":
            self._json({"projectslist": sorted(life.projects)})
        elif path == "/activeprojectname":
            life.active = asked["a"]
            self._send(b"OK", **{"content-type": "text/html"})
        elif path == "/projecttype":
            form = {"projectname": life.active, "username": USER, "Audio Language": ["text", ["Bhojpuri"]]}
            kind = life.projects.get(life.active or "", {}).get("type", "")
            self._json({"projectType": kind, "shareMode": 4, "activeprojectform": form if life.active else None})
        elif path == "/lifedata/transcription/getScriptsList":
            self._json({"scripts": ["Devanagari", "IPA"]})
        elif path == "/download/downloadtranscriptions":
            self._download(body)
        elif path.startswith("/lifedata/transcription/retrieve/"):
            name = urllib.parse.unquote(path.rpartition("/")[2])
            known = {d["audioFilename"] for p in life.projects.values() for d in p.get("documents", [])}
            self._file(wav(life.audio_seconds) if name in known else b"", "audio/wav")
        else:
            self._send(b"<html>Not found</html>", status=404, **{"content-type": "text/html"})

    def _session(self) -> str:
        return dict(p.strip().partition("=")[::2] for p in self.headers.get("cookie", "").split(";")).get("session", "")

    def _login(self, body: str) -> None:
        life = self.life
        if self.command == "GET":
            value = secrets.token_hex(8)
            life.csrf.add(value)
            page = (
                f'<!doctype html><form><input id="csrf_token" name="csrf_token" type="hidden" value="{value}"></form>'
            )
            self._send(page.encode(), **{"content-type": "text/html", "set-cookie": "pre=1; Path=/"})
            return
        form = dict(urllib.parse.parse_qsl(body))
        if form.get("csrf_token") not in life.csrf:
            self._send(b"<html>The CSRF token is missing.</html>", status=400)
        elif (form.get("username"), form.get("password")) != (USER, PASSWORD):
            self._redirect("/login")
        else:
            session = secrets.token_hex(8)
            life.sessions.add(session)
            self._redirect("/home", **{"set-cookie": f"session={session}; Path=/; HttpOnly"})

    def _download(self, body: str) -> None:
        life = self.life
        wanted = json.loads(dict(urllib.parse.parse_qsl(body))["formDataLifeJSON"])
        project = life.projects[life.active or ""]
        if project["downloadchecked"] != "true":
            self._redirect("/enternewsentences")
        elif not project.get("documents"):
            self._send(b"0", **{"content-type": "text/html"})
        else:
            with life.lock:
                life.downloading += 1
                life.most_downloading = max(life.most_downloading, life.downloading)
            time.sleep(0.05)
            try:
                self._file(life.zip(life.active or "", audio=wanted.get("includeAudio") == "on"), "application/zip")
            finally:
                with life.lock:
                    life.downloading -= 1

    def _file(self, data: bytes, kind: str) -> None:
        life = self.life
        headers, status, begin = {"content-type": kind}, 200, 0
        asked, tag = self.headers.get("range", ""), f'"{hashlib.sha256(data).hexdigest()[:12]}"'
        hour = int(tag[1:5], 16) % 24
        marks = {"etag": tag, "weak": f"W/{tag}", "last-modified": f"Mon, 02 Nov 2020 {hour:02}:00:00 GMT"}
        if life.marks is not None:
            headers[life.marks.replace("weak", "etag")] = marks[life.marks]
        same = self.headers.get("if-range") in {None, marks.get(life.marks or "")}
        if asked and life.ranges and same:
            begin = int(asked.removeprefix("bytes=").rstrip("-"))
            status = 206
            headers["content-range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        data = data[begin:]
        if life.silent_seconds:
            time.sleep(life.silent_seconds)
        if life.break_downloads > 0 and self.path.startswith(life.break_at):
            life.break_downloads -= 1
            life.audio_seconds = life.changed_seconds or life.audio_seconds
            self._send(data, status=status, half=True, **headers)
        else:
            self._send(data, status=status, **headers)

    def _token_api(self, parts: list[str], asked: dict[str, str]) -> None:
        life = self.life
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            self._send(b'{"error": "no"}', status=401, **{"content-type": "application/json"})
        elif parts == ["projects"]:
            items = [
                {"id": f"id-{n}", "name": name, "type": p["type"], "languages": ["Bhojpuri"]}
                for n, (name, p) in enumerate(life.projects.items())
            ]
            self._json({"items": items})
        else:
            project = list(life.projects.values())[int(parts[1].removeprefix("id-"))]
            documents = project.get("documents", [])
            if parts[2] == "transcriptions":
                place = int(asked.get("cursor") or 0)
                more = str(place + 1) if place + 1 < len(documents) else None
                self._json({"items": documents[place : place + 1], "next": more})
            elif any(d["audioId"] == parts[3] for d in documents):
                self._file(wav(life.audio_seconds), "audio/wav")
            else:
                self._send(b"", status=404)

    def _json(self, value: Any) -> None:
        self._send(json.dumps(value).encode(), **{"content-type": "application/json"})

    def _redirect(self, where: str, **headers: str) -> None:
        self._send(b"<html>Redirecting</html>", status=302, location=where, **headers)

    def _send(self, data: bytes, *, status: int = 200, half: bool = False, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if half else data)
        if half:
            self.wfile.flush()
            self.close_connection = True
