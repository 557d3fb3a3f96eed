"""A shared page refuses the task everywhere: page, command line, Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from autotrain_gradio.cli.main import main
from autotrain_gradio.core.errors import Forbidden
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from autotrain_gradio.ui.page import build

SPEC: dict[str, Any] = {"task": "generic", "data": {"source": "sample", "path": "perceptron"}}
VISITOR = "visitor-0123456789abcdef"


def _tabs(service: Service) -> set[str]:
    return {str(b.elem_id) for b in build(service).blocks.values() if isinstance(b, gr.Tab)}


def test_visitors_can_neither_see_nor_use_it(tmp_path: Path) -> None:
    local = Service(Settings(home=tmp_path), dispatch=False)
    draft = local.draft("custom-script")
    assert {"tab-custom-script", "modality-scripts"} <= _tabs(local)
    local.close()
    shared = Service(Settings(home=tmp_path, shared=True), dispatch=False)
    tabs = _tabs(shared)
    assert "tab-tabular-regression" in tabs and not tabs & {"tab-custom-script", "modality-scripts"}
    for call in (
        lambda: shared.draft("spacerunner", VISITOR),
        lambda: shared.check(shared.draft("tabular-classification", VISITOR), SPEC, VISITOR),
        lambda: shared.start(shared.draft("tabular-classification", VISITOR), SPEC, VISITOR),
        lambda: shared.preview(shared.draft("tabular-classification", VISITOR), SPEC, owner=VISITOR),
        lambda: shared.clone(draft, "local"),
        lambda: shared.resume(draft, "local"),
    ):
        with pytest.raises(Forbidden) as refused:
            call()
        assert refused.value.code == "task-refused" and "shared page" in refused.value.message
    shared.close()


@pytest.mark.parametrize("command", [["check", "generic"], ["generic", "--train"]])
def test_the_command_line_of_a_shared_server_refuses_it(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUTOTRAIN_GRADIO_SHARED", "1")
    monkeypatch.setenv("AUTOTRAIN_GRADIO_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert main([*command, "--source", "sample", "--data-path", "perceptron"]) == 1
    assert "cannot be used on a shared page" in capsys.readouterr().err
