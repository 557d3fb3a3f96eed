"""A task's tab: Data → Check → Model → Train, built wholly from the task's declaration.

Its contents are made when it is first selected: a page of many tasks must not carry all their forms.
What is inside is decided by the tab's *seed* (a draft, a spec, a step). To fill the form from
elsewhere (pasted YAML, the settings of an earlier run) is to give the tab a new seed.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.ui import messages
from autotrain_gradio.ui.shell import QUICK, TELLING, Shell
from autotrain_gradio.ui.step_check import CheckStep
from autotrain_gradio.ui.step_data import DataStep
from autotrain_gradio.ui.step_model import ModelStep
from autotrain_gradio.ui.step_train import TrainStep
from autotrain_gradio.ui.task_form import TaskForm, outside_form

Seed = dict[str, Any]
"""`{n, draft, spec, step, check, checking}`: n makes each one different; checking: a check goes on, or shall begin."""

_numbers = itertools.count(1)


def seed(
    draft: str | None = None,
    spec: Mapping[str, Any] | None = None,
    step: int = 1,
    check: Any = None,
    *,
    checking: bool = False,
) -> Seed:
    """Make a seed: an empty form, or one that shows a spec."""
    made = {"n": next(_numbers), "draft": draft, "spec": dict(spec or {})}
    return {**made, "step": step, "check": check, "checking": checking}


def seed_of_draft(shell: Shell, draft: str, owner: str, *, step: int | None = None) -> Seed:
    """Make a seed of a draft as it was left.

    Raises:
        UserError: there is no such draft, or it is somebody else's.
    """
    state = shell.service.draft_state(draft, owner)
    has_data = bool((state["spec"].get("data") or {}).get("source"))
    step = step or (2 if has_data else 1)
    return seed(draft, state["spec"], step, state["check"], checking=state["checking"])


@dataclass
class Walk:
    """One built tab: what its steps share."""

    task: Task
    shell: Shell
    seed: gr.State
    draft: gr.State
    form: TaskForm
    steps: gr.Walkthrough
    step: dict[int, gr.Step]
    start: Seed
    token: Any = None

    @property
    def prefix(self) -> str:
        """The beginning of the ids of the tab's elements."""
        return self.task.name

    def go(self, step: int) -> dict[Any, Any]:
        """Return the updates that select a step, and let one come back to it."""
        return {self.steps: gr.Walkthrough(selected=step), self.step[step]: gr.Step(interactive=True)}


@dataclass
class TaskTab:
    """A tab as the page knows it: closed until its seed is set."""

    task: Task
    shell: Shell
    tab: gr.Tab
    seed: gr.State

    @classmethod
    def build(cls, task: Task, shell: Shell, tabs: Any) -> TaskTab:
        """Create the tab, in the Tabs that are open.

        tabs: the page's outer ones, turned to the run at Start.
        """
        with gr.Tab(task.title, id=task.name, elem_id=f"tab-{task.name}") as tab:
            state = gr.State(None)

            @gr.render(inputs=[state], triggers=[state.change], queue=False, show_progress="hidden")
            def contents(current: Seed | None) -> None:
                if current:
                    _contents(task, shell, state, current, tabs)

        self = cls(task, shell, tab, state)
        return self

    def first(self, drafts: Any, visitor: Any) -> Seed:
        """Return the tab's first seed: the draft that this browser left here, or an empty form."""
        draft = (drafts or {}).get(self.task.name)
        if draft:
            try:
                return seed_of_draft(self.shell, draft, self.shell.owner(visitor))
            except UserError:
                # Swept, deleted, or another browser's: there is nothing to continue.
                return seed()
        return seed()


def open_when_selected(tabs: Sequence[TaskTab]) -> None:
    """Fill each tab when it is selected for the first time; one event for all of a modality."""
    shell, seeds = tabs[0].shell, [t.seed for t in tabs]

    def selected(event: gr.SelectData, drafts: Any, visitor: Any, *currents: Any) -> dict[Any, Any]:
        tab, current = tabs[event.index], currents[event.index]
        return {tab.seed: gr.skip() if current else tab.first(drafts, visitor)}

    # Every selection counts: the second tab may be selected while the first is still being made.
    gr.on(
        [t.tab.select for t in tabs],
        selected,
        [shell.drafts, shell.visitor, *seeds],
        seeds,
        trigger_mode="multiple",
        **TELLING,
    )


def _keep_draft(task: str) -> Any:
    """Make the event that lets the browser remember a tab's draft, or forget it once it is a run."""

    def keep(draft: Any, drafts: Any) -> dict[str, str]:
        kept = {k: v for k, v in (drafts or {}).items() if k != task and isinstance(v, str)}
        return {**kept, task: draft} if draft else kept

    return keep


def _contents(task: Task, shell: Shell, state: gr.State, current: Seed, tabs: Any) -> None:
    spec = current["spec"]
    data, rest = outside_form(spec)
    gr.HTML(f"<p class='at-summary'>{escape(task.summary)}</p>")
    if missing := task.missing_packages():
        gr.HTML(messages.findings([f.to_dict() for f in missing]), elem_id=f"{task.name}-missing")
    form = TaskForm(task, gr.State(data), gr.State(rest))
    first = current["step"]
    steps = gr.Walkthrough(selected=first, elem_id=f"{task.name}-steps")
    walk = Walk(task, shell, state, gr.State(current["draft"]), form, steps, {}, current)
    with steps:
        for number, title in enumerate(("Data", "Check", "Model", "Train"), 1):
            walk.step[number] = gr.Step(
                title, id=number, interactive=number <= first, elem_id=f"{task.name}-step-{number}"
            )
    with walk.step[1]:
        data_step = DataStep.build(walk)
    with walk.step[2]:
        check_step = CheckStep.build(walk)
    with walk.step[3]:
        model_step = ModelStep.build(walk)
    with walk.step[4]:
        train_step = TrainStep.build(walk)
    walk.draft.change(_keep_draft(task.name), [walk.draft, shell.drafts], shell.drafts, **QUICK)
    check_step.wire(data_step.note, data_step.following, data_step.files)
    data_step.wire(check_step)
    model_step.wire(train_step.outputs(), train_step.summarise)
    train_step.wire(tabs)
