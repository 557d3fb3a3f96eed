"""The preview of the model step: drawn when it is asked for, and again when what it shows has changed."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from autotrain_gradio.core import panels
from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.ui.step_model import ModelStep


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


def step(service: Any) -> ModelStep:
    form = SimpleNamespace(spec=lambda values: {"model": "tiny", "data": {}, "params": values[0]})
    context = SimpleNamespace(service=service, owner=lambda visitor: "local")
    session: Any = SimpleNamespace(task=registry().get("text-classification"), form=form, context=context)
    return ModelStep(session, None, preview="preview", shown="shown")  # type: ignore[arg-type]


def test_the_preview_stays_until_it_is_drawn_anew_and_is_drawn_once_for_the_same() -> None:
    service = _Previews()
    for event in service.may.values():
        event.set()
    made = step(service)
    first = list(made.draw_preview("draft", None, {"max_seq_length": 16, "lr": 1}))
    assert "Asking for" in first[0]["preview"] and ">16<" in first[-1]["preview"]
    key = next(update["shown"] for update in first if "shown" in update)
    made_of = {"max_seq_length": 16, "lr": 2}
    assert all("value" not in update["preview"] for update in made.redraw(key, "draft", None, made_of))
    assert list(made.redraw("", "draft", None, {"max_seq_length": 64}))[0].keys() == {"preview"}, "never asked for"
    assert service.asked == [16]
    again = list(made.redraw(key, "draft", None, {"max_seq_length": 64}))
    assert [set(update) for update in again] == [{"shown"}, {"preview"}] and ">64<" in again[-1]["preview"]
    assert service.asked == [16, 64] and again[0]["shown"] != key


def test_what_was_asked_for_last_is_shown_however_long_the_earlier_one_takes() -> None:
    service = _Previews()
    made = step(service)
    slow = made.redraw("another", "draft", None, {"max_seq_length": 16})
    assert "shown" in next(slow)
    service.may[64].set()
    assert ">64<" in list(made.redraw("another", "draft", None, {"max_seq_length": 64}))[-1]["preview"]
    service.may[16].set()
    assert list(slow) == []
