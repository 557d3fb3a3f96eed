"""A small Hub on this machine with jobs and a bucket; it checks what is sent, and fails on request.

The files of the bucket are stored by hf_xet itself, in a local folder (`local://`). A job either does nothing, and the
test plays its machine (`Server.machine`), or runs its command with the bucket's folder in the place of the volume
(`Server.run_commands`).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from hf_xet import SKIP_SHA256, XetFileInfo, XetSession

from autotrain_gradio.backends.remote.segments import CONTROL, MOUNT, Segment, path_of

TOKEN = "hf_right"
USER = "ana"
BUCKET = f"{USER}/autotrain-gradio-runs"
HARDWARE = [
    {
        "name": "cpu-basic",
        "prettyName": "CPU Basic",
        "cpu": "2 vCPU",
        "ram": "16 GB",
        "accelerator": None,
        "unitCostMicroUSD": 167,
        "unitCostUSD": 0.000167,
        "unitLabel": "minute",
    },
    {
        "name": "a10g-small",
        "prettyName": "Nvidia A10G - small",
        "cpu": "4 vCPU",
        "ram": "15 GB",
        "accelerator": {
            "type": "gpu",
            "model": "A10G",
            "quantity": "1",
            "vram": "24 GB",
            "manufacturer": "Nvidia",
        },
        "unitCostMicroUSD": 16667,
        "unitCostUSD": 0.016667,
        "unitLabel": "minute",
    },
]


@dataclass
class Failure:
    """The next `times` requests with this method and path (a regular expression) fail.

    status: of the answer; 0: the connection is cut. done: the request is executed before.
    """

    method: str
    path: str
    status: int
    times: int = 1
    done: bool = False
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Job:
    """A job. sent: the request. stage, message: its state. started: when its machine started."""

    id: str
    sent: dict[str, Any]
    stage: str = "SCHEDULING"
    message: str | None = None
    started: float = 0.0
    seconds: float | None = None
    output: list[str] = field(default_factory=list)
    machines: int = 0

    def to_json(self) -> dict[str, Any]:
        seconds = self.seconds if self.seconds is not None else time.time() - self.started
        moment = datetime.fromtimestamp(self.started, UTC)
        began = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if self.started else None
        return {
            "id": self.id,
            "createdAt": "2026-12-01T10:00:00.000Z",
            "startedAt": began,
            "owner": {"id": "1", "name": USER, "type": "user"},
            "labels": self.sent.get("labels"),
            "flavor": self.sent["flavor"],
            "status": {"stage": self.stage, "message": self.message},
            "durations": {"runningSecs": int(seconds) if self.started else None},
        }


class Server:
    """The state of the small Hub."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.jobs: list[Job] = []
        self.files: dict[str, dict[str, Any]] = {}
        self.failures: list[Failure] = []
        self.requests: list[tuple[str, str]] = []
        self.private = True
        self.hidden: set[str] = set()
        """Files that a listing does not show yet."""
        self.lock = threading.RLock()
        self.environment: dict[str, str] | None = None
        self.processes: list[subprocess.Popen[bytes]] = []
        self._session = XetSession()
        (folder / "cas").mkdir(parents=True)

    @property
    def cas(self) -> str:
        return f"local://{self.folder / 'cas'}"

    def put(self, path: str, data: bytes) -> None:
        """Store a file in the bucket."""
        xet_hash = ""
        if data:
            with self._session.new_upload_commit(endpoint=self.cas) as commit:
                handle = commit.start_upload_bytes(data, sha256=SKIP_SHA256)
            xet_hash = handle.result().xet_info.hash
        with self.lock:
            self.files[path] = {"type": "file", "path": path, "size": len(data), "xetHash": xet_hash or "0" * 64}

    def get(self, path: str) -> bytes:
        """Return the content of a file of the bucket."""
        found = self.files[path]
        if not found["size"]:
            return b""
        target = self.folder / f"get-{threading.get_ident()}"
        with self._session.new_file_download_group(endpoint=self.cas) as group:
            group.start_download_file(XetFileInfo(found["xetHash"], found["size"]), str(target))
        return target.read_bytes()

    def run_commands(self, environment: dict[str, str]) -> None:
        """Run the commands of jobs from now on, in subprocesses with this environment."""
        self.environment = environment

    # -- the machine of a job, played by the test

    def prefix(self, job: Job) -> str:
        return str(job.sent["volumes"][0]["path"])

    def begin(self, job: Job) -> None:
        job.stage, job.started = "RUNNING", time.time()

    def segment(self, job: Job, number: int, events: list[dict[str, Any]] | None = None, **more: Any) -> None:
        """Store a segment, as the agent does."""
        began = more.pop("began", job.started)
        found = Segment(number, "m1", began, time.time(), events or [], **more)
        self.put(f"{self.prefix(job)}/{path_of(number)}", found.to_bytes())

    def control(self, job: Job) -> list[str]:
        """Return the kinds of the control requests that the app has sent to the machine."""
        path = f"{self.prefix(job)}/{CONTROL}"
        if path not in self.files:
            return []
        return [json.loads(line)["kind"] for line in self.get(path).splitlines()]

    # -- the command of a job, executed

    def execute(self, job: Job) -> None:
        """Run the job's command until it succeeds, at most `attempts` times, with the bucket's folder as its volume."""
        assert self.environment is not None
        while job.machines < job.sent["attempts"] and job.stage in {"SCHEDULING", "RUNNING"}:
            job.machines += 1
            mount = self.folder / f"mount-{job.id}-{job.machines}"
            prefix = self.prefix(job)
            for path in [p for p in self.files if p.startswith(f"{prefix}/")]:
                target = mount / path.removeprefix(f"{prefix}/")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(self.get(path))
            command = job.sent["command"]
            script = [part.replace(MOUNT, str(mount)) for part in command[command.index("python") + 1 :]]
            env = {**self.environment, **job.sent["environment"], **job.sent.get("secrets", {})}
            with (self.folder / f"output-{job.id}-{job.machines}").open("wb") as output:
                process = subprocess.Popen(
                    [sys.executable, *script], env=env, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
                )
            self.processes.append(process)
            if not job.started:
                self.begin(job)
            known = self._stamps(mount)
            while True:
                over = process.poll() is not None
                known = self._upload_changes(mount, prefix, known)
                if over:
                    break
                self._download_control(mount, prefix)
                time.sleep(0.1)
            self._upload_changes(mount, prefix, known, settled=True)
            job.output += Path(output.name).read_text(errors="replace").splitlines()
            if process.returncode == 0:
                job.seconds, job.stage = time.time() - job.started, "COMPLETED"
                return
        if job.stage != "CANCELED":
            job.seconds, job.stage, job.message = time.time() - job.started, "ERROR", "exit code 1"

    def _stamps(self, mount: Path) -> dict[Path, tuple[int, int]]:
        return {p: (p.stat().st_size, p.stat().st_mtime_ns) for p in mount.rglob("*") if p.is_file()}

    def _upload_changes(
        self, mount: Path, prefix: str, known: dict[Path, tuple[int, int]], *, settled: bool = False
    ) -> dict[Path, tuple[int, int]]:
        """Store new and changed files, a file after it was not written for a moment; the segments last."""
        now = {}
        with contextlib.suppress(FileNotFoundError):
            now = self._stamps(mount)
        for path in sorted(now, key=lambda p: ("segments" in p.parts, p)):
            quiet = settled or time.time_ns() - now[path][1] > 50_000_000
            if known.get(path) != now[path] and quiet:
                self.put(f"{prefix}/{path.relative_to(mount).as_posix()}", path.read_bytes())
                known = {**known, path: now[path]}
        for path in known.keys() - now.keys():
            with self.lock:
                self.files.pop(f"{prefix}/{path.relative_to(mount).as_posix()}", None)
        return {path: stamp for path, stamp in known.items() if path in now}

    def _download_control(self, mount: Path, prefix: str) -> None:
        if f"{prefix}/{CONTROL}" in self.files:
            target, data = mount / CONTROL, self.get(f"{prefix}/{CONTROL}")
            if not target.exists() or target.read_bytes() != data:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)

    def take_machine_away(self, number: int = signal.SIGTERM) -> None:
        """Signal the process of the latest machine."""
        process = self.processes[-1]
        if number == signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)

    def close(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[Server]:
    """Serve a Hub on a free port."""
    state = Server(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            return None

        def reply(self, value: Any, status: int = 200, **headers: str) -> None:
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/json")
            for name, text in headers.items():
                self.send_header(name.replace("_", "-"), text)
            if status >= 400 and isinstance(value, dict):
                self.send_header("X-Error-Message", str(value.get("error", "")))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def handle_one(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            path = unquote(urlsplit(self.path).path)
            query = parse_qs(urlsplit(self.path).query)
            with state.lock:
                state.requests.append((self.command, path))
                failure = next(
                    (f for f in state.failures if f.method == self.command and re.search(f.path, path) and f.times),
                    None,
                )
                if failure is not None:
                    failure.times -= 1
            if failure is not None and not failure.done:
                return self.fail(failure)
            public = path == "/api/jobs/hardware"
            if not public and self.headers.get("authorization") != f"Bearer {TOKEN}":
                return self.reply({"error": "Invalid credentials"}, 401)
            answer = self.answer(path, query, body)
            if failure is not None:
                return self.fail(failure)
            status, value, headers = answer
            self.reply(value, status, **headers)

        def fail(self, failure: Failure) -> None:
            if failure.status:
                return self.reply({"error": f"failure {failure.status}"}, failure.status, **failure.headers)
            self.close_connection = True
            self.connection.close()

        def answer(self, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any, dict[str, str]]:
            for method, pattern, action in ROUTES:
                found = re.fullmatch(pattern, path)
                if method == self.command and found:
                    return action(state, found, query, body)
            return 404, {"error": f"no route {self.command} {path}"}, {}

        do_GET = do_POST = do_HEAD = handle_one

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        state.close()
        server.shutdown()
        server.server_close()
        thread.join()


Answer = tuple[int, Any, dict[str, str]]
Action = Callable[[Server, "re.Match[str]", dict[str, list[str]], bytes], Answer]


def _start_job(state: Server, found: re.Match[str], query: dict[str, list[str]], body: bytes) -> Answer:
    sent = json.loads(body)
    with state.lock:
        job = Job(f"job{len(state.jobs) + 1}", sent)
        state.jobs.append(job)
    if state.environment is not None:
        threading.Thread(target=state.execute, args=(job,), daemon=True).start()
    return 200, job.to_json(), {}


def _list_jobs(state: Server, found: re.Match[str], query: dict[str, list[str]], body: bytes) -> Answer:
    wanted = dict(label.split("=", 1) for label in query.get("label", []))
    jobs = [j for j in state.jobs if wanted.items() <= (j.sent.get("labels") or {}).items()]
    return 200, [j.to_json() for j in reversed(jobs)], {}


def _job(state: Server, found: re.Match[str]) -> Job | None:
    return next((j for j in state.jobs if j.id == found[1]), None)


def _inspect(state: Server, found: re.Match[str], query: dict[str, list[str]], body: bytes) -> Answer:
    job = _job(state, found)
    return (200, job.to_json(), {}) if job else (404, {"error": "no job"}, {})


def _cancel(state: Server, found: re.Match[str], query: dict[str, list[str]], body: bytes) -> Answer:
    job = _job(state, found)
    if job is None:
        return 404, {"error": "no job"}, {}
    if job.stage in {"SCHEDULING", "RUNNING"}:
        job.stage = "CANCELED"
        if state.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(state.processes[-1].pid, signal.SIGKILL)
    return 200, {}, {}


def _logs(state: Server, found: re.Match[str], query: dict[str, list[str]], body: bytes) -> Answer:
    job = _job(state, found)
    assert job is not None
    lines = [json.dumps({"timestamp": "2026-01-01T00:00:00.000Z", "data": line}) for line in job.output]
    return 200, "".join(f"data: {line}\n\n" for line in lines).encode(), {"Content_Type": "text/event-stream"}


def _tree(state: Server, found: re.Match[str], query: dict[str, list[str]], body: bytes) -> Answer:
    prefix = (found[1] or "").strip("/")
    with state.lock:
        listed = [f for p, f in sorted(state.files.items()) if p.startswith(f"{prefix}/") and p not in state.hidden]
    return (200, listed, {}) if listed else (404, {"error": "no such folder"}, {})


def _batch(state: Server, found: re.Match[str], query: dict[str, list[str]], body: bytes) -> Answer:
    session = XetSession()
    for line in body.splitlines():
        one = json.loads(line)
        if one["type"] == "deleteFile":
            with state.lock:
                state.files.pop(one["path"], None)
            continue
        # The size of an uploaded file: hf_xet knows it, and the real Hub reads it from the shard.
        target = state.folder / f"size-{threading.get_ident()}"
        info = XetFileInfo(one["xetHash"], None)
        with session.new_file_download_group(endpoint=state.cas) as group:
            group.start_download_file(info, str(target))
        with state.lock:
            size = target.stat().st_size
            state.files[one["path"]] = {"type": "file", "path": one["path"], "size": size, "xetHash": one["xetHash"]}
    return 200, {"success": True, "processed": 1, "succeeded": 1, "failed": []}, {}


def _resolve(state: Server, found: re.Match[str], query: dict[str, list[str]], body: bytes) -> Answer:
    file = state.files.get(found[1])
    if file is None:
        return 404, {"error": "no file"}, {}
    route = f"{state.url}/api/buckets/{BUCKET}/xet-read-token"
    size = str(file["size"])
    return 200, b"", {"X_Xet_Hash": file["xetHash"], "X_Xet_Refresh_Route": route, "X_Linked_Size": size}


def _xet_token(state: Server, found: re.Match[str], query: dict[str, list[str]], body: bytes) -> Answer:
    return 200, {"accessToken": "cas", "exp": int(time.time()) + 3600, "casUrl": state.cas}, {}


def _fixed(value: Callable[[Server], Any]) -> Action:
    return lambda state, found, query, body: (200, value(state), {})


ROUTES: list[tuple[str, str, Action]] = [
    ("GET", "/api/whoami-v2", _fixed(lambda s: {"type": "user", "name": USER, "orgs": [], "auth": {}})),
    ("GET", "/api/jobs/hardware", _fixed(lambda s: HARDWARE)),
    ("POST", f"/api/jobs/{USER}", _start_job),
    ("GET", f"/api/jobs/{USER}", _list_jobs),
    ("GET", f"/api/jobs/{USER}/([^/]+)", _inspect),
    ("POST", f"/api/jobs/{USER}/([^/]+)/cancel", _cancel),
    ("GET", f"/api/jobs/{USER}/([^/]+)/logs", _logs),
    ("POST", f"/api/buckets/{BUCKET}", _fixed(lambda s: {"url": f"{s.url}/buckets/{BUCKET}", "name": BUCKET})),
    (
        "GET",
        f"/api/buckets/{BUCKET}",
        _fixed(
            lambda s: {
                "id": BUCKET,
                "private": s.private,
                "createdAt": "2026-12-01T10:00:00.000Z",
                "size": 1,
                "totalFiles": 1,
            }
        ),
    ),
    ("GET", f"/api/buckets/{BUCKET}/tree(/.*)?", _tree),
    ("POST", f"/api/buckets/{BUCKET}/batch", _batch),
    ("HEAD", f"/buckets/{BUCKET}/resolve/(.*)", _resolve),
    ("GET", f"/api/buckets/{BUCKET}/xet-(?:read|write)-token", _xet_token),
]
