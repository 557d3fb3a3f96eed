"""The tab of a task: Data → Check → Model → Train, built from the task's declaration.

Its content is rendered when the tab is first selected: a page with many tasks must not carry all their forms.
Setting the tab's `TabState` rebuilds it: pasted YAML and the settings of an earlier run fill the form this way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.ui import messages, models
from autotrain_gradio.ui.page_context import QUEUED, UNQUEUED, PageContext
from autotrain_gradio.ui.step_check import CheckStep
from autotrain_gradio.ui.step_data import DataStep
from autotrain_gradio.ui.step_model import ModelStep
from autotrain_gradio.ui.step_train import TrainStep
from autotrain_gradio.ui.task_form import TaskForm
from autotrain_gradio.ui.task_session import Steps, TabState, TaskSession


@dataclass
class TaskTab:
    """A task's tab as the page knows it: empty until its state is set."""

    task: Task
    context: PageContext
    tab: gr.Tab
    state: gr.State

    @classmethod
    def build(cls, task: Task, context: PageContext) -> TaskTab:
        """Create the tab inside the `gr.Tabs` that is open."""
        with gr.Tab(task.title, id=task.name, elem_id=f"tab-{task.name}") as tab:
            state = gr.State(None)

            @gr.render(inputs=[state], triggers=[state.change], queue=False, show_progress="hidden")
            def render(current: TabState | None) -> None:
                if current:
                    render_steps(task, context, state, current)

        return cls(task, context, tab, state)

    def first_state(self, drafts: Any, visitor: Any) -> TabState:
        """Return the state of the draft that this browser left here, or an empty form."""
        draft = (drafts or {}).get(self.task.name)
        if not draft:
            return TabState()
        try:
            return TabState.of_draft(self.context, draft, self.context.owner(visitor))
        except UserError:
            return TabState()  # deleted, expired, or owned by another browser


def fill_on_first_selection(tabs: Sequence[TaskTab]) -> None:
    """Set the state of each tab when it is first selected; one event for all tabs of a modality."""
    context, states = tabs[0].context, [t.state for t in tabs]

    def select(event: gr.SelectData, drafts: Any, visitor: Any, *currents: Any) -> dict[Any, Any]:
        tab, current = tabs[event.index], currents[event.index]
        return {tab.state: gr.skip() if current else tab.first_state(drafts, visitor)}

    # Every selection counts: the second tab may be selected while the first is still rendered.
    gr.on(
        [t.tab.select for t in tabs],
        select,
        [context.drafts, context.visitor, *states],
        states,
        trigger_mode="multiple",
        **QUEUED,
    )


def render_steps(task: Task, context: PageContext, state: gr.State, current: TabState) -> None:
    """Create the four steps of a task for a tab state, and attach their events."""
    gr.HTML(f"<p class='at-summary'>{escape(task.summary)}</p>")
    if missing := task.missing_packages():
        gr.HTML(messages.findings([f.to_dict() for f in missing]), elem_id=f"{task.name}-missing")
    service = context.service
    hub = service.hub_models
    available = models.Availability(service.accelerated(), hub.reachable(), hub.downloaded)
    form = TaskForm.build(
        task,
        current.spec,
        available=available,
        local_models=not service.settings.shared,
        places=service.training_places(),
    )
    steps = Steps.build(task.name, current.step, models=task.has_models)
    session = TaskSession(task, context, state, current, gr.State(current.draft), form, steps)
    with steps.data:
        data_step = DataStep.build(session)
    with steps.check:
        check_step = CheckStep.build(session, data_step)
    with steps.model:
        model_step = ModelStep.build(session)
    with steps.train:
        train_step = TrainStep.build(session)
    session.draft.change(_save_draft_id(task.name), [session.draft, context.drafts], context.drafts, **UNQUEUED)
    check_step.wire()
    model_step.wire(train_step)
    train_step.wire()


def _save_draft_id(task: str) -> Callable[[Any, Any], dict[str, str]]:
    """Return a handler that stores the id of a tab's draft in the browser, or removes it once it is a run."""

    def save(draft: Any, drafts: Any) -> dict[str, str]:
        others = {k: v for k, v in (drafts or {}).items() if k != task and isinstance(v, str)}
        return {**others, task: draft} if draft else others

    return save
