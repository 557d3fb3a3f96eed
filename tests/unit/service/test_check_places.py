"""The places of running checks: who waits, in which order, and what they are told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.backends.base import CallOptions
from autotrain_gradio.backends.local.backend import LocalBackend
from autotrain_gradio.core.errors import StateError, UserError, WorkerError
from autotrain_gradio.core.settings import Limits, Settings
from autotrain_gradio.core.text_format import GIB
from autotrain_gradio.service import Service
from autotrain_gradio.service.check_places import CheckPlaces

IMAGES = "image-classification"


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


class Caller(threading.Thread):
    """Takes a place, and holds it until it is told to leave."""

    def __init__(self, places: CheckPlaces, owner: str) -> None:
        super().__init__(daemon=True)
        self.places, self.owner = places, owner
        self.cancel, self.leave, self.running = threading.Event(), threading.Event(), threading.Event()
        self.told: list[str] = []
        self.error: UserError | None = None
        self.start()

    def run(self) -> None:
        try:
            with self.places.take(self.owner, self.cancel, lambda message, fraction: self.told.append(message)):
                self.running.set()
                self.leave.wait(10)
        except UserError as error:
            self.error = error


def test_callers_wait_in_order_and_are_told_their_position() -> None:
    places = CheckPlaces(1)
    first = Caller(places, "a")
    until(first.running.is_set)
    second = Caller(places, "b")
    until(lambda: second.told == ["Waiting for a free place (position 1)"])
    third = Caller(places, "c")
    until(lambda: third.told == ["Waiting for a free place (position 2)"])
    first.leave.set()
    until(second.running.is_set)
    until(lambda: third.told[-1] == "Waiting for a free place (position 1)")
    assert not third.running.is_set()
    third.cancel.set()
    third.join(5)
    assert isinstance(third.error, WorkerError) and third.error.code == "cancelled"
    second.leave.set()
    second.join(5)
    with places.take("d", threading.Event()):
        pass


def test_an_owner_cannot_hold_all_places() -> None:
    places = CheckPlaces(3, per_owner=1)
    one, two = Caller(places, "a"), None
    until(one.running.is_set)
    two = Caller(places, "a")
    until(lambda: two.told == ["Waiting for your other check"])
    other = Caller(places, "b")
    until(other.running.is_set)  # overtakes the one that waits for its owner
    with pytest.raises(StateError) as caught, places.take("a", threading.Event()):
        pass
    assert caught.value.code == "checks-full"
    one.leave.set()
    until(two.running.is_set)
    for caller in (two, other):
        caller.leave.set()


def test_a_full_queue_refuses() -> None:
    places = CheckPlaces(1, waiting=1)
    first = Caller(places, "a")
    until(first.running.is_set)
    second = Caller(places, "b")
    until(lambda: bool(second.told))
    with pytest.raises(StateError, match="1 check is waiting"), places.take("c", threading.Event()):
        pass
    second.cancel.set()
    first.leave.set()


def test_a_visitor_checks_one_draft_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running: list[Path] = []
    end = threading.Event()

    def call(self: Any, directory: Path, verb: str, context: Any, options: CallOptions) -> Any:
        running.append(directory)
        end.wait(10)
        return {"findings": []}

    monkeypatch.setattr(LocalBackend, "call", call)
    service = Service(Settings(tmp_path / "home", shared=True), dispatch=False)
    told: dict[str, list[str]] = {}

    def check(owner: str) -> None:
        draft = service.draft(IMAGES, owner)
        said = told.setdefault(draft, [])
        spec = {"task": IMAGES, "data": {"source": "sample", "path": "shapes"}}
        work = lambda: service.check(draft, spec, owner, progress=lambda m, f: said.append(m))  # noqa: E731
        threading.Thread(target=work, daemon=True).start()

    check("visitor:a")
    until(lambda: len(running) == 1)
    check("visitor:a")
    until(lambda: ["Waiting for your other check"] in told.values())
    check("visitor:b")
    until(lambda: len(running) == 2)
    end.set()
    until(lambda: len(running) == 3)
    service.close()


def test_the_time_limit_of_a_check_fits_the_size_of_its_data() -> None:
    limits = Limits()
    visitors = limits.for_visitors()
    assert limits.check_time(None) == limits.call_seconds == 3600
    assert limits.check_time(0) == 600 and limits.check_time(GIB) == 2400 and limits.check_time(20 * GIB) == 3600
    assert visitors.check_time(0) == 120 and visitors.check_time(GIB) == 720
    assert visitors.check_time(None) < limits.check_time(None)
    assert Limits.from_env({"AUTOTRAIN_GRADIO_SHARED": "1"}) == visitors and Limits.from_env({}) == limits


def test_a_check_of_an_upload_has_the_time_that_fits_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float | None] = []

    def call(self: Any, directory: Path, verb: str, context: Any, options: CallOptions) -> Any:
        given.append(options.seconds)
        return {"findings": []}

    monkeypatch.setattr(LocalBackend, "call", call)
    service = Service(Settings(tmp_path / "home", Limits(check_seconds=50.0)), dispatch=False)
    file = tmp_path / "a.csv"
    file.write_bytes(bytes(2**20))
    draft = service.draft(IMAGES)
    service.upload(draft, [file])
    service.check(draft, {"task": IMAGES, "data": {"source": "upload", "path": "a.csv"}})
    assert given == [50.0 + 1800 / 1024]
    service.check(draft, {"task": IMAGES, "data": {"source": "sample", "path": "shapes"}})
    assert given[-1] == 3600
