"""The form's spec as YAML, command and Python; and pasted YAML that fills the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.text_format import in_sentence
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.ui import messages
from autotrain_gradio.ui.page_context import QUEUED
from autotrain_gradio.ui.task_session import TabState, TaskSession


@dataclass
class SpecViews:
    """Three read-only views that follow the form, and a field for YAML."""

    yaml: gr.Code
    command: gr.Code
    python: gr.Code
    pasted: gr.Textbox
    fill: gr.Button
    problem: gr.HTML

    @classmethod
    def build(cls, prefix: str) -> SpecViews:
        """Create the components in a closed accordion."""
        with (
            gr.Accordion("As YAML, command or Python", open=False, elem_id=f"{prefix}-views"),
            gr.Tabs(overflow_behavior="wrap"),
        ):
            with gr.Tab("YAML", elem_id=f"{prefix}-view-yaml"):
                yaml = gr.Code(
                    language="yaml",
                    interactive=False,
                    label="run.yaml, for autotrain-gradio train run.yaml",
                    elem_id=f"{prefix}-yaml",
                )
            with gr.Tab("Command", elem_id=f"{prefix}-view-command"):
                command = gr.Code(language="shell", interactive=False, show_label=False, elem_id=f"{prefix}-command")
            with gr.Tab("Python", elem_id=f"{prefix}-view-python"):
                python = gr.Code(language="python", interactive=False, show_label=False, elem_id=f"{prefix}-python")
            with gr.Tab("Paste YAML", elem_id=f"{prefix}-view-paste"):
                pasted = gr.Textbox(
                    label="YAML",
                    info="A config of this app, or one of AutoTrain Advanced. It fills the form.",
                    lines=8,
                    max_lines=20,
                    interactive=True,
                    elem_id=f"{prefix}-paste",
                )
                problem = gr.HTML(elem_id=f"{prefix}-paste-problem", elem_classes="at-live")
                fill = gr.Button("Fill the form", size="sm", elem_id=f"{prefix}-paste-fill")
        return cls(yaml, command, python, pasted, fill, problem)

    def outputs(self) -> list[Any]:
        """Return the components that `update` sets."""
        return [self.yaml, self.command, self.python]

    def update(self, review: Mapping[str, Any]) -> dict[Any, Any]:
        """Return the views' updates. review: see `Service.review`."""
        return {self.yaml: review["yaml"], self.command: review["command"], self.python: review["python"]}

    def wire(self, session: TaskSession) -> None:
        """Attach the event that fills the form from pasted YAML."""
        context = session.context

        def fill(text: str, draft: Any, data: Any, visitor: Any) -> Any:
            try:
                spec = _parse(session, text or "")
                return _tab_state(session, spec, draft, data or {}, context.owner(visitor)), ""
            except UserError as error:
                return gr.skip(), messages.error(error)

        inputs = [self.pasted, session.draft, session.form.data, context.visitor]
        self.fill.click(fill, inputs, [session.tab_state, self.problem], **QUEUED)


def _parse(session: TaskSession, text: str) -> dict[str, Any]:
    """Parse YAML into a spec of the session's task."""
    service = session.context.service
    spec, _ = service.parse_yaml(text)
    if spec["task"] != session.task.name:
        title = service.tasks.get(spec["task"]).title
        raise UserError(
            f"This YAML is for {in_sentence(title)}.", f"Paste it in the tab '{title}'.", "task", "other-task"
        )
    return spec


def _tab_state(
    session: TaskSession, spec: Mapping[str, Any], draft: Any, current_data: Mapping[str, Any], owner: str
) -> TabState:
    """Return the tab state for a pasted spec; the current data is kept if the spec names it, or names none."""
    service = session.context.service
    data = dict(spec.get("data") or {})
    if current_data.get("source") and is_current(session.task, data, current_data):
        data = {**data, "source": current_data["source"], "path": current_data.get("path", "")}
        state = service.draft_state(draft, owner) if service.is_draft(draft, owner) else None
        filled = {**spec, "data": data}
        if state is not None and (state["spec"].get("data") or {}) == data:
            return TabState(draft, filled, 3, state["check"])
        return TabState(draft, filled, 2)
    if not data.get("source"):
        return TabState(draft, {**spec, "data": data}, 1)
    return TabState(service.draft(session.task.name, owner), {**spec, "data": data}, 2)


def is_current(task: Task, data: Mapping[str, Any], current: Mapping[str, Any]) -> bool:
    """Whether pasted data is the data of the form: it names none, or the same source and path.

    Uploaded files are compared by their name alone: YAML was written with the path that they have elsewhere.
    """
    path, source = data.get("path") or "", data.get("source") or ""
    if not path and not source:
        return True
    sources = {s.name: s for s in task.sources}
    if current["source"] in sources and sources[current["source"]].in_draft:
        of_this_computer = source in sources and sources[source].local_only
        same_name = PurePath(path).name == PurePath(str(current.get("path"))).name
        return same_name and (source in ("", current["source"]) or of_this_computer)
    return source in ("", current["source"]) and path == current.get("path")
