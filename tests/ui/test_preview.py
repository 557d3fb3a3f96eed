"""The preview of the model step: drawn when it is asked for, and again when what it shows has changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core import panels
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.ui.step_model import ModelStep
from tests.ui.tab_steps import build_steps

Values = Callable[..., dict[Any, Any]]


class _Previews:
    """A service that draws the length it was asked for, when it may."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.may = {16: threading.Event(), 64: threading.Event()}

    def preview(self, draft: str, spec: dict[str, Any], context: Any, owner: str, *, progress: Any) -> list[Any]:
        progress("Splitting texts", 0.5)
        length = spec["params"]["max_seq_length"]
        self.asked.append(length)
        assert self.may[length].wait(20)
        return [panels.numbers("Read", {"tokens": length})]


def step(service: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ModelStep, Values]:
    real = Service(Settings(home=tmp_path), dispatch=False)
    monkeypatch.setattr(real, "preview", service.preview)
    steps = build_steps(real, registry().get("text-classification"))
    return steps.model, lambda key="", **params: {
        **steps.values(**params),
        steps.session.draft: "draft",
        steps.model.preview.key: key,
    }


def test_a_preview_is_replaced_when_the_new_one_is_ready_and_rendered_once_per_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = _Previews()
    for event in service.may.values():
        event.set()
    made, values = step(service, tmp_path, monkeypatch)
    html, key = made.preview.html, made.preview.key
    first = list(made.show_preview(values(max_seq_length=16, lr=1)))
    assert "Preparing the preview" in first[0][html] and ">16<" in first[-1][html]
    shown = next(update[key] for update in first if key in update)
    same = list(made.update_preview(values(shown, max_seq_length=16, lr=2)))
    assert all("value" not in update[html] for update in same)
    unasked = list(made.update_preview(values(max_seq_length=64)))
    assert [set(update) for update in unasked] == [{html}], "never requested"
    assert service.asked == [16]
    again = list(made.update_preview(values(shown, max_seq_length=64)))
    assert [set(update) for update in again] == [{key}, {html}] and ">64<" in again[-1][html]
    assert service.asked == [16, 64] and again[0][key] != shown


def test_the_latest_requested_preview_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = _Previews()
    made, values = step(service, tmp_path, monkeypatch)
    slow = made.update_preview(values("another", max_seq_length=16))
    assert made.preview.key in next(slow)
    service.may[64].set()
    assert ">64<" in list(made.update_preview(values("another", max_seq_length=64)))[-1][made.preview.html]
    service.may[16].set()
    assert list(slow) == []
