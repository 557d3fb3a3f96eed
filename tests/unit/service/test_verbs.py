"""Verbs of a task, called through the service and the Python API."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from autotrain_gradio.api.runs import Run
from autotrain_gradio.core.errors import NotFound, StateError, UserError
from autotrain_gradio.service import Service

Start = Callable[..., str]
Until = Callable[..., dict[str, Any]]


@pytest.fixture
def run(service: Service, start: Start, until: Until) -> str:
    """A completed run of the toy task."""
    found = start(steps=2)
    until(found, "completed")
    return found


def test_a_declared_verb_is_called_with_its_context(service: Service, run: str) -> None:
    messages: list[str] = []
    found = service.call(run, "double", {"toys": 4}, progress=lambda message, fraction: messages.append(message))
    assert found == {"toys": 8, "task": "toy-sorting", "steps": 2} and messages == ["Doubling"]
    assert Run(service, run).call("double", toys=1)["toys"] == 2
    assert [v["name"] for v in service.verbs(run)] == ["count", "double", "tidy"]


def test_a_streaming_verb_yields_items_and_shares_the_model_of_predictions(service: Service, run: str) -> None:
    items = service.stream(run, "count", {"to": 1000, "seconds": 0.05})
    first = next(items)
    items.close()
    time.sleep(0.2)
    assert int((service.settings.runs / run / "counted").read_text()) < 20
    assert service.predict(run, [{"text": "ball"}])[0]["pid"] == first["pid"]
    assert [i["number"] for i in Run(service, run).stream("count", to=3)] == [0, 1, 2]
    assert [i["number"] for i in service.call(run, "count", {"to": 2})] == [0, 1]
    assert service.call(run, "count", {"to": 0}) == []
    with pytest.raises(UserError, match="no more toys"):
        list(service.stream(run, "count", {"to": 2, "fail": 1}))


def test_arguments_of_any_name_reach_the_verb_and_not_the_app(service: Service, run: str) -> None:
    arguments = {"seconds": 0, "spec": {"task": "text-classification"}, "secrets": {"a": "b"}, "arguments": [1]}
    parts: list[Any] = []
    found = service.call(run, "tidy", arguments, on_found=parts.append)
    assert parts == [arguments], "partial results of a warm worker reach the caller"
    assert found == {"task": "toy-sorting", "arguments": arguments}


def test_a_verb_has_time_to_clean_up_when_its_worker_is_ended(service: Service, run: str) -> None:
    folder = service.settings.runs / run
    began = threading.Event()

    def call() -> None:
        with contextlib.suppress(UserError):
            service.call(run, "tidy", {"seconds": 60}, on_found=lambda value: began.set())

    caller = threading.Thread(target=call, daemon=True)
    caller.start()
    assert began.wait(60)
    service._backends.release(folder)
    caller.join(20)
    assert not caller.is_alive()
    end = time.monotonic() + 20
    while not (folder / "tidied").exists() or _workers(folder):  # the caller returns before the worker has cleaned up
        assert time.monotonic() < end
        time.sleep(0.05)
    assert (folder / "tidied").read_text() == "yes"


@pytest.mark.parametrize("call", ["WarmWorkers(Limits()).call(*given)", "call(*given, limits=Limits(), grace=20.0)"])
def test_a_verb_has_time_to_clean_up_when_the_app_exits(service: Service, run: str, call: str) -> None:
    folder = service.settings.runs / run
    call = call.replace("given", "given, found=lambda value: os._exit(0)")
    code = (
        "import os, sys, threading\n"
        "from pathlib import Path\n"
        "from autotrain_gradio.backends.calls import call\n"
        "from autotrain_gradio.backends.warm import WarmWorkers\n"
        "from autotrain_gradio.core.settings import Limits\n"
        f"given = Path(sys.argv[1]), 'tidy', {{'arguments': {{'seconds': 60}}}}\n{call}\n"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, timeout=60)
    end = time.monotonic() + 20
    while not (folder / "tidied").exists() or _workers(folder):
        assert time.monotonic() < end
        time.sleep(0.05)


def _workers(folder: Path) -> list[psutil.Process]:
    """Return the processes of a run's workers."""
    return [p for p in psutil.process_iter(["cmdline"]) if str(folder) in (p.info["cmdline"] or [])]


def test_only_verbs_that_the_task_declares_can_be_called(service: Service, run: str) -> None:
    with pytest.raises(NotFound, match="Unknown verb 'cuont'. Did you mean 'count'"):
        service.call(run, "cuont")
    for internal in ("check", "browse", "publish", "train", "serve"):
        with pytest.raises(NotFound):
            service.call(run, internal)
    with pytest.raises(StateError, match="does not stream"):
        service.stream(run, "double", {"toys": 1})
