"""Attack: every event, server function and route, with ids of others, paths of the server and wrong types."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.backends.local.backend import LocalBackend
from autotrain_gradio.core.errors import WorkerError
from autotrain_gradio.ui.serialized_render import RELOAD
from tests.security.conftest import Place, kinds_of_events, render_all
from tests.security.visitor import Visitor, file_data

WRONG_TYPES: tuple[Any, ...] = (None, 7, -1.5, True, "x" * 5000, "../../etc/passwd", [], [[]], {}, {"path": 3})


@pytest.fixture
def worker_calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record what reaches a worker, instead of starting one: each call with its directory."""
    seen: list[str] = []

    def stream(self: Any, directory: Path, verb: str, context: Any, options: Any = None) -> Iterator[Any]:
        seen.append(f"{directory.name} {verb} {json.dumps(context, default=str)}")
        raise WorkerError("No worker in this test.", code="worker-died")
        yield

    monkeypatch.setattr(LocalBackend, "stream", stream)
    monkeypatch.setattr(LocalBackend, "prefetch", lambda *arguments: None)
    return seen


def _digest(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def _owned(place: Place) -> dict[str, str]:
    """Return a digest of every file of visitor A."""
    return {
        f"{run}/{k}": v
        for run in (place.reader, place.sorter, place.draft)
        for k, v in _digest(place.service.store.folder / run).items()
    }


def test_every_event_with_what_is_not_the_visitors(place: Place, worker_calls: list[str]) -> None:
    b = Visitor(place.url, "b2")
    events = render_all(place, b)
    dynamic = [f for f in events if f._id not in place.demo.fns]
    before, answers, called = _owned(place), [], 0
    hostile: tuple[Any, ...] = (place.reader, file_data(str(place.server_file)), place.draft, str(place.server_file))
    for function in kinds_of_events(events):
        for value in hostile:
            data = [b.id if getattr(i, "storage_key", "").endswith("visitor") else value for i in function.inputs]
            event_data = {"run": value, "action": ("delete", "stop", "again", "resume")[called % 4], "fix": 0}
            answers.append(b.call(function._id, data, queued=function.queue is not False, event_data=event_data))
            called += 1
    b.close()
    text = "\n".join(answers)
    assert called > 120 and len(dynamic) > 60, (called, len(dynamic))
    assert not [word for word in place.private if word in text]
    assert _owned(place) == before
    # A model may be used by whoever knows the id of its run, but no worker has a path, and none of A's drafts.
    assert not [c for c in worker_calls if str(place.server_file) in c or c.startswith(place.draft)]


def test_every_event_with_wrong_types(place: Place, worker_calls: list[str]) -> None:
    b = Visitor(place.url, "b3")
    events = kinds_of_events(render_all(place, b))
    before, called = _owned(place), 0
    for number, function in enumerate(events):
        for value in WRONG_TYPES[number % 2 :: 2]:
            answer = b.call(function._id, [value] * len(function.inputs), queued=function.queue is not False)
            assert "Traceback" not in answer and not [word for word in place.private if word in answer]
            called += 1
        b.call(function._id, [], queued=function.queue is not False)
    b.close()
    assert called > 120 and _owned(place) == before
    assert place.a.http.get("/config").status_code == 200


def test_every_server_function(place: Place) -> None:
    functions = {
        (block._id, name)
        for block in place.demo.blocks.values()
        for name in dir(type(block)) + list(vars(block))
        if getattr(getattr(block, name, None), "_is_server_fn", False)
    }
    assert len(functions) >= 2
    hostile = [*WRONG_TYPES, *({"run": v, "since": v, "offset": v} for v in WRONG_TYPES)]
    hostile += [{"run": f"../{place.draft}"}, {"run": str(place.server_file)}, {"run": f"{place.draft}/data/upload"}]
    for component, name in functions:
        for data in hostile:
            answer = place.b.serve(component, name, data)
            assert answer.status_code in {200, 500} and not [w for w in place.private if w in answer.text]
    for name in ("__init__", "get_config", "preprocess", "key", "launch"):
        assert place.b.serve(min(functions)[0], name, "x").status_code == 404


@pytest.mark.parametrize("queued", [True, False])
def test_an_event_of_a_page_from_before_a_restart_asks_to_reload(place: Place, queued: bool) -> None:
    visitor = Visitor(place.url, "late")
    try:
        assert RELOAD in json.loads(visitor.call(100_000, [], queued=queued))["detail"]
    finally:
        visitor.close()
