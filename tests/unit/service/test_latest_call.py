"""One call in flight per key, and calls that several callers share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.backends.base import CallOptions
from autotrain_gradio.backends.local.backend import LocalBackend
from autotrain_gradio.core.errors import StateError, WorkerError
from autotrain_gradio.core.settings import Limits, Settings
from autotrain_gradio.service import Service
from autotrain_gradio.service.latest_call import LatestCall

IMAGES = "image-classification"
DATA = {"source": "sample", "path": "shapes"}


def later(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Do work in a thread; return it, and a list to which its result or error will be added."""
    ended: list[Any] = []

    def target() -> None:
        try:
            ended.append(work())
        except Exception as error:
            ended.append(error)

    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread, ended


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Let calls last until they are cancelled or told to `end`, save with the model 'last/one'; return those begun."""
    begun: list[dict[str, Any]] = []

    def call(self: Any, directory: Path, verb: str, context: dict[str, Any], options: CallOptions) -> Any:
        end, cancel = threading.Event(), options.cancel
        assert cancel is not None
        begun.append({"verb": verb, "model": context["spec"]["model"], "cancel": cancel, "end": end})
        if options.progress:
            options.progress("Reading", 0.1)
        if options.found:
            options.found({"rows": 7})
        while context["spec"]["model"] != "last/one" and not end.wait(0.02):
            if cancel.is_set():
                time.sleep(0.1)  # its worker needs a moment to end
                raise WorkerError("cancelled", code="cancelled")
        return {"findings": [], "model": context["spec"]["model"]}

    monkeypatch.setattr(LocalBackend, "call", call)
    return begun


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Service, list[str]]]:
    """A service behind a page, and the verbs for which workers were made ready."""
    ready: list[str] = []
    monkeypatch.setattr(LocalBackend, "prefetch", lambda self, directory, verb, *more: ready.append(verb))
    found = Service(Settings(home=tmp_path / "home"), dispatch=False, interactive=True)
    yield found, ready
    found.close()


def test_only_the_latest_waiting_call_starts() -> None:
    latest, began, leave = LatestCall(), [], threading.Event()

    def take(number: int) -> str:
        with latest.acquire("a"):
            began.append(number)
            leave.wait(20)
        return "done"

    ended = []
    for number in range(4):
        ended.append(later(lambda number=number: take(number)))
        until(lambda: began == [0])
        time.sleep(0.05)
    leave.set()
    for thread, _ in ended:
        thread.join(10)
    assert began == [0, 3]
    assert [e[0].code if isinstance(e[0], WorkerError) else e[0] for _, e in ended] == [
        "done",
        "cancelled",
        "cancelled",
        "done",
    ]


def test_cancelling_a_name_cancels_its_waiting_calls() -> None:
    latest, leave, began = LatestCall(), threading.Event(), []

    def take(number: int) -> None:
        with latest.acquire("a"):
            began.append(number)
            leave.wait(20)

    first, _ = later(lambda: take(1))
    until(lambda: began == [1])
    second, ended = later(lambda: take(2))
    time.sleep(0.05)
    end, _ = later(lambda: latest.cancel_and_wait("a"))
    time.sleep(0.05)
    leave.set()
    for thread in (first, second, end):
        thread.join(10)
    assert began == [1] and ended[0].code == "cancelled"


def test_the_latest_probe_of_a_place_cancels_the_earlier_ones(
    page: tuple[Service, list[str]], calls: list[dict[str, Any]]
) -> None:
    service = page[0]

    def probe(model: str, place: str) -> Any:
        return service.probe({"task": IMAGES, "model": model}, place=place)

    threads = [later(lambda: probe("a/other", "elsewhere"))]
    until(lambda: len(calls) == 1)
    for model in ("a/b", "a/bc"):
        threads.append(later(lambda model=model: probe(model, "here")))
        until(lambda model=model: any(c["model"] == model for c in calls))
    began = time.monotonic()
    assert probe("last/one", "here")["model"] == "last/one" and time.monotonic() - began < 2
    for thread, ended in threads[1:]:
        thread.join(10)
        assert ended[0].code == "cancelled"
    assert not calls[0]["cancel"].is_set()  # somebody else's goes on
    service.close()


def test_libraries_are_prefetched_during_the_check(
    page: tuple[Service, list[str]], calls: list[dict[str, Any]], tmp_path: Path
) -> None:
    service, ready = page
    draft = service.draft(IMAGES)
    thread, _ = later(lambda: service.check(draft, {"task": IMAGES, "data": DATA}))
    until(lambda: len(calls) == 1)
    assert ready == ["preview"]  # though the check lasts
    service.cancel_check(draft)
    thread.join(10)
    upload = tmp_path / "a.zip"
    upload.write_bytes(b"x")
    service.upload(draft, [upload])
    assert ready == ["preview"] * 2


def test_of_two_concurrent_checks_the_latest_result_is_stored(
    page: tuple[Service, list[str]], calls: list[dict[str, Any]]
) -> None:
    service = page[0]
    draft = service.draft(IMAGES)
    first, ended = later(lambda: service.check(draft, {"task": IMAGES, "data": DATA}))
    until(lambda: len(calls) == 1)
    check = service.store.get(draft).directory / "check.json"
    check.write_text("{}")  # the first one ends with a result all the same
    assert service.check(draft, {"task": IMAGES, "model": "last/one", "data": DATA})["model"] == "last/one"
    first.join(10)
    assert ended[0].code == "cancelled" and not check.exists()
    assert service.draft_state(draft)["spec"]["model"] == "last/one"


def test_a_running_check_is_joined_only_with_equal_settings(
    page: tuple[Service, list[str]], calls: list[dict[str, Any]]
) -> None:
    service = page[0]
    draft, spec = service.draft(IMAGES), {"task": IMAGES, "data": DATA}
    assert not service.draft_state(draft)["checking"]
    shown: list[Any] = []
    first, ended = later(lambda: service.check(draft, spec, found=shown.append))
    until(lambda: len(shown) == 1)
    assert service.draft_state(draft)["checking"]  # as a page that was reloaded asks
    told: list[str] = []
    named = {**spec, "project_name": "named", "params": {"epochs": 9}}  # which does not concern the rows
    second, joined = later(
        lambda: service.check(draft, named, join=True, progress=lambda m, f: told.append(m), found=shown.append)
    )
    until(lambda: told == ["Reading"] and len(shown) == 2)
    calls[0]["end"].set()
    for thread in (first, second):
        thread.join(10)
    assert ended == joined and joined[0]["findings"] == [] and len(calls) == 1
    assert shown == [{"rows": 7}, {"rows": 7}]  # both are shown what is known already, the second one at once
    assert not service.draft_state(draft)["checking"]
    third, cancelled = later(lambda: service.check(draft, spec))
    until(lambda: len(calls) == 2)
    other = {**spec, "model": "last/one", "data": {**DATA, "train_split": "x"}}
    assert service.check(draft, other, join=True)["model"] == "last/one"
    third.join(10)
    assert cancelled[0].code == "cancelled"


def test_an_abandoned_check_is_cancelled_unless_a_caller_joins(tmp_path: Path, calls: list[dict[str, Any]]) -> None:
    service = Service(Settings(tmp_path / "home", Limits(abandoned_seconds=0.4)), dispatch=False)
    draft, spec = service.draft(IMAGES), {"task": IMAGES, "data": DATA}

    def tellers() -> Any:
        return lambda message, fraction: None

    page, reloaded, other = tellers(), tellers(), tellers()
    first, ended = later(lambda: service.check(draft, spec, progress=page))
    until(lambda: len(calls) == 1)
    service.leave_check(draft, page)
    time.sleep(0.2)
    second, _ = later(lambda: service.check(draft, spec, join=True, progress=reloaded))
    third, _ = later(lambda: service.check(draft, spec, join=True, progress=other))
    time.sleep(0.1)
    service.leave_check(draft, reloaded)
    time.sleep(0.6)
    assert not calls[0]["cancel"].is_set() and not ended  # the other page still looks
    service.leave_check(draft, other)
    for thread in (first, second, third):
        thread.join(5)
    assert ended[0].code == "cancelled" and len(calls) == 1 and not service.draft_state(draft)["checking"]
    # One that tells nobody waits to the end; and an earlier check's page does not end a later check.
    alone, _ = later(lambda: service.check(draft, spec))
    until(lambda: len(calls) == 2)
    service.leave_check(draft, page)
    time.sleep(0.6)
    assert not calls[1]["cancel"].is_set()
    service.close()
    alone.join(5)


def test_a_new_check_is_not_cancelled_with_an_abandoned_one(
    tmp_path: Path, calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(Settings(tmp_path / "home", Limits(abandoned_seconds=0.1)), dispatch=False)
    draft, spec = service.draft(IMAGES), {"task": IMAGES, "data": DATA}
    cancel, came, done = service._calls.cancel, list[Any](), threading.Event()

    def slowly(name: str) -> None:
        if not came:
            came.append(later(lambda: service.check(draft, spec)))
            time.sleep(0.3)  # enough to begin, if it may
        cancel(name)
        done.set()

    monkeypatch.setattr(service._calls, "cancel", slowly)

    def page(message: str, fraction: float) -> None:
        pass

    first, ended = later(lambda: service.check(draft, spec, progress=page))
    until(lambda: len(calls) == 1)
    service.leave_check(draft, page)
    first.join(5)
    assert ended[0].code == "cancelled"
    until(lambda: len(calls) == 2 and done.is_set())
    assert not calls[1]["cancel"].is_set()
    service.close()
    came[0][0].join(5)


def test_a_check_that_is_being_cancelled_is_not_joined(
    page: tuple[Service, list[str]], calls: list[dict[str, Any]]
) -> None:
    service = page[0]
    draft, spec = service.draft(IMAGES), {"task": IMAGES, "data": DATA}
    first, ended = later(lambda: service.check(draft, spec))
    until(lambda: len(calls) == 1)
    service.cancel_check(draft)
    second, result = later(lambda: service.check(draft, spec, join=True))
    until(lambda: len(calls) == 2)
    calls[1]["end"].set()
    for thread in (first, second):
        thread.join(10)
    assert ended[0].code == "cancelled" and result[0]["findings"] == []


def test_a_waiting_check_does_not_start_after_the_run_was_started(
    page: tuple[Service, list[str]], calls: list[dict[str, Any]]
) -> None:
    service = page[0]
    draft = service.draft(IMAGES)
    spec = {"task": IMAGES, "data": DATA}
    with service._calls.acquire(draft):
        thread, ended = later(lambda: service.check(draft, spec))
        until(lambda: draft in service._calls._latest)
        run = service.store.get(draft)
        run.freeze({"task": IMAGES})
    thread.join(10)
    assert isinstance(ended[0], StateError) and ended[0].code == "started" and not calls
