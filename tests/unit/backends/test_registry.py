"""Backends are found by name, and nothing above them knows one: a second one, of threads, serves the whole service."""

from __future__ import annotations

import ast
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import autotrain_gradio
from autotrain_gradio import backends
from autotrain_gradio.backends.base import NO_OPTIONS, Allocation, Attempt, BackendType, CallOptions, Capabilities
from autotrain_gradio.backends.price import Flavor, Quote
from autotrain_gradio.core.errors import Finding, SpecError
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import ResourceSpec, RunSpec, Secrets
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.service import Service

SPEC = {"task": "toy-sorting", "backend": "threads", "data": {"source": "upload", "path": "toys.toy"}}


class Threads:
    """Trains in threads of this process, and keeps the logs elsewhere."""

    def __init__(self, settings: Settings) -> None:
        self.threads: dict[Path, threading.Thread] = {}
        self.signals: dict[Path, threading.Event] = {}
        self.logs: dict[Path, str] = {}
        self.calls: list[tuple[str, bool]] = []

    def check_resources(self, resources: ResourceSpec) -> Iterator[Finding]:
        if resources.gpus:
            yield Finding("error", "no-gpus", "Threads have no GPUs.", "", "resources.gpus")

    def quote(self, resources: ResourceSpec) -> Quote | None:
        return None

    def flavors(self) -> Sequence[Flavor]:
        return ()

    def accelerated(self) -> bool:
        return False

    def has_login(self) -> bool:
        return False

    def environment(self, secrets: Secrets, *, visitor: bool) -> dict[str, str]:
        return {"SECRET": secrets.token or "", "VISITOR": str(visitor)}

    def allocate(self, resources: ResourceSpec, active: Sequence[Path]) -> Allocation | None:
        return Allocation() if len(active) < 2 else None

    def submit(self, attempt: Attempt) -> None:
        directory, ends = attempt.directory, threading.Event()
        self.signals[directory] = ends

        def train() -> None:
            reporter = Reporter(directory, RunSpec(task="toy-sorting"), None, attempt=attempt.number)
            self.logs[directory] = "one\ntwo\n"
            reporter.state("running", "In a thread")
            while not ends.is_set() and not (reporter.stop_requested() and "obeys" in attempt.env["SECRET"]):
                time.sleep(0.02)
            if not ends.is_set():
                reporter.model.mkdir()
                (reporter.model / "box.txt").write_text("red")
                reporter.state("cancelled")
            reporter.close()

        thread = threading.Thread(target=train, daemon=True)
        thread.start()
        self.threads[directory] = thread  # once it runs: one that has not started counts as ended

    def attach(self, directory: Path, attempt: int, environment: Callable[[], Mapping[str, str]]) -> None:
        """The threads are of this process."""

    def status(self, directory: Path, attempt: int, started: float) -> dict[str, Any]:
        thread = self.threads.get(directory)
        return {"alive": thread is None or thread.is_alive(), "reason": "The thread ended.", "hint": "Resume it."}

    def log(self, directory: Path, offset: int, limit: int) -> dict[str, Any]:
        text = self.logs.get(directory, "")
        return {"text": text[offset : offset + limit], "offset": min(len(text), offset + limit), "size": len(text)}

    def signal(self, directory: Path, *, hard: bool) -> None:
        self.signals[directory].set()

    def call(self, directory: Path, verb: str, context: Mapping[str, Any], options: CallOptions = NO_OPTIONS) -> Any:
        self.calls.append((verb, options.warm))
        if options.progress is not None:
            options.progress("In a thread", 0.5)
        return {"verb": verb} if verb == "check" else [{"verb": verb}]

    def stream(
        self, directory: Path, verb: str, context: Mapping[str, Any], options: CallOptions = NO_OPTIONS
    ) -> Generator[Any, None, Any]:
        yield from ("a", "b")

    def prefetch(self, directory: Path, verb: str, context: Mapping[str, Any], env: Mapping[str, str]) -> None:
        """There is nothing to load."""

    def prestart(self, attempt: Attempt, module: str) -> None:
        """There is nothing to load."""

    def release(self, directory: Path, *, prestarted: bool = True) -> None:
        """There is no warm worker."""

    def close(self) -> None:
        """There is no warm worker."""


TYPE = BackendType("threads", "Threads", Capabilities(False, False, True, True, flavors=("big",)), Threads)


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install the backend by an entry point, and make nothing but it usable."""
    monkeypatch.setattr(backends, "load_entry_points", lambda group: [TYPE] if group == backends.ENTRY_POINTS else [])
    backends.registry.cache_clear()
    yield
    backends.registry.cache_clear()


def test_backends_are_folders_and_entry_points() -> None:
    assert set(backends.registry().names()) == {"local", "hf-jobs", "threads"}
    with pytest.raises(SpecError, match="Did you mean 'threads'") as caught:
        backends.backend_type("thread")
    assert caught.value.where == "backend" and caught.value.code == "unknown-backend"


def test_a_second_backend_serves_drafts_and_runs(service: Service, until: Callable[..., dict[str, Any]]) -> None:
    draft = service.draft("toy-sorting")
    said: list[str] = []
    assert service.check(draft, SPEC, progress=lambda message, fraction: said.append(message))["verb"] == "check"
    assert service.preview(draft, SPEC)[0]["verb"] == "preview" and said == ["In a thread"]
    run = service.start(draft, SPEC, token="obeys")
    assert until(run, "running")["detail"] == "In a thread"
    assert service.log(run) == {"text": "one\ntwo\n", "offset": 8, "size": 8}
    assert service.log(run, 4, 4)["text"] == "two\n"
    service.stop(run)
    until(run, "cancelled")
    assert service.predict(run, [{"text": "ball"}])[0]["verb"] == "predict"
    used = service._backends.get("threads")
    assert isinstance(used, Threads) and used.calls == [("check", False), ("preview", True), ("predict", True)]


def test_a_second_backend_gets_signals_and_its_dead_workers_are_detected(
    service: Service, until: Callable[..., dict[str, Any]]
) -> None:
    run = service.start(service.draft("toy-sorting"), SPEC)
    until(run, "running")
    service.stop(run)
    assert "did not stop within" in until(run, "interrupted")["reason"]["message"]
    assert not (service.store.get(run).directory / "backend.json").exists()


@pytest.mark.parametrize(
    ("resources", "code"),
    [
        ({"nodes": 2}, "too-many-nodes"),
        ({"flavor": "huge"}, "unknown-flavor"),
        ({"processes": 2}, "not-distributed"),
        ({"gpus": 1}, "no-gpus"),
    ],
)
def test_unavailable_resources_are_findings(service: Service, resources: dict[str, Any], code: str) -> None:
    with pytest.raises(SpecError) as caught:
        service.start(service.draft("toy-sorting"), {**SPEC, "resources": resources})
    found = {f.code: f.where for f in caught.value.findings}
    assert found[code] == f"resources.{next(iter(resources))}"


def test_service_and_runs_name_no_backend() -> None:
    names = set(backends.registry().names())
    root, seen = Path(autotrain_gradio.__file__).parent, 0
    for path in [*(root / "service").rglob("*.py"), *(root / "runs").rglob("*.py"), root / "backends/dispatcher.py"]:
        seen += 1
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant):
                assert node.value not in names, f"{path}:{node.lineno}"
            if isinstance(node, ast.ImportFrom) and node.module:
                assert not any(node.module.startswith(f"autotrain_gradio.backends.{n}") for n in names), path
                assert node.module != "autotrain_gradio.backends" or not names & {a.name for a in node.names}, path
    assert seen > 20
