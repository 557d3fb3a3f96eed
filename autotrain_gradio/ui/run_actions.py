"""Actions of the owner of a run: stop, resume, download, reuse its settings, delete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.ui import messages, theme
from autotrain_gradio.ui.page_context import PRIVATE, UNQUEUED, PageContext

STOP = "Stop and save {kept}"
"""For tasks that are not trained in steps."""


@dataclass
class RunActions:
    """The buttons, the token that a queued run may need, and the confirmation of Delete."""

    context: PageContext
    stop: gr.Button
    resume: gr.Button
    download: gr.Button
    reuse: gr.Button
    delete: gr.Button
    token: gr.Textbox
    confirm_delete: gr.Row
    delete_confirmed: gr.Button
    delete_cancelled: gr.Button
    url: gr.Textbox

    @classmethod
    def build(cls, context: PageContext) -> RunActions:
        """Create the components, hidden."""
        with gr.Row(elem_classes="at-actions"):
            stop = gr.Button("Stop", visible=False, elem_id="run-stop")
            resume = gr.Button("Resume", variant="primary", visible=False, elem_id="run-resume")
            download = gr.Button("Download the model", variant="primary", visible=False, elem_id="run-download")
            reuse = gr.Button("Reuse these settings", visible=False, elem_id="run-again")
            delete = gr.Button("Delete", visible=False, elem_id="run-delete")
        token = gr.Textbox(
            label="Access token",
            info="The run needs it to start or to resume. It is only held in memory, never stored on disk.",
            type="password",
            visible=False,
            max_lines=1,
            interactive=True,
            elem_id="run-token",
        )
        with gr.Row(visible=False, elem_classes="at-ask", elem_id="run-ask-delete") as confirm_delete:
            gr.HTML("<p>Delete this run with its data, its checkpoints and its model? This cannot be undone.</p>")
            delete_confirmed = gr.Button("Delete run", variant="stop", elem_id="run-delete-now")
            delete_cancelled = gr.Button("Cancel", elem_id="run-delete-not")
        url = gr.Textbox(visible=False)
        return cls(
            context,
            stop,
            resume,
            download,
            reuse,
            delete,
            token,
            confirm_delete,
            delete_confirmed,
            delete_cancelled,
            url,
        )

    def outputs(self) -> list[Any]:
        """Return the components that `update` sets."""
        return [self.stop, self.resume, self.download, self.reuse, self.delete, self.token]

    def update(
        self, can: Mapping[str, Any], *, reusable: bool, kept: str, files: str, owned: bool, needs_token: bool
    ) -> dict[Any, Any]:
        """Return the updates for a run; a run of another owner cannot be changed or downloaded.

        can: the actions that the run's state allows.
        reusable: the run's settings can fill a form.
        kept: what is saved when it is stopped (`Task.kept`). files: what can be downloaded.
        needs_token: the next attempt of the run needs an access token that the app does not hold.
        """
        return {
            self.stop: gr.Button(STOP.format(kept=kept), visible=owned and bool(can.get("stop"))),
            self.resume: gr.Button(visible=owned and bool(can.get("resume"))),
            self.download: gr.Button(f"Download {files}", visible=owned and bool(can.get("download"))),
            self.reuse: gr.Button(visible=owned and reusable),
            self.delete: gr.Button(visible=owned and bool(can.get("delete"))),
            self.token: gr.Textbox(visible=owned and needs_token),
        }

    def wire(self, problem: gr.HTML) -> None:
        """Attach the events. problem: where errors are shown."""
        context, who = self.context, [self.context.run, self.context.visitor]
        kind: dict[str, Any] = {
            **PRIVATE,
            "show_progress": "minimal",
            "show_progress_on": problem,
            "concurrency_limit": None,
        }
        self.stop.click(self.stop_run, who, problem, **kind)
        self.resume.click(self.resume_run, [*who, self.token], [problem, self.token], **kind)
        self.download.click(self.pack_model, who, [self.url, problem], **kind).then(
            None, self.url, None, js=theme.script("download"), **PRIVATE
        )
        self.delete.click(lambda: gr.Row(visible=True), None, self.confirm_delete, **UNQUEUED)
        self.delete_cancelled.click(lambda: gr.Row(visible=False), None, self.confirm_delete, **UNQUEUED)
        self.delete_confirmed.click(self.delete_run, who, [context.requested_run, problem], **kind)

    def stop_run(self, run: Any, visitor: Any) -> str:
        """Request a stop; the run's state then shows it."""
        try:
            self.context.service.stop(run, self.context.owner(visitor))
        except UserError as error:
            return messages.error(error)
        return ""

    def resume_run(self, run: Any, visitor: Any, token: Any) -> tuple[str, Any]:
        """Queue a new attempt."""
        try:
            self.context.service.resume(run, self.context.owner(visitor), token=token or None)
        except UserError as error:
            return messages.error(error), gr.Textbox(value="")
        return "", gr.Textbox(value="")

    def pack_model(self, run: Any, visitor: Any) -> tuple[str, str]:
        """Pack the model; return the URL that the browser then downloads."""
        try:
            path = self.context.service.archive(run, self.context.owner(visitor))
        except UserError as error:
            return "", messages.error(error)
        return self.context.tickets.issue(path), ""

    def delete_run(self, run: Any, visitor: Any) -> tuple[Any, str]:
        """Delete the run, and close it."""
        try:
            self.context.service.delete(run, self.context.owner(visitor))
        except UserError as error:
            return gr.skip(), messages.error(error)
        return self.context.request_run(None), ""
