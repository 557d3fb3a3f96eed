"""Runs in real worker processes: they finish, fail, vanish, stop, resume and wait, and say why."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from autotrain_gradio.core.errors import StateError
from autotrain_gradio.core.settings import Limits, Settings
from autotrain_gradio.service import Service

Start = Callable[..., str]
Until = Callable[..., dict[str, Any]]


def worker_pid(service: Service, run: str) -> int:
    """Return the process id of a run's worker."""
    return int(json.loads((service.store.get(run).directory / "backend.json").read_text())["pid"])


def test_a_run_completes_with_metrics_report_and_model(service: Service, start: Start, until: Until) -> None:
    run = start(steps=6)
    done = until(run, "completed", "failed")
    assert done["state"] == "completed", done
    assert [p[0] for p in done["series"]["loss"]] == [1, 2, 3, 4, 5, 6]
    assert done["best"] == {"name": "accuracy", "value": 0.75}
    assert done["progress"]["fraction"] == 1.0
    assert done["report"][0]["items"] == [{"label": "steps", "value": 6}]
    assert {name for name, able in done["can"].items() if able} == {"delete", "predict", "call", "download"}
    assert set(done["can"]) >= {"stop", "resume"}
    assert "playing" in service.log(run)["text"]
    row = service.runs()[0]
    assert row["id"] == run and row["best_metric"]["value"] == 0.75


@pytest.mark.parametrize(
    ("trouble", "code", "text"),
    [
        ("user", "broken", "The toy is broken."),
        ("bug", "bug", "ZeroDivisionError: a toy divided by nothing"),
        ("memory", "out-of-memory", "memory ran out"),
        ("disk", "disk-full", "disk is full"),
    ],
)
def test_a_failed_run_has_a_reason_and_can_be_resumed(
    service: Service, start: Start, until: Until, trouble: str, code: str, text: str
) -> None:
    run = start(trouble=trouble)
    failed = until(run, "failed", "completed")
    assert failed["error"]["code"] == code
    assert text in failed["error"]["message"] and text in failed["reason"]["message"]
    assert failed["can"]["resume"] and not failed["can"]["predict"]
    assert "Traceback" not in json.dumps(failed["error"])
    if trouble == "bug":
        assert "Traceback" in service.log(run)["text"]


def test_a_killed_worker_is_detected_and_resumed_from_its_checkpoint(
    service: Service, start: Start, until: Until
) -> None:
    run = start(steps=400, step_seconds=0.02)
    until(run, "running")
    while len(service.snapshot(run)["series"].get("loss", [])) < 5:
        time.sleep(0.02)
    os.kill(worker_pid(service, run), signal.SIGKILL)
    began = time.monotonic()
    gone = until(run, "interrupted", seconds=5)
    assert time.monotonic() - began < 5
    assert "SIGKILL" in gone["reason"]["message"] and "memory" in gone["reason"]["hint"]
    reached = gone["series"]["loss"][-1][0]
    service.resume(run)
    again = until(run, "running")
    assert again["attempt"] == 2
    while not service.snapshot(run)["notes"]:
        time.sleep(0.02)
    continued = int(service.snapshot(run)["notes"][0]["message"].split()[-1])
    assert 1 <= continued <= reached
    service.stop(run)
    until(run, "cancelled")
    steps = [p[0] for p in service.snapshot(run)["series"]["loss"]]
    assert steps == sorted(set(steps))


def test_a_stop_saves_the_weights(service: Service, start: Start, until: Until) -> None:
    run = start(steps=1000, step_seconds=0.02)
    until(run, "running")
    service.stop(run)
    stopped = until(run, "cancelled", seconds=10)
    assert stopped["title"] == "Stopped" and stopped["can"]["resume"] and stopped["can"]["predict"]
    assert service.predict(run, [{"text": "ball"}])[0]["label"] == "red"
    with pytest.raises(StateError, match="nothing to stop"):
        service.stop(run)


@pytest.mark.parametrize("trouble", ["deaf", "grandchild"])
def test_an_unresponsive_worker_is_killed_with_its_process_group(
    service: Service, start: Start, until: Until, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autotrain_gradio.backends.dispatcher.KILL_AFTER_SECONDS", 1.0)
    run = start(steps=10_000, step_seconds=0.02, trouble=trouble)
    until(run, "running")
    pids = [worker_pid(service, run)]
    if trouble == "grandchild":
        while not service.snapshot(run)["notes"]:
            time.sleep(0.02)
        pids.append(int(service.snapshot(run)["notes"][0]["message"].split()[-1]))
    service.stop(run)
    ended = until(run, "interrupted", seconds=15)
    assert "did not stop within 1 s" in ended["reason"]["message"] and "Resume" in ended["reason"]["hint"]
    for pid in pids:
        for _ in range(50):
            if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                break
            time.sleep(0.1)
        else:
            raise AssertionError(f"process {pid} is still there")


def test_runs_beyond_the_slots_wait_in_order(service: Service, start: Start, until: Until) -> None:
    first = start(steps=1000, step_seconds=0.02, project_name="first")
    until(first, "running")
    second, third = start(project_name="second"), start(project_name="third")
    time.sleep(1.2)
    assert [service.snapshot(r)["state"] for r in (second, third)] == ["queued", "queued"]
    assert [service.snapshot(r)["queue_position"] for r in (second, third)] == [1, 2]
    service.stop(second)
    assert service.snapshot(second)["state"] == "cancelled"
    assert service.snapshot(third)["queue_position"] == 1
    service.stop(first)
    done = until(third, "completed")
    assert done["started"] >= service.snapshot(first)["finished"]


def test_starting_twice_creates_one_run(service: Service, start: Start, until: Until) -> None:
    run = start()
    assert service.start(run, {"task": "toy-sorting"}) == run
    until(run, "completed")
    kinds = [c["kind"] for c in service.store.get(run).controls()]
    assert kinds.count("queued") == 1 and kinds.count("started") == 1


def test_the_queue_survives_a_restart_of_the_app(service: Service, start: Start, until: Until, tmp_path: Path) -> None:
    first = start(steps=1000, step_seconds=0.02)
    until(first, "running")
    second = start(project_name="second")
    service.close()
    later = Service(Settings(home=tmp_path / "home", limits=Limits(stop_grace_seconds=1.0), slots=1))
    try:
        assert later.snapshot(first)["state"] == "running"
        assert later.snapshot(second)["queue_position"] == 1
        later.stop(first)
        end = time.monotonic() + 20
        while later.snapshot(second)["state"] != "completed" and time.monotonic() < end:
            time.sleep(0.1)
        assert later.snapshot(second)["state"] == "completed"
    finally:
        later.close()


def test_two_apps_on_one_home_start_each_run_once(service: Service, start: Start, until: Until, tmp_path: Path) -> None:
    other = Service(Settings(home=tmp_path / "home", slots=1))
    try:
        runs = [start(steps=3) for _ in range(3)]
        for run in runs:
            until(run, "completed")
            kinds = [c["kind"] for c in service.store.get(run).controls()]
            assert kinds.count("started") == 1
            assert other.snapshot(run)["state"] == "completed"
    finally:
        other.close()


APP = """
import sys, time
from pathlib import Path
from autotrain_gradio.service import Service
from autotrain_gradio.core.settings import Settings
service = Service(Settings(home=Path(sys.argv[1]), slots=1))
draft = service.draft("toy-sorting")
params = {"steps": 200, "step_seconds": 0.02}
spec = {"task": "toy-sorting", "params": params, "data": {"source": "upload", "path": "x"}}
print(service.start(draft, spec), flush=True)
time.sleep(600)
"""


def test_a_run_survives_the_kill_of_the_app(service: Service, start: Start, until: Until, tmp_path: Path) -> None:
    service.close()
    app = subprocess.Popen([sys.executable, "-c", APP, str(tmp_path / "home")], stdout=subprocess.PIPE, text=True)
    assert app.stdout
    run = app.stdout.readline().strip()
    until(run, "running")
    app.kill()
    app.wait()
    app.stdout.close()
    assert service.snapshot(run)["state"] == "running"
    assert until(run, "completed")["series"]["loss"][-1][0] == 200


def test_a_run_whose_folder_was_deleted_leaves_no_process(service: Service, start: Start, until: Until) -> None:
    run = start(steps=100_000, step_seconds=0.01)
    until(run, "running")
    pid = worker_pid(service, run)
    shutil.rmtree(service.store.get(run).directory, ignore_errors=True)
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.1)
    else:
        raise AssertionError("the worker goes on without its run")
    assert run not in [r["id"] for r in service.runs()]
    assert not (service.settings.runs / run).exists()


def test_an_active_run_is_not_deleted(service: Service, start: Start, until: Until) -> None:
    run = start(steps=1000, step_seconds=0.02)
    until(run, "running")
    with pytest.raises(StateError, match="Stop it first"):
        service.delete(run)
    service.stop(run)
    until(run, "cancelled")
    service.delete(run)
    assert service.runs() == []


def test_events_are_complete_after_a_full_disk(service: Service, start: Start, until: Until) -> None:
    run = start(trouble="disk")
    failed = until(run, "failed")
    assert "resume" in failed["error"]["hint"]
    assert failed["error"]["where"] == "checkpoint-2"


def test_a_token_is_passed_to_the_worker_and_in_no_file(
    service: Service, toys: Path, start: Start, until: Until
) -> None:
    train = toys / "toy_task" / "train.py"
    train.write_text(train.read_text().replace('print("playing"', 'print("token length", len(os.environ["HF_TOKEN"])'))
    draft = service.draft("toy-sorting")
    spec = {"task": "toy-sorting", "data": {"source": "upload", "path": "x"}}
    run = service.start(draft, spec, token="hf_very_secret")
    until(run, "completed")
    assert "token length 14" in service.log(run)["text"]
    directory = service.store.get(run).directory
    for path in directory.rglob("*"):
        assert not path.is_file() or b"hf_very_secret" not in path.read_bytes()
