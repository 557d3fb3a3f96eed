"""Fixtures of the unit tests: a toy task, and a service that trains it in real workers."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.backends import Backends
from autotrain_gradio.core.settings import Limits, Settings
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.registry import registry
from tests import toy


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install the toy task for this process and its workers."""
    folder = toy.install(tmp_path / "toys")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    importlib.invalidate_caches()
    registry.cache_clear()
    yield folder
    registry.cache_clear()
    for name in [n for n in sys.modules if n.startswith("toy_task")]:
        del sys.modules[name]


@pytest.fixture
def service(toys: Path, tmp_path: Path) -> Iterator[Service]:
    """A service with one slot and a short patience, on a home of its own."""
    limits = Limits(stop_grace_seconds=1.0)
    found = Service(Settings(home=tmp_path / "home", limits=limits, slots=1))
    yield found
    for row in found.runs():
        if row["state"] in {"preparing", "running", "stopping"}:
            Backends(found.settings).get().signal(Path(row["path"]), hard=True)
    found.close()


@pytest.fixture
def start(service: Service, toys: Path) -> Callable[..., str]:
    """Return a function that starts a toy run with parameters; the data layer is left out in its workers.

    prestart: its worker is started ahead.
    """
    # A sitecustomize of the workers: the toy has no data to prepare.
    (toys / "sitecustomize.py").write_text(
        "import autotrain_gradio.data as data\ndata.ensure = lambda directory, resolved, **more: None\n"
    )

    def run(prestart: bool = False, **params: Any) -> str:
        spec = {"task": "toy-sorting", "project_name": params.pop("project_name", "toys"), "params": params}
        draft = service.draft("toy-sorting")
        if prestart:
            service.prestart(draft, spec)
        return service.start(draft, {**spec, "data": {"source": "upload", "path": "toys.toy"}})

    return run


@pytest.fixture
def until(service: Service) -> Callable[..., dict[str, Any]]:
    """Return a function that waits until a run is in one of the states, and returns its snapshot."""

    def wait(run: str, *states: str, seconds: float = 30.0) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            snapshot = service.snapshot(run)
            assert snapshot is not None
            if snapshot["state"] in states:
                return snapshot
            if snapshot["state"] in {"completed", "failed", "cancelled", "interrupted"}:
                break
            time.sleep(0.05)
        raise AssertionError(
            f"{run} is {snapshot['state']} and not {states}: {snapshot['reason']} {service.log(run)['text'][-2000:]}"
        )

    return wait
