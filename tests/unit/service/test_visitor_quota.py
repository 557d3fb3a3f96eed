"""Limits of visitors: each says which one it is, and what to do; the owner of the machine has none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.backends.local.backend import LocalBackend
from autotrain_gradio.core.errors import Forbidden, SpecError, StateError, UserError
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.visitor_limits import VisitorLimits
from autotrain_gradio.service import Service

IMAGES, A, B = "image-classification", "visitor:a", "visitor:b"
SPEC: dict[str, Any] = {"task": IMAGES, "model": "tiny", "data": {"source": "sample", "path": "shapes"}}


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Return a function that makes a service with limits, without a dispatcher."""
    made = []

    def make(*, shared: bool = True, **limits: float) -> Service:
        settings = Settings(
            home=tmp_path / "home", shared=shared, visitors=VisitorLimits(**limits), uploads=tmp_path / "uploads"
        )
        made.append(Service(settings, dispatch=False))
        return made[-1]

    yield make
    for service in made:
        service.close()


def refusal(call: Callable[[], Any]) -> UserError:
    """Return the error of a call."""
    with pytest.raises((StateError, SpecError)) as caught:
        call()
    assert caught.value.hint
    return caught.value


def uploaded(service: Service, name: str, content: bytes) -> Path:
    """Return the path of a file in the upload folder."""
    path = service.settings.uploads / (f"{len(content):02x}" * 64)[:64] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_queue_has_a_few_places_for_each_visitor(limited: Callable[..., Service]) -> None:
    service = limited(queued=2, all_queued=3)
    drafts = [service.draft(IMAGES, A) for _ in range(3)]
    first, _ = (service.start(d, SPEC, A) for d in drafts[:2])
    error = refusal(lambda: service.start(drafts[2], SPEC, A))
    assert error.code == "visitor-queued" and "2 trainings" in error.message
    assert service.start(drafts[0], SPEC, A) == drafts[0]  # it has been started: no second place
    service.start(service.draft(IMAGES, B), SPEC, B)
    other = service.draft(IMAGES, B)
    assert refusal(lambda: service.start(other, SPEC, B)).code == "visitor-all-queued"
    service.stop(first, A)
    service.start(drafts[2], SPEC, A)
    assert refusal(lambda: service.resume(first, A)).code == "visitor-queued"


def test_a_training_has_a_limit_of_epochs_and_hours(limited: Callable[..., Service]) -> None:
    service = limited(epochs=10, hours=2)
    draft = service.draft(IMAGES, A)
    error = refusal(lambda: service.start(draft, {**SPEC, "params": {"epochs": 11}}, A))
    assert (error.code, error.where) == ("visitor-epochs", "params.epochs")
    error = refusal(lambda: service.start(draft, {**SPEC, "params": {"epochs": 10}, "resources": {"timeout": "3h"}}, A))
    assert (error.code, error.where) == ("visitor-hours", "resources.timeout")
    run = service.start(draft, {**SPEC, "params": {"epochs": 10}}, A)
    assert service.store.get(run).spec()["resources"]["timeout"] == "2h"


def test_drafts_uploads_and_disk_space_are_limited(limited: Callable[..., Service]) -> None:
    service = limited(drafts=2, upload_bytes=1000, disk_bytes=2500)
    draft = service.draft(IMAGES, A)
    service.upload(draft, [uploaded(service, "a.bin", b"x" * 900)], A)
    error = refusal(lambda: service.upload(draft, [uploaded(service, "b.bin", b"x" * 1001)], A))
    assert error.code == "visitor-upload"
    other = service.draft(IMAGES, A)
    service.upload(other, [uploaded(service, "c.bin", b"x" * 901)], A)
    error = refusal(lambda: service.upload(other, [uploaded(service, "d.bin", b"x" * 902)], A))
    assert error.code == "visitor-disk"
    assert refusal(lambda: service.draft(IMAGES, A)).code == "visitor-drafts"
    assert service.draft(IMAGES, B)
    with pytest.raises(Forbidden):
        service.upload(other, [Path(__file__)], A)


def test_a_copy_of_a_run_counts_before_it_is_made(limited: Callable[..., Service]) -> None:
    service = limited(disk_bytes=3000)
    draft = service.draft(IMAGES, A)
    service.upload(draft, [uploaded(service, "a.bin", b"x" * 2000)], A)
    service.start(draft, {**SPEC, "data": {"source": "upload", "path": "a.bin"}}, A)
    assert refusal(lambda: service.clone(draft, A)).code == "visitor-disk"
    assert len(service.store.names()) == 1


def test_calls_of_workers_are_limited_whoever_makes_them(
    limited: Callable[..., Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = limited(calls=1, all_calls=2)
    running, end = threading.Semaphore(0), threading.Event()

    def call(self: Any, directory: Path, verb: str, context: Any, options: Any = None) -> dict[str, Any]:
        running.release()
        assert end.wait(20)
        return {"findings": []}

    monkeypatch.setattr(LocalBackend, "call", call)
    probes = [threading.Thread(target=service.probe, args=(SPEC, owner)) for owner in (A, B)]
    for probe in probes:
        probe.start()
        assert running.acquire(timeout=20)
    try:
        assert refusal(lambda: service.probe(SPEC, A)).code == "visitor-calls"
        assert refusal(lambda: service.preview(service.draft(IMAGES, A), SPEC, {}, A)).code == "visitor-calls"
        assert refusal(lambda: service.probe(SPEC, "visitor:c")).code == "visitor-all-calls"
    finally:
        end.set()
        for probe in probes:
            probe.join()
    assert service.probe(SPEC, A) == {"findings": []}


def test_the_owner_of_the_machine_has_no_limits(limited: Callable[..., Service], tmp_path: Path) -> None:
    service = limited(shared=False, queued=0, epochs=1, hours=1, drafts=0, upload_bytes=1, disk_bytes=1, calls=0)
    draft = service.draft(IMAGES)
    (tmp_path / "a.zip").write_bytes(b"x" * 100)
    service.upload(draft, [tmp_path / "a.zip"])
    run = service.start(draft, {**SPEC, "params": {"epochs": 20}})
    assert service.store.get(run).spec().get("resources", {}).get("timeout", "") == ""
