"""Publishing on the Hugging Face Hub: requested before training, or for the model of a completed run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from autotrain_gradio.ui import messages
from autotrain_gradio.ui.background_task import Finished, run_in_background
from autotrain_gradio.ui.page_context import NO_PROGRESS, PRIVATE, QUEUED, PageContext
from autotrain_gradio.ui.task_session import TaskSession

TITLE = "Publish on the Hugging Face Hub"
TOKEN_HELP = "With write access, from your Hub settings. It is only held in memory, never stored on disk."


def _token_field(elem_id: str, *, local_login: bool) -> gr.Textbox:
    """Create the field of a token. local_login: without one, HF_TOKEN or `hf auth login` of this machine is used."""
    default = " If empty, the login of this machine is used (HF_TOKEN or hf auth login)." if local_login else ""
    return gr.Textbox(
        label="Access token", info=TOKEN_HELP + default, type="password", max_lines=1, interactive=True, elem_id=elem_id
    )


@dataclass
class PublishAfterTraining:
    """Whether to upload the model when its training is completed."""

    wanted: gr.Checkbox
    username: gr.Textbox
    token: gr.Textbox

    @classmethod
    def build(cls, session: TaskSession) -> PublishAfterTraining:
        """Create the components, showing the initial spec."""
        hub, prefix = session.initial.spec.get("hub") or {}, session.prefix
        with gr.Accordion(TITLE, open=bool(hub.get("push_to_hub")), elem_id=f"{prefix}-hub"):
            wanted = gr.Checkbox(
                bool(hub.get("push_to_hub")),
                label="Upload the model after training",
                info="To a private repository. The token is verified before training starts.",
                interactive=True,
                elem_id=f"{prefix}-push-to-hub",
            )
            with gr.Row(elem_classes="at-fields"):
                username = gr.Textbox(
                    hub.get("username") or "",
                    label="User or organization",
                    info="Owner of the repository. If empty, the owner of the token.",
                    max_lines=1,
                    interactive=True,
                    elem_id=f"{prefix}-hub-username",
                )
                token = _token_field(f"{prefix}-hub-token", local_login=not session.context.service.settings.shared)
        return cls(wanted, username, token)

    def wire(self, session: TaskSession) -> None:
        """Update the spec's section `hub` when a component changes."""
        other_sections = session.form.other_sections

        def update(sections: Any, wanted: Any, username: Any) -> dict[str, Any]:
            hub = {"push_to_hub": bool(wanted), "username": (username or "").strip() or None}
            return {**(sections or {}), "hub": {k: v for k, v in hub.items() if v}}

        inputs = [other_sections, self.wanted, self.username]
        gr.on(
            [self.wanted.change, self.username.change],
            update,
            inputs,
            other_sections,
            trigger_mode="always_last",
            **QUEUED,
        )


@dataclass
class PublishModel:
    """Uploads the model of a run."""

    context: PageContext
    box: gr.Accordion
    token: gr.Textbox
    button: gr.Button
    result: gr.HTML

    @classmethod
    def build(cls, context: PageContext) -> PublishModel:
        """Create the components, hidden."""
        with gr.Accordion(TITLE, open=False, visible=False, elem_id="run-publish-box") as box:
            gr.HTML(
                "<p class='at-quiet'>Uploads the model and its model card to a private repository named after the "
                "project. A failed upload can be repeated.</p>"
            )
            token = _token_field("run-publish-token", local_login=not context.service.settings.shared)
            button = gr.Button("Publish", size="sm", elem_id="run-publish", elem_classes="at-small-button")
            result = gr.HTML(elem_id="run-published", elem_classes="at-live")
        return cls(context, box, token, button, result)

    def outputs(self) -> list[Any]:
        """Return the components that `update` sets."""
        return [self.box, self.result]

    def update(self, visible: bool, *, reset: bool) -> dict[Any, Any]:
        """Return the updates for a run. reset: another run was opened."""
        updates: dict[Any, Any] = {self.box: gr.Accordion(visible=visible)}
        return {**updates, self.result: ""} if reset else updates

    def wire(self) -> None:
        """Attach the upload to the button."""
        self.button.click(
            self.publish,
            [self.context.run, self.context.visitor, self.token],
            [self.result, self.token],
            concurrency_limit=2,
            concurrency_id="publish",
            **PRIVATE,
            **NO_PROGRESS,
        )

    def publish(self, run: Any, visitor: Any, token: Any) -> Iterator[dict[Any, Any]]:
        """Upload the model; show its address, or the error."""
        yield {self.result: messages.busy("Uploading the model"), self.token: ""}
        service, owner = self.context.service, self.context.owner(visitor)
        for item in run_in_background(lambda _: service.publish(run, owner, token=(token or "").strip() or None)):
            if isinstance(item, Finished) and item.error:
                yield {self.result: messages.error(item.error)}
            elif isinstance(item, Finished):
                address = escape(str(item.value), quote=True)
                link = f"<a href='{address}' target='_blank' rel='noopener'>{address}</a>"
                yield {self.result: f"<p class='at-published'>Published: {link}</p>"}
