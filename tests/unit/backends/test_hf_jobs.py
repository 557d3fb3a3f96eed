"""Trainings on Hugging Face Jobs, against a small Hub on this machine that fails in the usual ways.

The real client (`huggingface_hub`, `hf_xet`) sends the requests. In most tests the test plays the machine of the job.
"""

from __future__ import annotations

import functools
import io
import json
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.backends import hf_jobs, hub_login
from autotrain_gradio.backends.remote import record as remote_record
from autotrain_gradio.backends.remote.backend import RemoteBackend
from autotrain_gradio.backends.remote.monitor import Pace
from autotrain_gradio.core.errors import SpecError, UserError
from autotrain_gradio.core.settings import Limits, Settings
from autotrain_gradio.runs.files import read_lines
from autotrain_gradio.service import Service
from tests.hf_jobs_server import TOKEN, Failure, Job, Server, serve

FAST = Pace(poll=0.05, retry=0.05, longest_retry=0.2, settle=0.8, output=0.05, ship=0.2, over=0.5)
RESOURCES = {"flavor": "a10g-small", "timeout": "1h"}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "no-login"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with serve(tmp_path / "hub") as found:
        yield found


class App:
    """An installation whose app can be restarted."""

    def __init__(self, hub: Server, home: Path) -> None:
        self.hub, self.home = hub, home
        self.service = self._open()

    def _open(self) -> Service:
        limits = Limits(stop_grace_seconds=0.5)
        return Service(Settings(home=self.home, limits=limits, hub_endpoint=self.hub.url, slots=1))

    def restart(self) -> None:
        self.service.close()
        self.service = self._open()

    def start(self, token: str | None = TOKEN, resources: dict[str, Any] | None = None, **params: Any) -> str:
        spec = {
            "task": "toy-sorting",
            "project_name": "toys",
            "backend": "hf-jobs",
            "resources": RESOURCES if resources is None else resources,
            "params": params,
            "data": {"source": "upload", "path": "toys.toy"},
        }
        return self.service.start(self.service.draft("toy-sorting"), spec, token=token)

    def until(self, run: str, *states: str, seconds: float = 12.0) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            snapshot = self.service.snapshot(run)
            assert snapshot is not None
            if snapshot["state"] in states:
                return snapshot
            time.sleep(0.03)
        raise AssertionError(f"{snapshot['state']} and not {states}: {snapshot}, {self.record(run)}")

    def wait(self, condition: Callable[[], Any], seconds: float = 12.0) -> Any:
        end = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < end, (self.hub.requests[-20:], [j.stage for j in self.hub.jobs])
            time.sleep(0.03)
        return found

    def job(self, number: int = 1) -> Job:
        """Wait for the job of that number, and return it."""
        self.wait(lambda: len(self.hub.jobs) >= number)
        return self.hub.jobs[number - 1]

    def directory(self, run: str) -> Path:
        return self.service.store.get(run).directory

    def record(self, run: str) -> Any:
        return self.wait(lambda: remote_record.read(self.directory(run)))

    def events(self, run: str) -> list[dict[str, Any]]:
        return read_lines(self.directory(run) / "events.jsonl")[0]


@pytest.fixture
def app(hub: Server, toys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setattr(hf_jobs, "RemoteBackend", functools.partial(RemoteBackend, pace=FAST))
    found = App(hub, tmp_path / "home")
    yield found
    found.service.close()


def event(seq: int, kind: str, attempt: int = 1, **fields: Any) -> dict[str, Any]:
    return {"v": 1, "attempt": attempt, "seq": seq, "time": time.time(), "kind": kind, **fields}


def steps(first: int, last: int, attempt: int = 1) -> list[dict[str, Any]]:
    """Return the events of steps; the number of an event is that of its step."""
    return [event(n, "metric", attempt, step=n, epoch=0.0, values={"loss": 1 / n}) for n in range(first, last + 1)]


def begin(app: App, run: str, number: int = 1) -> Job:
    """Let the machine of a run's job start, and train three steps."""
    job = app.job(number)
    app.hub.begin(job)
    attempt = number
    app.hub.segment(job, 1, [event(0, "state", attempt, state="running", detail="Playing"), *steps(1, 3, attempt)])
    app.until(run, "running")
    return job


def store(app: App, job: Job, files: dict[str, str]) -> dict[str, int]:
    """Store files of the run in the bucket; return what a segment says about them."""
    for path, text in files.items():
        app.hub.put(f"{app.hub.prefix(job)}/out/files/{path}", text.encode())
    return {path: len(text) for path, text in files.items()}


def complete(app: App, job: Job, number: int = 2, attempt: int = 1) -> None:
    """Let the machine complete the training."""
    files = store(app, job, {"model/box.txt": "red", "report.json": "[]", "checkpoints/checkpoint-5/state.json": "{}"})
    done = [*steps(4, 5, attempt), event(6, "state", attempt, state="completed", detail="")]
    app.hub.segment(job, number, done, files=files, log="the last line\n")
    job.stage, job.seconds = "COMPLETED", 600.0


def losses(app: App, run: str) -> list[int]:
    return [e["step"] for e in app.events(run) if e["kind"] == "metric"]


def assert_completed(app: App, run: str, jobs: int = 1) -> None:
    """Assert that the model and the whole record are here, each once, and that nothing was left in the bucket."""
    app.until(run, "completed")
    app.wait(lambda: app.record(run).stage == "ended")
    assert losses(app, run) == [1, 2, 3, 4, 5]
    assert (app.directory(run) / "model" / "box.txt").read_text() == "red"
    assert (app.directory(run) / "checkpoints" / "checkpoint-5" / "state.json").read_text() == "{}"
    assert app.service.log(run)["text"].count("the last line") == 1
    assert len(app.hub.jobs) == jobs
    assert not [path for path in app.hub.files if path.startswith(f"{run}/")]
    assert not (app.directory(run) / "remote").exists()


def test_a_run_is_sent_trained_and_brought_back(app: App) -> None:
    run = app.start(steps=5)
    job = app.job()
    sent = job.sent
    assert sent["flavor"] == "a10g-small" and sent["timeoutSeconds"] == 3600 and sent["attempts"] == 3
    assert sent["secrets"] == {"HF_TOKEN": TOKEN} and TOKEN not in json.dumps({**sent, "secrets": {}})
    assert sent["labels"]["autotrain-gradio-run"] == run and sent["labels"]["autotrain-gradio-attempt"] == "1"
    volume = sent["volumes"][0]
    assert volume == {
        "type": "bucket",
        "source": "ana/autotrain-gradio-runs",
        "mountPath": "/autotrain",
        "readOnly": False,
        "path": f"{run}/attempt-1",
    }
    wheels = [path for path in app.hub.files if path.endswith(".whl")]
    command = " ".join(sent["command"])
    assert len(wheels) == 1 and f"file:///autotrain/package/{Path(wheels[0]).name}" in command
    assert f"-m autotrain_gradio.backends.remote.agent /autotrain --run {run} --attempt 1 --limit 3600" in command
    assert "toy-task==0.1" in sent["command"]  # the package of the task
    with zipfile.ZipFile(io.BytesIO(app.hub.get(wheels[0]))) as wheel:
        names = wheel.namelist()
        assert "autotrain_gradio/backends/remote/agent.py" in names and wheel.testzip() is None
        metadata = next(wheel.read(n).decode() for n in names if n.endswith("dist-info/METADATA"))
        assert 'Requires-Dist: trl>=1.16,<2; extra == "language-models"' in metadata
    packed = {p.removeprefix(f"{run}/attempt-1/run/") for p in app.hub.files if "/run/" in p}
    assert {"spec.json", "control.jsonl"} <= packed and not packed & {"backend.json", "log.txt", "draft.json"}
    assert all(
        TOKEN not in path.read_text(errors="replace") for path in app.directory(run).rglob("*") if path.is_file()
    )
    app.wait(lambda: "Waiting for a machine (a10g-small)" in app.service.snapshot(run)["detail"])
    job = begin(app, run)
    app.wait(lambda: losses(app, run) == [1, 2, 3])
    app.wait(lambda: app.service.snapshot(run)["detail"] == "Playing")
    complete(app, job)
    assert_completed(app, run)
    found = app.record(run)
    assert found.cost == pytest.approx(600 / 3600 * 1.00002) and found.limit == 3600


@pytest.mark.parametrize(
    ("path", "status", "text", "hint"),
    [
        ("/api/whoami-v2", 401, "rejects the token", "hf auth login"),
        ("/api/jobs/ana$", 401, "rejects the token", "hf auth login"),
        ("/api/jobs/ana$", 402, "has no credit", "billing"),
        ("/api/jobs/ana$", 403, "lacks a permission", "permissions for jobs"),
        ("/api/jobs/ana$", 404, "not found", ""),
        ("/api/jobs/ana$", 422, "refuses the request", ""),
    ],
)
def test_a_run_that_the_hub_refuses_fails_with_the_reason(
    app: App, path: str, status: int, text: str, hint: str
) -> None:
    app.hub.failures.append(Failure("GET" if "whoami" in path else "POST", path, status, times=9))
    run = app.start()
    failed = app.until(run, "failed")
    assert text in failed["reason"]["message"] and hint in failed["reason"]["hint"]
    assert f"({status}" in failed["reason"]["message"] and failed["can"]["resume"]
    assert not app.hub.jobs and app.wait(lambda: app.record(run).stage == "ended")
    app.hub.failures.clear()
    # The second attempt starts from the beginning, with the token of this call.
    app.service.resume(run, token=TOKEN)
    assert app.job().sent["labels"]["autotrain-gradio-attempt"] == "2"


@pytest.mark.parametrize("done", [True, False], ids=["started", "not started"])
@pytest.mark.parametrize("status", [409, 429, 500, 503, 0])
def test_a_job_is_started_once_whatever_the_hub_answers(app: App, status: int, done: bool) -> None:
    headers = {"Retry-After": "0"}
    app.hub.failures.append(Failure("POST", "/api/jobs/ana$", status, done=done, headers=headers))
    app.hub.failures.append(Failure("GET", "/api/jobs/ana$", 503))  # the search for the job fails once, too
    run = app.start()
    job = begin(app, run)
    complete(app, job)
    assert_completed(app, run)


def test_a_hub_that_does_not_respond_fails_the_run_in_the_end(app: App) -> None:
    app.hub.failures.append(Failure("POST", "/api/jobs/ana$", 503, times=100))
    failed = app.until(app.start(), "failed")
    assert "does not respond (503" in failed["reason"]["message"] and not app.hub.jobs


@pytest.mark.parametrize("status", [401, 404, 429, 500, 0])
def test_a_running_job_survives_failed_requests(app: App, status: int) -> None:
    run = app.start()
    job = begin(app, run)
    # One 404 is not yet a deleted job: the storage and the job are asked again.
    times = 1 if status == 404 else 4
    app.hub.failures += [
        Failure("GET", f"/api/jobs/ana/{job.id}$", status, times, headers={"Retry-After": "1"}),
        Failure("GET", "/tree/", 500 if status in {401, 404} else status, headers={"Retry-After": "1"}),
    ]
    app.wait(lambda: not any(f.times for f in app.hub.failures))
    assert app.service.snapshot(run)["state"] == "running"
    complete(app, job)
    assert_completed(app, run)


def test_results_that_cannot_be_downloaded_are_downloaded_later(app: App) -> None:
    run = app.start()
    job = begin(app, run)
    app.hub.failures.append(Failure("HEAD", "/model/|report.json|checkpoint", 404, times=3))
    complete(app, job)
    app.wait(lambda: not app.hub.failures[0].times)
    assert app.service.snapshot(run)["state"] == "running"  # not completed without its model
    assert_completed(app, run)


def test_repeated_events_and_output_are_shown_once(app: App) -> None:
    run = app.start()
    job = app.job()
    app.hub.begin(job)
    job.output = ["Resolved 90 packages", "Installed 90 packages"]
    app.wait(lambda: "Installed" in app.service.log(run)["text"])
    app.wait(lambda: "Installing the packages" in app.service.snapshot(run)["detail"])
    job.output = [*job.output, "Starting"]
    app.wait(lambda: "Starting" in app.service.log(run)["text"])
    app.hub.segment(job, 1, [event(0, "state", state="running", detail=""), *steps(1, 3)], log="one\n")
    # The second machine of an attempt sends again what the first one had not recorded as sent.
    app.hub.segment(job, 2, [*steps(2, 3), *steps(2, 3)], log="two\n")
    complete(app, job, 3)
    assert_completed(app, run)
    assert app.service.log(run)["text"].splitlines() == [*job.output, "one", "two", "the last line"]


def test_segments_are_merged_in_their_order(app: App) -> None:
    run = app.start()
    job = begin(app, run)
    complete(app, job, 3)  # the storage shows a later segment first
    time.sleep(0.3)
    assert losses(app, run) == [1, 2, 3]
    app.hub.segment(job, 2, [], log="late\n")
    assert_completed(app, run)


def test_a_model_that_arrives_late_is_awaited_and_a_lost_one_is_an_interruption(app: App) -> None:
    run = app.start()
    job = begin(app, run)
    path = f"{app.hub.prefix(job)}/out/files/model/box.txt"
    app.hub.hidden.add(path)
    complete(app, job)
    app.wait(lambda: "Waiting for 1 file" in app.service.snapshot(run)["detail"])
    app.hub.hidden.clear()
    assert_completed(app, run)

    run = app.start()
    job = app.job(2)
    app.hub.begin(job)
    app.hub.hidden.add(f"{app.hub.prefix(job)}/out/files/model/box.txt")
    app.hub.segment(job, 1, [event(0, "state", state="running", detail=""), *steps(1, 3)])
    complete(app, job)
    lost = app.until(run, "interrupted")
    assert "1 file of the model did not arrive: model/box.txt" in lost["reason"]["message"]
    assert not (app.directory(run) / "model").exists() and lost["can"]["resume"]
    app.wait(lambda: app.record(run).stage == "ended")
    assert [p for p in app.hub.files if p.startswith(f"{run}/")]  # what is not here is kept there


def test_a_job_that_never_starts_is_cancelled(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    short = Pace(**{**vars(FAST), "start": 0.3})
    monkeypatch.setattr(hf_jobs, "RemoteBackend", functools.partial(RemoteBackend, pace=short))
    app.restart()
    run = app.start()
    ended = app.until(run, "interrupted")
    assert (
        "No machine (a10g-small) was free" in ended["reason"]["message"]
        and "cost nothing" in ended["reason"]["message"]
    )
    assert app.job().stage == "CANCELED" and app.record(run).cost == 0


def test_a_lost_machine_is_an_interruption_that_can_be_resumed(app: App) -> None:
    run = app.start()
    job = begin(app, run)
    files = store(app, job, {"checkpoints/checkpoint-3/state.json": '{"step": 3}'})
    app.hub.segment(job, 2, [event(4, "checkpoint", step=3, path="checkpoints/checkpoint-3", best=False)], files=files)
    job.stage, job.message, job.seconds = "ERROR", "Node lost", 100.0
    lost = app.until(run, "interrupted")
    assert "machine was taken away, or the job failed: Node lost." in lost["reason"]["message"]
    assert "continues from its last checkpoint" in lost["reason"]["hint"]
    assert (app.directory(run) / "checkpoints/checkpoint-3/state.json").exists()
    app.wait(lambda: app.record(run).stage == "ended")
    app.service.resume(run, token=TOKEN)
    again = app.job(2)
    assert "--resume" in again.sent["command"] and app.hub.prefix(again) == f"{run}/attempt-2"
    assert f"{run}/attempt-2/run/checkpoints/checkpoint-3/state.json" in app.hub.files
    app.hub.begin(again)
    app.hub.segment(again, 1, [event(0, "state", 2, state="running", detail="")])
    app.until(run, "running")
    complete(app, again, attempt=2)
    assert_completed(app, run, jobs=2)


@pytest.mark.parametrize(
    ("stage", "text"),
    [("CANCELED", "cancelled on the page"), ("DELETED", "was deleted"), ("COMPLETED", "has reported no end")],
)
def test_a_job_that_ends_without_an_end_of_its_worker_is_an_interruption(app: App, stage: str, text: str) -> None:
    run = app.start()
    begin(app, run).stage = stage
    assert text in app.until(run, "interrupted")["reason"]["message"]
    assert losses(app, run) == [1, 2, 3]


def test_the_reason_of_a_worker_that_was_killed_is_the_agents(app: App) -> None:
    run = app.start()
    job = begin(app, run)
    app.hub.segment(job, 2, ended={"reason": "The process was killed (SIGKILL).", "hint": "Use less memory."}, files={})
    killed = app.until(run, "interrupted")
    assert killed["reason"] == {"message": "The process was killed (SIGKILL).", "hint": "Use less memory."}


def test_an_installation_that_fails_is_in_the_log(app: App) -> None:
    run = app.start()
    job = app.job()
    app.hub.begin(job)
    job.output, job.stage, job.message = ["No solution found when resolving toy-task"], "ERROR", "exit code 1"
    failed = app.until(run, "interrupted")
    assert "failed before the training began: exit code 1." in failed["reason"]["message"]
    assert "No solution found" in app.service.log(run)["text"]


@pytest.mark.parametrize("hours", [-3, 5])
def test_a_clock_that_differs_is_corrected(app: App, hours: int) -> None:
    run = app.start()
    job = app.job()
    app.hub.begin(job)
    shift = hours * 3600
    wrong = [{**e, "time": e["time"] + shift} for e in [event(0, "state", state="running", detail=""), *steps(1, 3)]]
    app.hub.segment(job, 1, wrong, began=job.started + shift)
    app.until(run, "running")
    app.wait(lambda: losses(app, run) == [1, 2, 3])
    assert all(abs(e["time"] - time.time()) < 60 for e in app.events(run))


def test_a_run_is_stopped_and_what_it_saved_is_brought_back(app: App) -> None:
    run = app.start()
    job = begin(app, run)
    app.service.stop(run)
    app.wait(lambda: app.hub.control(job)[-1:] == ["stop"])
    assert app.service.snapshot(run)["state"] == "stopping" and job.stage == "RUNNING"
    files = store(app, job, {"model/box.txt": "red"})
    app.hub.segment(job, 2, [event(4, "state", state="cancelled", detail="")], files=files)
    app.until(run, "cancelled")
    assert (app.directory(run) / "model" / "box.txt").exists()


def test_a_run_that_waits_for_a_machine_is_cancelled_at_once(app: App) -> None:
    run = app.start()
    job = app.job()
    app.until(run, "preparing")
    app.service.stop(run)
    app.until(run, "cancelled")
    assert job.stage == "CANCELED"


def test_a_run_that_does_not_stop_is_cancelled(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    declared = hf_jobs.BACKEND
    monkeypatch.setitem(declared.capabilities.__dict__, "stop_delay", 0.0)
    monkeypatch.setattr("autotrain_gradio.backends.dispatcher.KILL_AFTER_SECONDS", 0.5)
    run = app.start()
    job = begin(app, run)
    app.service.stop(run)
    killed = app.until(run, "interrupted")
    assert job.stage == "CANCELED" and "was killed: it did not stop" in killed["reason"]["message"]


def test_a_job_that_exceeds_its_limit_is_cancelled(app: App) -> None:
    run = app.start(resources={"flavor": "a10g-small", "max_cost": 0.5})
    job = begin(app, run)
    assert job.sent["timeoutSeconds"] == pytest.approx(0.5 / 1.00002 * 3600, abs=1)
    job.seconds = 1900.0
    over = app.until(run, "interrupted")
    assert "exceeded its limit" in over["reason"]["message"] and "0.50 USD" in over["reason"]["message"]
    assert job.stage == "CANCELED"


def test_another_app_continues_where_one_has_ended(app: App) -> None:
    run = app.start()
    job = app.job()
    app.wait(lambda: app.record(run).job)
    app.restart()
    # The token was in the memory of the first app only.
    app.wait(lambda: "waiting for a token" in app.service.snapshot(run)["detail"])
    app.hub.begin(job)
    app.hub.segment(job, 1, [event(0, "state", state="running", detail=""), *steps(1, 3)])
    time.sleep(0.3)
    assert app.service.snapshot(run)["state"] == "preparing"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hub_login, "saved_token", lambda: TOKEN)  # as after `hf auth login`
        app.until(run, "running")
        app.restart()
        complete(app, job)
        assert_completed(app, run)


@pytest.mark.parametrize("started", [True, False])
def test_an_app_that_ended_while_it_started_a_job_starts_it_once(app: App, started: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hub_login, "saved_token", lambda: TOKEN)
        run = app.start(token=None)
        app.wait(lambda: app.record(run).job)
        app.service.close()
        found = app.record(run)
        found.stage, found.job = "submitting", ""
        found.write(app.directory(run))
        if not started:
            app.hub.jobs.clear()  # the app ended before the request was sent
        app.service = app._open()
        app.wait(lambda: app.record(run).job)
        assert len(app.hub.jobs) == 1
        job = begin(app, run)
        complete(app, job)
        assert_completed(app, run)


def test_an_app_that_ended_while_it_merged_repeats_nothing(app: App) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hub_login, "saved_token", lambda: TOKEN)
        run = app.start(token=None)
        job = begin(app, run)
        app.wait(lambda: app.record(run).segments == 1)
        app.service.close()
        # Events and log of the second segment were written, and the record was not.
        app.hub.segment(job, 2, [], log="twice\n")
        with (app.directory(run) / "log.txt").open("a") as log:
            log.write("twi")
        with (app.directory(run) / "events.jsonl").open("a") as events:
            events.write(json.dumps(steps(4, 4)[0]) + '\n{"torn')
        app.service = app._open()
        complete(app, job, 3)
        assert_completed(app, run)
        assert app.service.log(run)["text"] == "twice\nthe last line\n"


def test_a_copy_of_a_live_run_does_not_touch_its_job(app: App) -> None:
    run = app.start()
    job = begin(app, run)
    other = app.directory(run).with_name(run[:-10] + "aaaaaaaaaa")
    shutil.copytree(app.directory(run), other)
    spec = json.loads((other / "spec.json").read_text())
    (other / "spec.json").write_text(json.dumps({**spec, "id": other.name}))
    copied = app.until(other.name, "interrupted")
    assert "copied from a run that was live" in copied["reason"]["message"]
    complete(app, job)
    assert_completed(app, run)


def test_a_public_bucket_is_refused(app: App) -> None:
    app.hub.private = False
    failed = app.until(app.start(), "failed")
    assert "is public" in failed["reason"]["message"] and not app.hub.files


@pytest.mark.parametrize(
    ("resources", "code", "text"),
    [
        ({}, "no-flavor", "cpu-basic (0.01 USD per hour)"),
        ({"flavor": "a10g-smal", "timeout": "1h"}, "unknown-flavor", "Did you mean 'a10g-small'"),
        ({"flavor": "a10g-small"}, "no-limit", "costs 1.00 USD per hour and has no limit"),
        ({"flavor": "a10g-small", "max_cost": 0.01}, "limit-too-short", "36 s"),
        ({"flavor": "a10g-small", "timeout": "1h", "gpus": 2}, "too-many-gpus", "2 GPUs requested; a10g-small has 1"),
        ({"flavor": "a10g-small", "timeout": "1h", "nodes": 2}, "too-many-nodes", "2 nodes"),
    ],
)
def test_resources_without_a_limit_or_flavor_are_refused(
    app: App, resources: dict[str, Any], code: str, text: str
) -> None:
    with pytest.raises(UserError) as caught:
        app.start(resources=resources)
    assert code in {f.code for f in caught.value.findings} and text in str(caught.value)
    assert not app.hub.jobs


def test_a_run_without_a_token_is_refused(app: App) -> None:
    with pytest.raises(SpecError, match="needs a token"):
        app.start(token=None)


def test_prices_are_cached_and_their_absence_is_an_error(app: App) -> None:
    for _ in range(3):
        with pytest.raises(UserError):
            app.start(resources={})
    app.restart()
    with pytest.raises(UserError):
        app.start(resources={})
    assert [path for _, path in app.hub.requests].count("/api/jobs/hardware") == 1
    (app.home / "cache" / "hf-jobs-hardware.json").unlink()
    app.hub.failures.append(Failure("GET", "/api/jobs/hardware", 500, times=9))
    app.restart()
    with pytest.raises(UserError, match="prices of Hugging Face Jobs cannot be fetched"):
        app.start()
