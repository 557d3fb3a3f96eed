"""The queue: who works it, which device a run gets, tokens that only another process holds, bad records."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from autotrain_gradio import backends
from autotrain_gradio.backends import devices as gpus
from autotrain_gradio.backends import dispatcher as module
from autotrain_gradio.backends import local
from autotrain_gradio.backends.base import Attempt, BackendType
from autotrain_gradio.backends.devices import accelerated, devices, least_used
from autotrain_gradio.backends.dispatcher import Dispatcher
from autotrain_gradio.backends.local.backend import LocalBackend
from autotrain_gradio.core.errors import DataError, SpecError
from autotrain_gradio.core.registry import NamedRegistry
from autotrain_gradio.core.settings import Limits, Settings
from autotrain_gradio.core.spec import Secrets
from autotrain_gradio.core.visitor_limits import VisitorLimits
from autotrain_gradio.runs import bounded_calls, run_index
from autotrain_gradio.runs.files import append_line
from autotrain_gradio.runs.record import Run
from autotrain_gradio.runs.run_index import RunIndex
from autotrain_gradio.runs.store import Store

T = TypeVar("T")
SPEC = {"task": "toy-sorting", "project_name": "toys", "model": "tiny", "data": {"source": "upload", "path": "x"}}


class Place(LocalBackend):
    """A backend that only records what it is asked to do."""

    def __init__(self) -> None:
        self.submitted: list[tuple[str, int, bool, str | None]] = []
        self.environments: list[dict[str, str]] = []
        self.signals: list[tuple[str, bool]] = []
        self.dead: dict[str, tuple[str, str]] = {}

    def open(self, settings: Settings) -> Place:
        super().__init__(settings)
        return self

    def submit(self, attempt: Attempt) -> None:
        devices = attempt.allocation.devices
        given = None if devices is None else ",".join(devices)
        self.submitted.append((attempt.directory.name, attempt.number, attempt.resume, given))
        self.environments.append(dict(attempt.env))
        (attempt.directory / "backend.json").write_text(json.dumps({"devices": devices}))

    def status(self, directory: Path, attempt: int, started: float) -> dict[str, Any]:
        reason, hint = self.dead.get(directory.name, ("", ""))
        return {"alive": directory.name not in self.dead, "reason": reason, "hint": hint}

    def signal(self, directory: Path, *, hard: bool) -> None:
        self.signals.append((directory.name, hard))

    @property
    def started(self) -> list[str]:
        return [name for name, *_ in self.submitted]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Place:
    found = Place()
    declared = BackendType("local", "Recorder", local.BACKEND.capabilities, found.open)
    monkeypatch.setattr(backends, "registry", lambda: NamedRegistry("backend", [declared]))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "no-login"))
    return found


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", slots=1, limits=Limits(stop_grace_seconds=5.0))


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings.runs)


def new_dispatcher(settings: Settings, store: Store) -> Dispatcher:
    index = RunIndex(store, lambda run: {"state": run.state().name if run.is_started() else None})
    return Dispatcher(settings, store, backends.Backends(settings), index)


def new(store: Store, owner: str = "local", **spec: Any) -> Run:
    run = store.create("toy-sorting", owner, SPEC)
    run.freeze({**SPEC, **spec})
    return run


def enqueue(dispatcher: Dispatcher, *runs: Run) -> None:
    """Queue runs in this order: their times differ."""
    for run in runs:
        dispatcher.enqueue(run, Secrets())
        time.sleep(0.002)


def say(run: Run, state: str, attempt: int = 1) -> None:
    append_line(run.events_path, {"kind": "state", "attempt": attempt, "state": state, "time": time.time()})


def test_runs_start_in_queue_order(place: Place, settings: Settings, store: Store) -> None:
    dispatcher = new_dispatcher(settings, store)
    runs = [new(store) for _ in range(3)]
    enqueue(dispatcher, *reversed(runs))
    order = [r.id for r in reversed(runs)]
    assert [dispatcher.position(r) for r in runs] == [3, 2, 1]
    for n in range(3):
        dispatcher.dispatch()
        dispatcher.dispatch()
        assert place.started == order[: n + 1]
        say(store.get(order[n]), "completed")
    assert dispatcher.position(runs[0]) is None
    assert all(e["PYTHONUNBUFFERED"] == "1" for e in place.environments)


def test_a_visitor_does_not_take_all_slots(place: Place, tmp_path: Path) -> None:
    limited = VisitorLimits(running=1)
    settings = Settings(home=tmp_path / "home", slots=3, visitors=limited, shared=True)
    store = Store(settings.runs)
    dispatcher = new_dispatcher(settings, store)
    runs = [new(store, owner) for owner in ("visitor:a", "visitor:a", "visitor:b", "local", "local")]
    enqueue(dispatcher, *runs)
    dispatcher.dispatch()
    # The second run of a waits, and those behind it overtake; the owner of the machine has no limit.
    assert place.started == [runs[0].id, runs[2].id, runs[3].id]
    say(runs[0], "completed")
    dispatcher.dispatch()
    assert place.started[3:] == [runs[1].id]


def test_a_resumed_run_is_queued_last(place: Place, settings: Settings, store: Store) -> None:
    dispatcher = new_dispatcher(settings, store)
    first, second, third = (new(store) for _ in range(3))
    enqueue(dispatcher, first, second)
    dispatcher.dispatch()
    say(first, "failed")
    dispatcher.enqueue(third, Secrets())
    time.sleep(0.002)
    dispatcher.enqueue(first, Secrets(), resume=True)
    for run in (second, third, first):
        dispatcher.dispatch()
        say(run, "completed", run.state().attempt)
    assert [(n, a, r) for n, a, r, _ in place.submitted] == [
        (first.id, 1, False),
        (second.id, 1, False),
        (third.id, 1, False),
        (first.id, 2, True),
    ]


def test_each_run_gets_its_own_device(
    place: Place, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-abc")
    dispatcher = new_dispatcher(Settings(home=settings.home), store)
    runs = [new(store) for _ in range(4)]
    enqueue(dispatcher, *runs)
    dispatcher.dispatch()
    assert [d for *_, d in place.submitted] == ["3", "GPU-abc"]  # a slot for each
    say(runs[1], "completed")
    dispatcher.dispatch()
    assert [d for *_, d in place.submitted] == ["3", "GPU-abc", "GPU-abc"]


def test_one_slot_gets_all_devices(
    place: Place, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    dispatcher = new_dispatcher(settings, store)
    dispatcher.enqueue(new(store), Secrets())
    dispatcher.dispatch()
    assert place.submitted[0][-1] is None


@pytest.mark.parametrize(
    ("visible", "names"),
    [("0,1", ["0", "1"]), ("", []), ("-1", []), ("2,-1,3", ["2"]), ("GPU-a, GPU-b", ["GPU-a", "GPU-b"])],
)
def test_devices_follow_cuda_visible_devices(visible: str, names: list[str]) -> None:
    assert devices({"CUDA_VISIBLE_DEVICES": visible}) == names


def test_devices_are_counted_by_the_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / "gpus" / name).mkdir(parents=True)
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'GPU 0: H200 (UUID: GPU-1)'\necho '  MIG 1g: (UUID: MIG-1)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    for driver, count in ((tmp_path / "gpus", 2), (tmp_path / "nothing", 1)):
        monkeypatch.setattr(gpus, "DRIVER", driver)
        gpus._count.cache_clear()
        assert devices({}) == [str(i) for i in range(count)]
    gpus._count.cache_clear()
    assert least_used(["0", "1", "2"], ["0", "1", "1"]) == ["2"]
    assert least_used(["0", "1", "2"], ["0"], 2) == ["1", "2"]


def test_gpus_are_nvidia_or_apple(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert accelerated()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    for system, machine, wanted in (("Linux", "x86_64", False), ("Darwin", "x86_64", False), ("Darwin", "arm64", True)):
        monkeypatch.setattr("platform.system", lambda named=system: named)
        monkeypatch.setattr("platform.machine", lambda named=machine: named)
        assert accelerated() == wanted


def test_a_vanished_worker_is_recorded_and_its_subprocesses_are_killed(
    place: Place, settings: Settings, store: Store
) -> None:
    dispatcher = new_dispatcher(settings, store)
    run, following = new(store), new(store)
    dispatcher.enqueue(run, Secrets())
    dispatcher.dispatch()
    say(run, "running")
    dispatcher.enqueue(following, Secrets())
    place.dead[run.id] = ("It fell.", "Lift it.")
    dispatcher.dispatch()
    state = run.state()
    assert (state.name, state.reason, state.hint) == ("interrupted", "It fell.", "Lift it.")
    assert place.signals == [(run.id, True)]
    assert place.started == [run.id, following.id]
    dispatcher.dispatch()
    assert place.signals == [(run.id, True)]


def test_a_stop_is_escalated_in_two_steps(
    place: Place, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [time.time()]
    dispatcher = new_dispatcher(settings, store)
    run = new(store)
    dispatcher.enqueue(run, Secrets())
    dispatcher.dispatch()
    say(run, "running")
    dispatcher.request_stop(run, by="me")
    monkeypatch.setattr(module.time, "time", lambda: clock[0])
    for seconds, signals in ((4.0, []), (2.0, [False]), (9.0, [False]), (2.0, [False, True])):
        clock[0] += seconds
        dispatcher.dispatch()
        assert [hard for _, hard in place.signals] == signals, seconds
    assert [c["kind"] for c in run.controls()] == ["queued", "started", "stop", "kill"]
    place.dead[run.id] = ("The process was killed (SIGKILL).", "memory")
    dispatcher.dispatch()
    assert "did not stop within 5 s" in run.state().reason


def test_a_run_that_cannot_be_started_fails_and_the_queue_continues(
    place: Place, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatcher = new_dispatcher(settings, store)
    nowhere, good = new(store, backend="moon"), new(store)
    enqueue(dispatcher, nowhere, good)
    dispatcher.dispatch()
    dispatcher.dispatch()
    state = nowhere.state()
    assert state.name == "failed" and "Unknown backend 'moon'" in state.reason
    assert place.started == [good.id]
    say(good, "completed")

    def refuse(*args: Any, **more: Any) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(place, "submit", refuse)
    third = new(store)
    dispatcher.enqueue(third, Secrets())
    dispatcher.dispatch()
    assert third.state().name == "failed" and "temporarily unavailable" in third.state().reason


def test_damaged_records_do_not_stop_the_queue(place: Place, settings: Settings, store: Store) -> None:
    dispatcher = new_dispatcher(settings, store)
    broken = [new(store) for _ in range(4)]
    for run in broken:
        run.enqueue(resume=False)
    (broken[0].directory / "spec.json").write_text("{")
    (broken[1].directory / "control.jsonl").write_bytes(b"\x00\xff\n[]\n")
    (broken[2].directory / "control.jsonl").unlink()
    (broken[2].directory / "control.jsonl").mkdir()
    (broken[3].directory / "events.jsonl").write_text('{"kind": "state", "attempt": 1}\n')
    good = new(store)
    dispatcher.enqueue(good, Secrets())
    for _ in range(4):
        dispatcher.dispatch()
        for run in broken:
            if run.id in place.started:
                say(run, "completed")
    assert good.id in place.started
    assert broken[0].state().name == "failed"


def test_a_token_stays_in_memory_until_the_run_has_ended(place: Place, settings: Settings, store: Store) -> None:
    dispatcher = new_dispatcher(settings, store)
    run = new(store, hub={"push_to_hub": True})
    dispatcher.enqueue(run, Secrets(token="hf_secret"))
    dispatcher.dispatch()
    assert place.environments[0]["HF_TOKEN"] == "hf_secret"
    assert run.id in dispatcher._secrets
    say(run, "failed")
    dispatcher.dispatch()
    assert run.id not in dispatcher._secrets
    assert all(b"hf_secret" not in p.read_bytes() for p in run.directory.iterdir() if p.is_file())


@pytest.mark.parametrize(
    ("spec", "token", "lacks"),
    [
        ({"hub": {"push_to_hub": True}}, None, True),
        ({}, "hf_x", False),
        ({"model": "some/gated-model"}, "hf_x", True),
        ({"model": "some/open-model"}, None, False),
        ({"task": "image-classification", "data": {"source": "hub", "path": "some/data"}}, "hf_x", True),
        ({"task": "tabular-classification", "model": "random_forest"}, "hf_x", False),
        ({"task": "tabular-classification", "data": {"source": "hub", "path": "some/data"}}, "hf_x", True),
    ],
)
def test_after_a_restart_a_run_waits_for_the_token_that_it_needs(
    place: Place, settings: Settings, store: Store, spec: dict[str, Any], token: str | None, lacks: bool
) -> None:
    run = new(store, **spec)
    new_dispatcher(settings, store).enqueue(run, Secrets(token=token))
    later = new_dispatcher(settings, store)
    assert later.lacks_token(run) is lacks
    assert (later.position(run) is None) is lacks
    assert later.dispatch() is lacks
    assert (place.started == []) is lacks
    later.enqueue(run, Secrets(token="hf_again"))
    later.dispatch()
    assert place.started == [run.id]
    assert [c["kind"] for c in run.controls()] == ["queued", "started"]


def test_the_login_of_the_machine_is_not_used_for_visitors(
    place: Place, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    login = tmp_path / "token"
    login.write_text("hf_mine")
    monkeypatch.setenv("HF_TOKEN_PATH", str(login))
    run = new(store, hub={"push_to_hub": True})
    run.enqueue(resume=False)
    assert not new_dispatcher(settings, store).lacks_token(run)
    visitors = new(store, "visitor:a", hub={"push_to_hub": True})
    visitors.enqueue(resume=False)
    assert new_dispatcher(settings, store).lacks_token(visitors)


def test_an_error_in_one_iteration_does_not_stop_the_dispatcher(
    place: Place, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", 0.02)
    dispatcher = new_dispatcher(settings, store)
    turns: list[int] = []
    real = dispatcher.dispatch

    def dispatch() -> bool:
        turns.append(1)
        if len(turns) < 3:
            raise ZeroDivisionError
        return real()

    monkeypatch.setattr(dispatcher, "dispatch", dispatch)
    run = new(store)
    dispatcher.start()
    try:
        dispatcher.enqueue(run, Secrets())
        end = time.monotonic() + 10
        while run.id not in place.started and time.monotonic() < end:
            time.sleep(0.01)
        assert place.started == [run.id]
    finally:
        dispatcher.stop()


def test_a_dispatcher_without_the_token_releases_the_lock(
    place: Place, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("POLL_SECONDS", 0.02), ("RELEASE_SECONDS", 0.2), ("RELEASE_INTERVAL_SECONDS", 0.3)):
        monkeypatch.setattr(module, name, seconds)
    page, command = new_dispatcher(settings, store), new_dispatcher(settings, store)
    run = new(store, hub={"push_to_hub": True})
    try:
        page.start()
        time.sleep(0.1)
        command.start()
        command.enqueue(run, Secrets(token="hf_x"))
        end = time.monotonic() + 10
        while not place.started and time.monotonic() < end:
            time.sleep(0.01)
        assert place.started == [run.id] and place.environments[0]["HF_TOKEN"] == "hf_x"
    finally:
        page.stop()
        command.stop()


def test_an_unknown_backend_is_reported() -> None:
    with pytest.raises(SpecError, match="Did you mean 'local'"):
        backends.backend_type("locale")


def test_an_iteration_over_many_ended_runs_is_fast(place: Place, settings: Settings, store: Store) -> None:
    for _ in range(200):
        run = new(store)
        run.enqueue(resume=False)
        run.begin(1)
        lines = [json.dumps({"kind": "metric", "attempt": 1, "step": n, "values": {"loss": 1.0}}) for n in range(500)]
        run.events_path.write_text("\n".join(lines) + "\n")
        say(run, "completed")
    dispatcher = new_dispatcher(settings, store)
    dispatcher.dispatch()
    seconds = []
    for _ in range(5):
        began = time.process_time()
        dispatcher.dispatch()
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.025, f"{min(seconds) * 1e3:.1f} ms: over 5% of a core at two turns a second"


# -- files that do not respond


@pytest.fixture
def hang(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], Callable[[], None]]]:
    """Let whoever reads a file wait, as on a network drive that does not respond; returns a function that ends it."""
    monkeypatch.setattr(bounded_calls, "SECONDS", 0.2)
    hanging: dict[Path, str] = {}

    def respond(path: Path) -> None:
        content = hanging.pop(path)
        pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)  # the threads that wait to open it return
        os.write(pipe, content.encode())
        path.unlink()
        path.write_text(content)
        os.close(pipe)

    def start(path: Path) -> Callable[[], None]:
        hanging[path] = path.read_text() if path.exists() else ""
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        return lambda: respond(path)

    yield start
    for path in list(hanging):
        respond(path)


@pytest.fixture
def stall(monkeypatch: pytest.MonkeyPatch) -> Callable[..., threading.Event]:
    """Let a function wait, of one run or all, as if its files did not respond; the event that it returns ends that."""
    monkeypatch.setattr(bounded_calls, "SECONDS", 0.2)

    def start(owner: Any, name: str, run: Run | None = None) -> threading.Event:
        real, responds = getattr(owner, name), threading.Event()

        def wait(target: Run | Path, *args: Any) -> Any:
            directory = target.directory if isinstance(target, Run) else target
            if run is None or directory == run.directory:
                responds.wait(20)
            return real(target, *args)

        monkeypatch.setattr(owner, name, wait)
        return responds

    return start


Hang = Callable[[Path], Callable[[], None]]
Stall = Callable[..., threading.Event]


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return the result of a function that must not take longer."""
    found: Future[T] = Future()

    def run() -> None:
        try:
            found.set_result(work())
        except Exception as error:
            found.set_exception(error)

    threading.Thread(target=run, daemon=True).start()  # it may never return
    return found.result(seconds)


def test_a_queued_run_whose_files_hang_is_overtaken(place: Place, settings: Settings, store: Store, hang: Hang) -> None:
    dispatcher = new_dispatcher(settings, store)
    first, second = new(store), new(store)
    enqueue(dispatcher, first, second)
    respond = hang(first.directory / "spec.json")
    within(5, dispatcher.dispatch)
    assert place.started == [second.id]
    with pytest.raises(DataError, match="do not respond"):
        within(5, lambda: dispatcher.lacks_token(first))
    respond()
    say(second, "completed")
    started_within(dispatcher, place, first)


def started_within(dispatcher: Dispatcher, place: Place, run: Run) -> None:
    end = time.monotonic() + 5
    while run.id not in place.started:
        assert time.monotonic() < end
        dispatcher.dispatch()
        time.sleep(0.02)


def test_an_active_run_whose_files_hang_keeps_its_slot(
    place: Place, settings: Settings, store: Store, hang: Hang
) -> None:
    dispatcher = new_dispatcher(settings, store)
    first, second = new(store), new(store)
    enqueue(dispatcher, first, second)
    dispatcher.dispatch()
    dispatcher.dispatch()
    responds = [hang(first.directory / name) for name in ("spec.json", "backend.json")]
    for _ in range(3):
        within(5, dispatcher.dispatch)
    assert place.started == [first.id]
    for respond in responds:
        respond()
    say(first, "completed")
    started_within(dispatcher, place, second)


def test_the_record_of_an_active_worker_that_hangs_does_not_block_other_slots(
    place: Place, settings: Settings, store: Store, hang: Hang
) -> None:
    dispatcher = new_dispatcher(replace(settings, slots=2), store)
    first, second = new(store), new(store)
    dispatcher.enqueue(first, Secrets())
    dispatcher.dispatch()
    hang(first.directory / "backend.json")
    dispatcher.enqueue(second, Secrets())
    started_within(dispatcher, place, second)


def test_a_start_that_hangs_keeps_its_slot_and_succeeds_later(
    place: Place, settings: Settings, store: Store, stall: Stall
) -> None:
    dispatcher = new_dispatcher(settings, store)
    first, second = new(store), new(store)
    enqueue(dispatcher, first, second)
    responds = stall(Run, "begin")
    for _ in range(3):
        within(5, dispatcher.dispatch)
    assert place.started == [] and first.state().name == "queued"
    responds.set()
    started_within(dispatcher, place, first)
    dispatcher.dispatch()
    assert place.started == [first.id]


def test_secrets_of_a_run_whose_files_hang_are_kept_and_block_nothing(
    place: Place, settings: Settings, store: Store, stall: Stall
) -> None:
    dispatcher = new_dispatcher(settings, store)
    ended, waiting = new(store), new(store)
    dispatcher.enqueue(ended, Secrets(token="hf_x"))
    say(ended, "completed")
    responds = stall(module, "_has_ended")
    within(5, dispatcher.dispatch)
    assert ended.id in dispatcher._secrets
    within(5, lambda: dispatcher.enqueue(waiting, Secrets()))
    responds.set()
    started_within(dispatcher, place, waiting)
    end = time.monotonic() + 5
    while ended.id in dispatcher._secrets and time.monotonic() < end:
        dispatcher.dispatch()
    assert ended.id not in dispatcher._secrets


def test_a_queue_that_waits_for_files_does_not_block_the_dispatcher(
    place: Place, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatcher, responds, called = new_dispatcher(settings, store), threading.Event(), threading.Event()
    run, other, third = new(store), new(store), new(store)
    dispatcher.enqueue(run, Secrets(token="hf_x"))
    say(run, "completed")
    dispatcher.enqueue(other, Secrets())
    real = Run.enqueue

    def wait(self: Run, **fields: Any) -> int:
        if self.id == run.id:
            called.set()
            responds.wait(20)
        return real(self, **fields)

    monkeypatch.setattr(Run, "enqueue", wait)
    thread = threading.Thread(target=lambda: dispatcher.enqueue(run, Secrets(token="hf_y"), resume=True))
    thread.start()
    assert called.wait(5)
    within(5, dispatcher.dispatch)
    assert place.started == [other.id] and dispatcher._secrets.get(run.id).token == "hf_y"
    within(5, lambda: dispatcher.enqueue(third, Secrets()))
    responds.set()
    thread.join(5)


def test_a_folder_that_hangs_is_not_waited_for(store: Store, stall: Stall) -> None:
    run, other = new(store), new(store)
    responds = stall(Path, "is_dir", run)
    with pytest.raises(DataError, match="do not respond"):
        within(5, lambda: store.get(run.id))
    assert within(5, lambda: store.get(other.id)).id == other.id
    responds.set()


def test_a_draft_that_hangs_does_not_block_the_sweep(store: Store, stall: Stall) -> None:
    bad, old = new(store), store.create("toy-sorting", "local", SPEC)
    os.utime(old.directory / "draft.json", (1, 1))
    responds = stall(Run, "is_started", bad)
    assert within(5, lambda: store.sweep(7, [bad.id, old.id])) == 1 and store.names() == [bad.id]
    responds.set()


def test_an_index_that_is_not_complete_starts_nothing(
    place: Place, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_index, "CHUNK", 1)

    def read(run: Run) -> dict[str, Any]:
        dispatcher.stop()  # while the index is made: a run that it does not know may be active
        return {"state": run.state().name}

    dispatcher = Dispatcher(settings, store, backends.Backends(settings), RunIndex(store, read))
    runs = [new(store) for _ in range(2)]
    for run in runs:
        dispatcher.enqueue(run, Secrets())
    dispatcher.dispatch()
    assert place.started == [] and dispatcher.position(runs[0]) is None


# -- two processes on one home, real workers

APP = """
import sys, time
from pathlib import Path
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
service = Service(Settings(home=Path(sys.argv[1]), slots=1))
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def apps(toys: Path, settings: Settings) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    (toys / "sitecustomize.py").write_text(
        "import autotrain_gradio.data as data\ndata.ensure = lambda directory, resolved, **more: None\n"
    )
    found: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        app = subprocess.Popen([sys.executable, "-c", APP, str(settings.home)], stdout=subprocess.PIPE, text=True)
        found.append(app)
        assert app.stdout and app.stdout.readline() == "ready\n"
        return app

    yield start
    for app in found:
        app.kill()
        app.wait()
        assert app.stdout
        app.stdout.close()
    for run in map(Run, (settings.runs / n for n in Store(settings.runs).names())):
        LocalBackend(settings).signal(run.directory, hard=True)


def reaches(run: Run, *names: str, seconds: float = 20.0) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (state := run.state().name) in names:
            return state
        time.sleep(0.05)
    log = run.directory / "log.txt"
    raise AssertionError(f"{run.state()}: {log.read_text() if log.exists() else ''}")


def test_a_second_app_takes_over_the_queue(
    apps: Callable[[], subprocess.Popen[str]], store: Store, settings: Settings
) -> None:
    params = {"steps": 2000, "step_seconds": 0.01}
    runs = [new(store, params=params), *(new(store, params={"steps": 3}) for _ in range(3))]
    first = apps()
    runs[0].enqueue(resume=False)
    reaches(runs[0], "running")
    second = apps()
    for run in runs[1:]:
        run.enqueue(resume=False)
    pid = int(json.loads((runs[0].directory / "backend.json").read_text())["pid"])
    assert psutil.Process(pid).ppid() == first.pid
    first.kill()
    first.wait()
    time.sleep(0.2)
    assert psutil.pid_exists(pid) and runs[0].state().name == "running"
    assert LocalBackend(settings).status(runs[0].directory, 1, 0.0)["alive"]
    runs[0].request_stop("me")
    reaches(runs[0], "cancelled")
    for run in runs[1:]:
        reaches(run, "completed")
        assert [c["kind"] for c in run.controls()] == ["queued", "started"]
    assert second.poll() is None


def test_the_death_of_a_reparented_worker_is_detected_and_its_subprocesses_killed(
    apps: Callable[[], subprocess.Popen[str]], store: Store
) -> None:
    run = new(store, params={"steps": 100_000, "step_seconds": 0.01, "trouble": "grandchild"})
    first = apps()
    run.enqueue(resume=False)
    reaches(run, "running")
    pid = int(json.loads((run.directory / "backend.json").read_text())["pid"])
    child = psutil.Process(pid).children()[0]
    first.kill()
    first.wait()
    apps()
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    reaches(run, "interrupted")
    assert time.monotonic() - began < 5
    assert "exited" in run.state().reason and "Resume" in run.state().hint
    for _ in range(100):
        if not child.is_running() or child.status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.05)
    else:
        raise AssertionError("what the worker had started goes on")
