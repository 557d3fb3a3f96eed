"""Step 4: what is about to happen, and the button that makes it so."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.ui import messages
from autotrain_gradio.ui.publish import PublishLater
from autotrain_gradio.ui.shell import PRIVATE, RUNS
from autotrain_gradio.ui.step_model import work

if TYPE_CHECKING:
    from autotrain_gradio.ui.task_tab import Walk


@dataclass
class TrainStep:
    """A summary and the Start button."""

    walk: Walk
    summary: Any
    problem: Any
    publish: PublishLater
    start: Any

    @classmethod
    def build(cls, walk: Walk) -> TrainStep:
        """Create the step's widgets."""
        prefix = walk.prefix
        summary = gr.HTML(elem_id=f"{prefix}-ready")
        publish = PublishLater.build(walk)
        problem = gr.HTML(elem_id=f"{prefix}-start-problem", elem_classes="at-live")
        with gr.Row(elem_classes="at-next"):
            start = gr.Button("Start training", variant="primary", size="lg", elem_id=f"{prefix}-start")
        return cls(walk, summary, problem, publish, start)

    def outputs(self) -> list[Any]:
        """Return what follows the form."""
        return [self.summary, self.problem, self.start]

    def summarise(self, spec: dict[str, Any], estimate: dict[str, Any], problem: str) -> dict[Any, Any]:
        """Return the updates of `outputs` for a spec."""
        data = spec["data"]
        model = "tiny, from scratch (dry run)" if spec["model"] == TINY else spec["model"]
        facts = {
            "Task": self.walk.task.title,
            "Data": data.get("path") or "none yet",
            "Model": model or "none yet",
            "Project": spec["project_name"],
        }
        rows = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(str(v))}</dd></div>" for k, v in facts.items())
        promise = (
            "<p class='at-quiet'>It goes on when you close this page, and it can be stopped at any time: "
            "what was learnt until then is kept.</p>"
        )
        told = f"<dl class='at-numbers'>{rows}</dl>{work(estimate)}{promise}"
        html = f"<div class='at-ready'><h2>Ready to train</h2>{told}</div>"
        return {self.summary: html, self.problem: problem, self.start: gr.Button(interactive=not problem)}

    def wire(self, tabs: Any) -> None:
        """Start the run, and open it.

        tabs: those of the page, to be turned to the run.
        """
        walk, shell = self.walk, self.walk.shell

        def start(draft: Any, visitor: Any, own_token: Any, hub_token: Any, *values: Any) -> dict[Any, Any]:
            if not draft:
                return {self.problem: messages.note("There is no data yet: begin with the first step.", level="error")}
            try:
                token = (hub_token or "").strip() or own_token or None
                run = shell.service.start(draft, walk.form.spec(values), shell.owner(visitor), token=token)
            except UserError as error:
                return {self.problem: messages.error(error)}
            # The form stays as it is, for the next data; the draft has become the run.
            locked = {walk.step[n]: gr.Step(interactive=False) for n in (2, 3, 4)}
            fresh = {walk.draft: None, walk.form.data: {}, walk.steps: gr.Walkthrough(selected=1), **locked}
            return {self.problem: "", shell.turn: shell.to(run), tabs: gr.Tabs(selected=RUNS), **fresh}

        self.publish.wire(walk)
        self.start.click(
            start,
            [walk.draft, shell.visitor, walk.token, self.publish.token, *walk.form.inputs()],
            [self.problem, shell.turn, tabs, walk.draft, walk.form.data, walk.steps, *walk.step.values()],
            show_progress="minimal",
            concurrency_limit=None,
            **PRIVATE,
        )
