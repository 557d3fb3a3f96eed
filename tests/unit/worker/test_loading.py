"""What a warm worker imports ahead, before it is asked."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from autotrain_gradio.tasks.registry import registry, resolve
from autotrain_gradio.tasks.verb_call import VerbCall
from autotrain_gradio.worker import run_verb, serve
from autotrain_gradio.worker.verbs import predict

SPEC = {"task": "image-classification"}


def test_a_preview_imports_its_own_module_and_prefetches_the_rest_in_the_background(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, end, fractions = threading.Event(), threading.Event(), []

    class Preview(ModuleType):
        def load_ahead(self) -> None:
            began.set()
            assert end.wait(20)

    monkeypatch.setitem(sys.modules, "some_task.preview", Preview("some_task.preview"))
    task = replace(registry().get(SPEC["task"]), module="some_task.that_is_missing", preview_module="some_task.preview")
    resolved = replace(resolve(SPEC), task=task)
    monkeypatch.setattr(run_verb, "resolve", lambda spec: resolved)
    monkeypatch.setattr(serve, "send_progress", lambda message, fraction: fractions.append(fraction))
    serve.prefetch(tmp_path, "preview", {"spec": SPEC})
    assert fractions == [1.0] and began.wait(20) and not end.is_set()
    end.set()
    with pytest.raises(ModuleNotFoundError, match="some_task"):
        predict.load(VerbCall(tmp_path, resolved, {}, serve.send_progress))
    assert fractions == [1.0, 0.0]
