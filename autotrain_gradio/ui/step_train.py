"""Step 4: a summary of the run, and the button that starts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.ui import messages
from autotrain_gradio.ui.page_context import PRIVATE
from autotrain_gradio.ui.publish import PublishAfterTraining
from autotrain_gradio.ui.task_form import Values
from autotrain_gradio.ui.task_session import TaskSession


@dataclass
class TrainStep:
    """The summary, the option to publish, and the Start button."""

    session: TaskSession
    summary: gr.HTML
    problem: gr.HTML
    publish: PublishAfterTraining
    start: gr.Button

    @classmethod
    def build(cls, session: TaskSession) -> TrainStep:
        """Create the step's components."""
        prefix = session.prefix
        summary = gr.HTML(elem_id=f"{prefix}-ready")
        publish = PublishAfterTraining.build(session)
        problem = gr.HTML(elem_id=f"{prefix}-start-problem", elem_classes="at-live")
        with gr.Row(elem_classes="at-next"):
            start = gr.Button("Start training", variant="primary", size="lg", elem_id=f"{prefix}-start")
        return cls(session, summary, problem, publish, start)

    def outputs(self) -> list[Any]:
        """Return the components that `update` sets."""
        return [self.summary, self.problem, self.start]

    def update(
        self, spec: Mapping[str, Any], estimate: str, problem: str, *, blocked: bool | None = None
    ) -> dict[Any, Any]:
        """Return the updates for the form's spec.

        estimate, problem: HTML, empty if there is none. blocked: the training cannot be started; by default if there is
        a problem.
        """
        blocked = bool(problem) if blocked is None else blocked
        task = self.session.task
        model = "tiny, from scratch (dry run)" if spec["model"] == TINY else spec["model"] or "none yet"
        facts = {
            "Task": task.title,
            "Data": spec["data"].get("path") or "none yet",
            **({"Model": model} if task.has_models else {}),
            "Project": spec["project_name"],
        }
        items = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(str(v))}</dd></div>" for k, v in facts.items())
        saved = f"{task.kept} {'is' if task.kept.endswith('model') else 'are'} saved"
        html = (
            f"<div class='at-ready'><h2>{'Not ready to train' if problem else 'Ready to train'}</h2>"
            f"<dl class='at-numbers'>{items}</dl>{estimate}"
            "<p class='at-quiet'>Training continues when you close this page. You can stop it at any time; "
            f"{saved}.</p></div>"
        )
        return {self.summary: html, self.problem: problem, self.start: gr.Button(interactive=not blocked)}

    def wire(self) -> None:
        """Attach the event that starts the run and opens it."""
        session, context, steps = self.session, self.session.context, self.session.steps

        def start(values: Values) -> dict[Any, Any]:
            draft = values[session.draft]
            if not draft:
                return {
                    self.problem: messages.note("No data has been selected. Start with step 1, Data.", level="error")
                }
            try:
                token = (values[self.publish.token] or "").strip() or values[session.token] or None
                owner = context.owner(values[context.visitor])
                run = context.service.start(draft, session.form.spec(values), owner, token=token)
            except UserError as error:
                return {self.problem: messages.error(error)}
            return {
                self.problem: "",
                # The run has the token now, in memory; the fields are emptied.
                **({session.token: ""} if session.token else {}),
                self.publish.token: "",
                context.requested_run: context.request_run(run),
                # The draft has become the run; the form keeps its values for the next data.
                session.draft: None,
                session.form.data: {},
                **session.go_to(steps.data),
                **{step: gr.Step(interactive=False) for step in (steps.check, steps.model, steps.train)},
            }

        self.publish.wire(session)
        self.start.click(
            start,
            {session.draft, context.visitor, session.token, self.publish.token, *session.form.inputs()},
            [
                *(self.problem, context.requested_run, session.draft, session.form.data, *steps.outputs()),
                *(session.token, self.publish.token),
            ],
            show_progress="minimal",
            show_progress_on=self.problem,
            concurrency_limit=None,
            **PRIVATE,
        )
