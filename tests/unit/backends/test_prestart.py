"""Training workers that are started ahead: they become the worker of their run, or leave without a trace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from autotrain_gradio.backends.local import prestart
from autotrain_gradio.backends.process import PACKAGES
from autotrain_gradio.core.settings import Limits, Settings
from autotrain_gradio.service import Service

SPEC = {"task": "toy-sorting", "data": {"source": "upload", "path": "toys.toy"}}
Start = Callable[..., str]
Until = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def enough_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prestart, "LEAST_MEMORY", 0)


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Return the training workers that are spawned."""
    found, spawn = [], prestart.process.spawn

    def recorded(directory: Path, verb: str, *more: str, **options: Any) -> subprocess.Popen[bytes]:
        child = spawn(directory, verb, *more, **options)
        if verb == "train":
            found.append(child)
        return child

    monkeypatch.setattr("autotrain_gradio.backends.process.spawn", recorded)
    yield found


def has_ended(pid: int, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def loaded(child: subprocess.Popen[bytes], module: str, seconds: float = 30.0) -> None:
    """Wait until the worker has imported a module, which prints its name."""
    end = time.monotonic() + seconds
    output = Path(f"/proc/{child.pid}/fd/1")
    while module not in output.read_text():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_worker_that_was_started_ahead_trains(
    service: Service, toys: Path, start: Start, until: Until, spawned: list[Any]
) -> None:
    train = toys / "toy_task" / "train.py"
    train.write_text('print("imported ahead", flush=True)\n' + train.read_text())
    draft = service.draft("toy-sorting")
    directory = service.store.get(draft).directory
    service.prestart(draft, SPEC)
    service.prestart(draft, SPEC)  # as after each change of the form
    (child,) = spawned
    loaded(child, "imported ahead")
    assert not (directory / "worker.lock").exists() and not (directory / "log.txt").exists()
    assert os.getpgid(child.pid) == child.pid
    assert psutil.Process(child.pid).environ()["AUTOTRAIN_GRADIO_RUN"] == str(directory)
    run = service.start(draft, SPEC)
    done = until(run, "completed")
    assert done["series"]["loss"]
    assert spawned == [child]
    record = json.loads((directory / "backend.json").read_text())
    assert record["pid"] == child.pid and record["attempt"] == 1 and record["folder"] == str(directory)
    log = service.log(run)["text"]
    assert log.count("imported ahead") == 1 and log.index("imported ahead") < log.index("playing")
    assert child.wait(timeout=10) == 0


def test_it_stops_fails_and_resumes_as_any_other(
    service: Service, start: Start, until: Until, spawned: list[Any]
) -> None:
    run = start(prestart=True, steps=1000, step_seconds=0.02)
    until(run, "running")
    service.stop(run)
    assert until(run, "cancelled")["can"]["resume"]
    service.resume(run)
    assert until(run, "running")["attempt"] == 2 and len(spawned) == 2
    os.kill(spawned[1].pid, signal.SIGKILL)
    until(run, "interrupted")
    run = start(prestart=True, trouble="bug")
    failed = until(run, "failed")
    assert failed["error"]["code"] == "bug" and "Traceback" in service.log(run)["text"]
    run = start(prestart=True, trouble="kill")
    assert "SIGKILL" in until(run, "interrupted")["reason"]["message"]
    assert len(spawned) == 4 and all(has_ended(child.pid) for child in spawned)


def test_an_unresponsive_one_is_killed_with_its_process_group(
    service: Service, start: Start, until: Until, monkeypatch: pytest.MonkeyPatch, spawned: list[Any]
) -> None:
    monkeypatch.setattr("autotrain_gradio.backends.dispatcher.KILL_AFTER_SECONDS", 1.0)
    run = start(prestart=True, steps=10_000, step_seconds=0.02, trouble="grandchild")
    until(run, "running")
    while not service.snapshot(run)["notes"]:
        time.sleep(0.02)
    grandchild = int(service.snapshot(run)["notes"][0]["message"].split()[-1])
    service.stop(run)
    until(run, "interrupted", seconds=15)
    assert has_ended(spawned[0].pid) and has_ended(grandchild) and len(spawned) == 1


def test_another_environment_needs_another_worker(
    service: Service, toys: Path, start: Start, until: Until, spawned: list[Any]
) -> None:
    train = toys / "toy_task" / "train.py"
    train.write_text(train.read_text().replace('print("playing"', 'print("token length", len(os.environ["HF_TOKEN"])'))
    draft = service.draft("toy-sorting")
    service.prestart(draft, SPEC)
    run = service.start(draft, SPEC, token="hf_very_secret")
    until(run, "completed")
    assert "token length 14" in service.log(run)["text"]
    assert len(spawned) == 2 and has_ended(spawned[0].pid)


def test_a_limit_of_the_memory_holds_from_the_beginning(
    service: Service, start: Start, until: Until, spawned: list[Any]
) -> None:
    import resource

    draft = service.draft("toy-sorting")
    service.prestart(draft, SPEC)
    loaded_by = time.monotonic() + 20
    limits = [resource.RLIM_INFINITY]
    while limits[0] == resource.RLIM_INFINITY and time.monotonic() < loaded_by:
        limits = resource.prlimit(spawned[0].pid, resource.RLIMIT_DATA)
        time.sleep(0.05)
    assert limits[0] != resource.RLIM_INFINITY
    assert psutil.Process(spawned[0].pid).children()  # the supervisor


def test_one_that_has_died_is_replaced(service: Service, start: Start, until: Until, spawned: list[Any]) -> None:
    draft = service.draft("toy-sorting")
    service.prestart(draft, SPEC)
    os.kill(spawned[0].pid, signal.SIGKILL)
    spawned[0].wait()
    service.prestart(draft, SPEC)
    assert len(spawned) == 2
    os.kill(spawned[1].pid, signal.SIGKILL)
    spawned[1].wait()
    run = service.start(draft, SPEC)
    until(run, "completed", "failed")
    assert len(spawned) == 3


@pytest.mark.parametrize("event", ["delete", "close", "other draft", "idle"])
def test_it_ends_when_its_draft_is_not_started(
    service: Service, start: Start, tmp_path: Path, spawned: list[Any], event: str
) -> None:
    other = Service(Settings(home=tmp_path / "other", limits=Limits(predictor_idle_seconds=0.5)), dispatch=False)
    used = other if event == "idle" else service
    draft = used.draft("toy-sorting")
    used.prestart(draft, SPEC)
    if event == "delete":
        used.delete(draft)
    elif event == "close":
        used.close()
    elif event == "other draft":
        used.prestart(used.draft("toy-sorting"), SPEC)
        assert not has_ended(spawned[1].pid, 0.5)
    assert has_ended(spawned[0].pid)
    other.close()


def test_none_is_started_with_little_memory_or_beside_a_training(
    service: Service, start: Start, until: Until, spawned: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prestart, "LEAST_MEMORY", 2**60)
    service.prestart(service.draft("toy-sorting"), SPEC)
    assert spawned == []
    monkeypatch.setattr(prestart, "LEAST_MEMORY", 0)
    run = start(steps=1000, step_seconds=0.02)
    until(run, "running")
    service.prestart(service.draft("toy-sorting"), SPEC)
    assert len(spawned) == 1
    service.stop(run)
    until(run, "cancelled")


APP = """
import sys, time
from pathlib import Path
from autotrain_gradio.backends.local import prestart
from autotrain_gradio.backends.process import PACKAGES
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
prestart.LEAST_MEMORY = 0
service = Service(Settings(home=Path(sys.argv[1])))
spec = {"task": "toy-sorting", "data": {"source": "upload", "path": "x"}, "params": {"steps": 200, "step_seconds": .02}}
draft = service.draft("toy-sorting")
service.prestart(draft, spec)
print(service._backends.get()._prestarted._waiting.child.pid, flush=True)
if sys.argv[2] == "start":
    service.start(draft, spec)
print(draft, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("started", [True, False])
def test_it_outlives_the_app_only_after_the_start(
    service: Service, start: Start, until: Until, tmp_path: Path, started: bool
) -> None:
    service.close()
    command = [sys.executable, "-c", APP, str(tmp_path / "home"), "start" if started else "wait"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([PACKAGES, os.environ.get("PYTHONPATH", "")])}
    app = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
    assert app.stdout
    pid, run = int(app.stdout.readline()), app.stdout.readline().strip()
    if started:
        until(run, "running")
    app.kill()
    app.wait()
    app.stdout.close()
    if started:
        assert until(run, "completed")["series"]["loss"][-1][0] == 200
    assert has_ended(pid)


@pytest.mark.parametrize("level", ["warning", "error"])
def test_a_page_starts_it_after_a_check_without_errors(
    toys: Path, tmp_path: Path, spawned: list[Any], monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    page = Service(Settings(home=tmp_path / "page"), dispatch=False, interactive=True)
    backend = page._backends.get()
    result = {"findings": [{"level": level, "code": "x", "message": "x"}]}
    monkeypatch.setattr(backend, "call", lambda *values: result)
    monkeypatch.setattr(backend, "prefetch", lambda *values: None)
    assert page.check(page.draft("toy-sorting"), SPEC) == result
    assert len(spawned) == (level == "warning")
    page.close()
