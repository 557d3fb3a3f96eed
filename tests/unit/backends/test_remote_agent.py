"""The program of a rented machine: it trains in a real worker, on one machine after another, and loses nothing.

The small Hub runs the command of a job with this Python instead of uv, and the bucket's folder as its volume.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from autotrain_gradio.backends import process
from tests.hf_jobs_server import Server
from tests.unit.backends.test_hf_jobs import App, app, hub  # noqa: F401 (fixtures)


@pytest.fixture
def machines(hub: Server, app: App, toys: Path) -> App:  # noqa: F811
    """Let the jobs run; their workers have no data to prepare."""
    (toys / "sitecustomize.py").write_text(
        "import autotrain_gradio.data as data\ndata.ensure = lambda directory, resolved, **more: None\n"
    )
    path = os.pathsep.join([str(toys), process.PACKAGES])
    hub.run_commands({"PATH": os.environ["PATH"], "PYTHONPATH": path, "HOME": str(toys)})
    return app


def losses(app: App, run: str) -> list[int]:  # noqa: F811
    return [e["step"] for e in app.events(run) if e["kind"] == "metric" and "loss" in e["values"]]


def test_a_run_is_trained_by_a_real_worker_and_continued_on_another_machine(machines: App) -> None:
    run = machines.start(steps=60, step_seconds=0.1)
    job = machines.job()
    machines.until(run, "running", seconds=60)
    machines.wait(lambda: len(losses(machines, run)) > 5, 30)
    # The service takes the machine away: the worker saves, and the next machine continues.
    machines.hub.take_machine_away()
    machines.until(run, "completed", seconds=90)
    assert job.machines == 2 and len(machines.hub.jobs) == 1
    assert losses(machines, run) == list(range(1, 61))  # no step was lost, and none trained twice
    states = [e["state"] for e in machines.events(run) if e["kind"] == "state"]
    assert "cancelled" not in states and states[-1] == "completed"
    assert any("continued at step" in e.get("message", "") for e in machines.events(run))
    seqs = [e["seq"] for e in machines.events(run)]
    assert len(seqs) == len(set(seqs))
    directory = machines.directory(run)
    assert (directory / "model" / "box.txt").read_text() == "red" and (directory / "report.json").exists()
    assert machines.service.log(run)["text"].count("playing") == 2
    # The run is a complete one: its model predicts here.
    assert machines.service.predict(run, [{"text": "ball"}])[0]["label"] == "red"


def test_a_run_is_stopped_through_the_bucket_and_resumed(machines: App) -> None:
    run = machines.start(steps=60, step_seconds=0.1)
    machines.until(run, "running", seconds=60)
    machines.wait(lambda: len(losses(machines, run)) > 3, 30)
    machines.service.stop(run)
    machines.until(run, "cancelled", seconds=60)
    last = losses(machines, run)[-1]
    assert (machines.directory(run) / "checkpoints" / f"checkpoint-{last}").is_dir()
    machines.wait(lambda: machines.record(run).stage == "ended")
    machines.service.resume(run, token="hf_right")
    machines.until(run, "completed", seconds=90)
    assert losses(machines, run) == list(range(1, 61)) and len(machines.hub.jobs) == 2


def test_a_worker_that_is_killed_is_not_tried_again(machines: App) -> None:
    run = machines.start(steps=10, trouble="kill")
    killed = machines.until(run, "interrupted", seconds=60)
    assert "SIGKILL" in killed["reason"]["message"] and machines.job().machines == 1
    assert losses(machines, run) == [1, 2]
    machines.wait(lambda: machines.record(run).stage == "ended")


def test_a_machine_that_vanishes_is_replaced(machines: App) -> None:
    run = machines.start(steps=40, step_seconds=0.1)
    machines.until(run, "running", seconds=60)
    machines.wait(lambda: len(losses(machines, run)) > 5, 30)
    for path in machines.hub.folder.glob("mount-*"):
        assert path.is_dir()
    worker = machines.hub.processes[-1]
    for child in process.psutil.Process(worker.pid).children(recursive=True):
        child.kill()
    machines.hub.take_machine_away(signal.SIGKILL)
    machines.until(run, "completed", seconds=90)
    assert machines.job().machines == 2
    steps = losses(machines, run)
    # Steps after the last stored checkpoint are trained again, with new events.
    assert sorted(set(steps)) == list(range(1, 41))
    assert len({(e["attempt"], e["seq"]) for e in machines.events(run)}) == len(machines.events(run))
