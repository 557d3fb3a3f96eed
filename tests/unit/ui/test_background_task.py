"""Work in the background of an event: a browser that has gone is noticed, whatever the work does."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from autotrain_gradio.ui import background_task
from autotrain_gradio.ui.background_task import Finished, ProgressReporter, run_in_background


def test_an_item_comes_at_once_and_again_while_the_work_reports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_task, "HEARTBEAT_SECONDS", 0.1)
    end, left = threading.Event(), list[ProgressReporter]()

    def work(reporter: ProgressReporter) -> Any:
        return end.wait(10)

    items = run_in_background(work, first=("Reading", 0.0), on_disconnect=left.append)
    began = time.monotonic()
    assert [next(items) for _ in range(3)] == [("Reading", 0.0)] * 3
    assert time.monotonic() - began < 2.0
    items.close()  # type: ignore[attr-defined]
    assert len(left) == 1
    end.set()


def test_the_last_item_is_the_result() -> None:
    items = list(run_in_background(lambda reporter: 3))
    assert isinstance(items[0], tuple) and items[-1] == Finished(3)
