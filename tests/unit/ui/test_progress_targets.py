"""Events of the page report progress to single components, never to containers.

Gradio's frontend copies the properties of all components inside a container with each state that is reported to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from gradio.blocks import BlockContext

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.ui.page import build
from autotrain_gradio.ui.page_context import PageContext
from autotrain_gradio.ui.task_session import TabState
from autotrain_gradio.ui.task_tab import render_steps


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(Settings(home=tmp_path), dispatch=False)
    yield service
    service.close()


def containers(demo: gr.Blocks) -> Iterator[str]:
    for event in demo.fns.values():
        targets = event.outputs if event.show_progress_on is None else event.show_progress_on
        yield from (
            f"{event.name}: {type(t).__name__} {t.elem_id}"
            for t in targets
            if isinstance(t, BlockContext) and not isinstance(t, gr.HTML)
        )


def test_of_the_page(service: Service) -> None:
    demo = build(service)
    assert len(demo.fns) > 30
    assert list(containers(demo)) == []


@pytest.mark.parametrize("name", ["text-classification", "automatic-speech-recognition"])
def test_of_a_task(service: Service, name: str) -> None:
    with gr.Blocks() as demo:
        render_steps(registry().get(name), PageContext(service), gr.State(), TabState())
    assert len(demo.fns) > 20
    assert list(containers(demo)) == []
