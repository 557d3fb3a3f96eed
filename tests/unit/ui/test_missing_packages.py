"""The tab of a task whose packages are missing says so, with the command that installs them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gradio as gr

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.tasks.requirements import from_extra
from autotrain_gradio.ui.page_context import PageContext
from autotrain_gradio.ui.task_session import TabState
from autotrain_gradio.ui.task_tab import render_steps

IMAGES = registry().get("image-classification")


def _notice(service: Service, task: Task) -> str:
    with gr.Blocks() as demo:
        render_steps(task, PageContext(service), gr.State(), TabState())
    found = [b for b in demo.blocks.values() if isinstance(b, gr.HTML) and b.elem_id == f"{task.name}-missing"]
    return "".join(str(b.value) for b in found)


def test_the_tab_shows_the_install_command(tmp_path: Path) -> None:
    service = Service(Settings(home=tmp_path), dispatch=False)
    try:
        assert _notice(service, IMAGES) == ""
        notice = _notice(service, replace(IMAGES, requires=from_extra("images", "no_such_package")))
        assert "no_such_package" in notice and "pip install &#x27;autotrain-gradio[images]&#x27;" in notice
    finally:
        service.close()
