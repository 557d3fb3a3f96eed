"""What a worker loads ahead, before it is asked."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from autotrain_gradio.worker import main as worker


def test_a_preview_loads_its_own_module_and_does_not_wait_for_what_only_some_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, end, told = threading.Event(), threading.Event(), []

    class Preview(ModuleType):
        def load_ahead(self) -> None:
            began.set()
            assert end.wait(20)

    monkeypatch.setitem(sys.modules, "some_task.preview", Preview("some_task.preview"))
    task: Any = SimpleNamespace(module="some_task.that_is_missing", preview_module="some_task.preview")
    monkeypatch.setattr(worker, "resolve", lambda spec: SimpleNamespace(task=task))
    monkeypatch.setattr(worker, "_tell", lambda message, fraction: told.append(fraction))
    worker._load(tmp_path, "preview", {"spec": {"task": "some"}})
    assert told == [1.0] and began.wait(20) and not end.is_set()
    end.set()
    with pytest.raises(ModuleNotFoundError, match="some_task"):
        worker._loaded(SimpleNamespace(task=task), worker._tell, "predict")  # type: ignore[arg-type]
    assert told == [1.0, 0.0]
