"""The same run as YAML, as a command and as Python; and the way back, from pasted YAML to the form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.service import Service
from autotrain_gradio.ui import messages
from autotrain_gradio.ui.shell import TELLING

if TYPE_CHECKING:
    from autotrain_gradio.ui.task_tab import Walk


@dataclass
class SpecViews:
    """Three views that follow the form, and a field to paste YAML into."""

    yaml: Any
    command: Any
    python: Any
    pasted: Any
    fill: Any
    problem: Any

    @classmethod
    def build(cls, prefix: str) -> SpecViews:
        """Create the widgets, closed."""
        with (
            gr.Accordion("As YAML, command or Python", open=False, elem_id=f"{prefix}-views"),
            gr.Tabs(overflow_behavior="wrap"),
        ):
            with gr.Tab("YAML", elem_id=f"{prefix}-view-yaml"):
                yaml = gr.Code(language="yaml", interactive=False, show_label=False, elem_id=f"{prefix}-yaml")
                gr.HTML("<p class='at-quiet'>Train it with <code>autotrain-gradio train run.yaml</code>.</p>")
            with gr.Tab("Command", elem_id=f"{prefix}-view-command"):
                command = gr.Code(language="shell", interactive=False, show_label=False, elem_id=f"{prefix}-command")
            with gr.Tab("Python", elem_id=f"{prefix}-view-python"):
                python = gr.Code(language="python", interactive=False, show_label=False, elem_id=f"{prefix}-python")
            with gr.Tab("Paste YAML", elem_id=f"{prefix}-view-paste"):
                pasted = gr.Textbox(
                    label="YAML",
                    info="Ours, or AutoTrain Advanced's as it is. The form is filled with it.",
                    lines=8,
                    max_lines=20,
                    interactive=True,
                    elem_id=f"{prefix}-paste",
                )
                problem = gr.HTML(elem_id=f"{prefix}-paste-problem", elem_classes="at-live")
                fill = gr.Button("Fill the form", size="sm", elem_id=f"{prefix}-paste-fill")
        return cls(yaml, command, python, pasted, fill, problem)

    def outputs(self) -> list[Any]:
        """Return the views."""
        return [self.yaml, self.command, self.python]

    def of(self, service: Service, spec: dict[str, Any]) -> dict[Any, Any]:
        """Return the views' updates for a spec.

        Raises:
            UserError: the spec is wrong.
        """
        return {
            self.yaml: service.yaml(spec),
            self.command: service.command(spec),
            self.python: service.python(spec),
        }

    def wire(self, walk: Walk) -> None:
        """Fill the form from what was pasted."""
        from autotrain_gradio.ui.task_tab import seed

        service = walk.shell.service

        def fill(text: str, draft: Any, data: Any, visitor: Any) -> Any:
            try:
                spec, _ = walk.shell.service.parse_yaml(text or "")
                if spec["task"] != walk.task.name:
                    title = walk.shell.service.tasks.get(spec["task"]).title
                    raise UserError(
                        f"This YAML is for {title.lower()}.", f"Paste it in the tab '{title}'.", "task", "other-task"
                    )
                return seed_from(spec, draft, data or {}, walk.shell.owner(visitor)), ""
            except UserError as error:
                return gr.skip(), messages.error(error)

        def seed_from(spec: dict[str, Any], draft: Any, old: dict[str, Any], owner: str) -> Any:
            named = dict(spec.get("data") or {})
            path = named.get("path") or ""
            if old.get("source") and PurePath(path).name in ("", PurePath(str(old.get("path"))).name):
                # The data that is here already: the YAML names it, or names none.
                named = {**named, "source": old["source"], "path": old.get("path", "")}
                state = service.draft_state(draft, owner) if service.is_draft(draft, owner) else None
                same = state is not None and (state["spec"].get("data") or {}) == named
                return seed(
                    draft, {**spec, "data": named}, 3 if same else 2, state["check"] if same and state else None
                )
            if not named.get("source"):
                return seed(draft, {**spec, "data": named}, 1)
            new = service.draft(walk.task.name, owner)
            return seed(new, {**spec, "data": named}, 2)

        inputs = [self.pasted, walk.draft, walk.form.data, walk.shell.visitor]
        self.fill.click(fill, inputs, [walk.seed, self.problem], **TELLING)
