"""One open task tab: its initial state, and the context that its four steps share."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from autotrain_gradio.tasks.base import Task
from autotrain_gradio.ui.page_context import PageContext
from autotrain_gradio.ui.task_form import TaskForm

_numbers = itertools.count(1)


@dataclass(frozen=True, eq=False)
class TabState:
    """The content a task tab is built from: an empty form, or one filled with a spec.

    step: the step that is open, from 1 to 4.
    check: `check.json` of the draft, if there is one.
    checking: a check of the draft is running, or is to be started.
    number: differs between any two states, so that setting an equal one still rebuilds the tab.
    """

    draft: str | None = None
    spec: Mapping[str, Any] = field(default_factory=dict)
    step: int = 1
    check: Mapping[str, Any] | None = None
    checking: bool = False
    number: int = field(default_factory=lambda: next(_numbers))

    def __hash__(self) -> int:
        return hash(self.number)

    @property
    def data(self) -> dict[str, Any]:
        """The spec's `data` section."""
        return dict(self.spec.get("data") or {})

    @classmethod
    def of_draft(cls, context: PageContext, draft: str, owner: str) -> TabState:
        """Return the state of a draft as it was left.

        Raises:
            UserError: there is no such draft, or it has another owner.
        """
        state = context.service.draft_state(draft, owner)
        has_data = bool((state["spec"].get("data") or {}).get("source"))
        return cls(draft, state["spec"], 2 if has_data else 1, state["check"], state["checking"])


@dataclass
class Steps:
    """The walkthrough of a task tab and its steps."""

    walkthrough: gr.Walkthrough
    data: gr.Step
    check: gr.Step
    model: gr.Step
    train: gr.Step

    @classmethod
    def build(cls, task: str, selected: int, *, models: bool = True) -> Steps:
        """Create the walkthrough; the steps up to the selected one can be opened. models: the task has a choice."""
        with gr.Walkthrough(selected=selected, elem_id=f"{task}-steps") as walkthrough:
            data, check, model, train = (
                gr.Step(title, id=number, interactive=number <= selected, elem_id=f"{task}-step-{number}")
                for number, title in enumerate(("Data", "Check", "Model" if models else "Settings", "Train"), 1)
            )
        return cls(walkthrough, data, check, model, train)

    def outputs(self) -> list[Any]:
        """Return the components that navigation updates."""
        return [self.walkthrough, self.data, self.check, self.model, self.train]


@dataclass
class TaskSession:
    """Passed to every step of a task tab while it is built.

    tab_state: set it to rebuild the tab with other content.
    draft: id of the draft that the tab edits, or None.
    token: access token of the Hugging Face Hub; held in memory only.
    """

    task: Task
    context: PageContext
    tab_state: gr.State
    initial: TabState
    draft: gr.State
    form: TaskForm
    steps: Steps
    token: gr.Textbox | None = None

    @property
    def prefix(self) -> str:
        """The prefix of the element ids in the tab."""
        return self.task.name

    def go_to(self, step: gr.Step) -> dict[Any, Any]:
        """Return the updates that enable a step and select it."""
        return {self.steps.walkthrough: gr.Walkthrough(selected=step.id), step: gr.Step(interactive=True)}
