"""The steps of a task tab without a browser: real components whose handlers a test can call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from autotrain_gradio.tasks.base import Task
from autotrain_gradio.ui import models
from autotrain_gradio.ui.page_context import PageContext
from autotrain_gradio.ui.step_check import CheckStep
from autotrain_gradio.ui.step_data import DataStep
from autotrain_gradio.ui.step_model import ModelStep
from autotrain_gradio.ui.step_train import TrainStep
from autotrain_gradio.ui.task_form import TaskForm
from autotrain_gradio.ui.task_session import Steps, TabState, TaskSession


@dataclass
class TabSteps:
    """The four steps and the Blocks that hold them; their events are attached."""

    demo: gr.Blocks
    session: TaskSession
    data: DataStep
    check: CheckStep
    model: ModelStep
    train: TrainStep

    def values(self, **changed: Any) -> dict[Any, Any]:
        """Return the initial values of the form and the session. changed: parameter → other value."""
        session = self.session
        components = {session.draft, session.context.visitor, session.token, *session.form.inputs()}
        values = {component: component.value for component in components}
        return values | {f.component: changed[f.name] for f in session.form.params if f.name in changed}


def build_steps(service: Any, task: Task, state: TabState | None = None) -> TabSteps:
    """Build the steps of a task for a tab state."""
    state = state or TabState()
    with gr.Blocks() as demo:
        context, places = PageContext(service), service.training_places()
        available = models.Availability(gpu=False)
        form = TaskForm.build(task, state.spec, available=available, local_models=True, places=places)
        steps = Steps.build(task.name, state.step)
        session = TaskSession(task, context, gr.State(state), state, gr.State(state.draft), form, steps)
        data = DataStep.build(session)
        check, model, train = CheckStep.build(session, data), ModelStep.build(session), TrainStep.build(session)
        check.wire()
        model.wire(train)
        train.wire()
    return TabSteps(demo, session, data, check, model, train)
