"""Input kinds: one made up here is on the page and on the command line without any other edit."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest

from autotrain_gradio.cli import commands
from autotrain_gradio.cli.main import main
from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.inputs import KINDS, Input, InputKind, Widget
from autotrain_gradio.core.predictions import with_panels
from autotrain_gradio.ui.examples import example_values
from autotrain_gradio.ui.page_context import PageContext
from autotrain_gradio.ui.try_it import TryIt


@pytest.fixture()
def colour(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Register an input kind that no module of the app knows."""
    module = types.ModuleType("colour_input")

    def widget(declared: Input, elem_id: str, context: Any) -> Widget:
        picker = gr.ColorPicker(label=declared.title, elem_id=elem_id)
        return Widget([picker], value=lambda code: code or None, events=[picker.change])

    def parse(argument: Any, declared: Input) -> str:
        if not str(argument).startswith("#"):
            raise UserError(f"'{argument}' is no colour.", "Write it as #rrggbb.", declared.name)
        return str(argument)

    module.widget, module.parse = widget, parse  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "colour_input", module)
    monkeypatch.setattr(KINDS, "_items", dict(KINDS._items))
    KINDS.add(InputKind("colour", "colour_input"))
    yield "colour"


class Service:
    """A service with one run of one task."""

    def __init__(self, *inputs: Input) -> None:
        self.asked: list[Any] = []
        self.task = types.SimpleNamespace(public_verbs=lambda: [], inputs=inputs, title="Painting")
        self.tasks = types.SimpleNamespace(get=lambda name: self.task)
        self.settings = types.SimpleNamespace(shared=False)

    def runs(self) -> list[dict[str, Any]]:
        return [{"id": "20260101-000000-x-abcdefghij", "project_name": "paint"}]

    def snapshot(self, run: str) -> dict[str, Any]:
        return {"id": run, "task": "painting", "can": {"predict": True}, "samples": []}

    def model_json(self, run: str, name: str) -> dict[str, Any]:
        raise NotImplementedError

    def predict(self, run: str, inputs: list[dict[str, Any]], owner: str = "local") -> list[dict[str, Any]]:
        self.asked += inputs
        odd = {"warnings": ["Is that <black>?"]}
        return [with_panels({"name": f"like {i['shade']}", **(odd if "000" in i["shade"] else {})}) for i in inputs]


def test_a_registered_kind_is_on_the_page_and_on_the_command_line(
    colour: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service = Service(Input("shade", "A shade", colour))
    with gr.Blocks() as blocks:
        tried = TryIt.build(PageContext(service))  # type: ignore[arg-type]
        before = len(blocks.blocks)
        tried._contents("run")
    pickers = [b for b in blocks.blocks.values() if isinstance(b, gr.ColorPicker)]
    assert [p.label for p in pickers] == ["A shade"] and before < len(blocks.blocks)
    handler = next(f.fn for f in blocks.fns.values() if pickers[0] in f.inputs)
    assert "like #ff3311" in handler("run", "visitor", "#ff3311") and service.asked == [{"shade": "#ff3311"}]
    assert "missing: a shade" in handler("run", "visitor", "")
    assert "at-warning" not in handler("run", "visitor", "#ff3311")
    warned = handler("run", "visitor", "#000000")
    assert "at-warning" in warned and "Is that &lt;black&gt;?" in warned and "like #000000" in warned

    monkeypatch.setattr(commands, "_service", lambda: service)
    assert main(["predict", "paint", "#00ff00"]) == 0
    assert "name  like #00ff00" in capsys.readouterr().out
    assert main(["predict", "paint", "green"]) == 1 and "'green' is no colour" in capsys.readouterr().err


def test_inputs_are_created_when_a_run_with_a_model_is_opened() -> None:
    service = Service(Input("image", "An image", "image"))
    with gr.Blocks() as blocks:
        tried = TryIt.build(PageContext(service))  # type: ignore[arg-type]
    assert not any(isinstance(b, gr.Image) for b in blocks.blocks.values())
    shown = tried.show(service.snapshot("run"), service.task, emptied=True)
    assert shown[tried.opened].startswith("run:") and shown[tried.prediction] == ""
    hidden = tried.show({"id": "run", "can": {}}, service.task, emptied=True)
    assert hidden[tried.opened] == ""
    assert tried.opened not in tried.show(service.snapshot("run"), service.task, emptied=False)


def test_examples_come_from_the_panel_of_samples() -> None:
    def run(name: str, *texts: str) -> dict[str, Any]:
        shown = panels.table("", ["any header"], [[t] for t in texts], examples={name: texts})
        return {"samples": [{"step": 1, "panel": shown}]}

    text = Input("text", "A text", "text")
    shown = example_values(run("text", "a long one", "one", "one", "three"), [text])
    assert shown == [("one",), ("three",), ("a long one",)]
    assert not example_values(run("model", "one"), [text]) and not example_values({"samples": []}, [text])
    assert not example_values({"samples": [{"step": 1, "panel": panels.table("", ["text"], [["one"]])}]}, [text])


def test_an_unknown_kind_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UserError) as caught:
        KINDS.get("imge")
    assert "image" in caught.value.hint
