"""Which of the workers that stay up end for others, without a process."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.backends import warm
from autotrain_gradio.core.settings import Limits


class _Standing:
    """A worker without a process: it answers when it may."""

    def __init__(self, directory: Path, env: Any, limits: Limits) -> None:
        self.may, self.asked, self.closed, self.loads_until = threading.Event(), threading.Event(), False, 0.0
        self._calls = 0

    def enter(self) -> None:
        self._calls += 1

    def leave(self) -> None:
        self._calls -= 1

    busy = warm._WarmWorker.busy

    def alive(self) -> bool:
        return not self.closed

    def post(self, message: dict[str, Any]) -> None:
        pass

    def stream(self, *arguments: Any) -> Generator[Any, None, str]:
        self.loads_until = 0.0
        self.asked.set()
        assert self.may.wait(20)
        yield from ()
        return "answered"

    def close(self) -> None:
        self.closed = True


def test_the_least_recently_used_worker_is_closed_above_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "_WarmWorker", _Standing)
    workers = warm.WarmWorkers(Limits(), keep=2)
    standing: dict[Path, Any] = workers._warm
    a, b, c, d, e = (Path(name) for name in "abcde")

    def call(directory: Path, *, answered: bool = True) -> threading.Thread:
        thread = threading.Thread(target=workers.call, args=(directory, "predict", {}), daemon=True)
        thread.start()
        end = time.monotonic() + 5
        while directory not in standing or not standing[directory].asked.is_set():
            assert time.monotonic() < end
            time.sleep(0.005)
        if answered:
            standing[directory].may.set()
            thread.join(5)
        return thread

    slow = call(a, answered=False)
    call(b)
    call(c)
    assert set(standing) == {a, c}, "one that answers stays, though it was asked before the others"
    standing[a].may.set()
    slow.join(5)
    call(d)
    assert set(standing) == {a, d}, "it was used last when it answered, not when it was asked"
    workers.prefetch(b, "preview", {})
    assert set(standing) == {d, b}
    slow = call(e, answered=False)
    call(c, answered=False)
    assert set(standing) == {b, e, c}, "one that loads for somebody is not ended either"
    monkeypatch.setattr(warm, "LOADING_SECONDS", 0.0)
    workers.prefetch(b, "preview", {})
    workers.prefetch(d, "preview", {})
    assert b not in standing and {e, c} <= set(standing)
    for worker in standing.values():
        worker.may.set()
