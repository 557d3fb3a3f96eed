"""Publishing on the Hugging Face Hub: asked for before the training, or done with a model that is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from autotrain_gradio.ui import messages
from autotrain_gradio.ui.shell import PRIVATE, TELLING, Done, Shell, follow

if TYPE_CHECKING:
    from autotrain_gradio.ui.task_tab import Walk

TITLE = "Publish on the Hugging Face Hub"
TOKEN_HELP = "With write access, from your Hub settings. It is kept in memory and never stored."


def _token(elem_id: str, *, here: bool) -> Any:
    """Create the field of a token. here: the machine's own login (HF_TOKEN, hf auth login) is used without one."""
    own = " Empty: this machine's own login." if here else ""
    return gr.Textbox(
        label="Access token", info=TOKEN_HELP + own, type="password", max_lines=1, interactive=True, elem_id=elem_id
    )


@dataclass
class PublishLater:
    """Whether the model of the run that is about to start shall be uploaded."""

    wanted: Any
    username: Any
    token: Any

    @classmethod
    def build(cls, walk: Walk) -> PublishLater:
        """Create the widgets, showing the seed's spec."""
        hub, prefix = walk.start["spec"].get("hub") or {}, walk.prefix
        with gr.Accordion(
            "Publish on the Hugging Face Hub", open=bool(hub.get("push_to_hub")), elem_id=f"{prefix}-hub"
        ):
            wanted = gr.Checkbox(
                bool(hub.get("push_to_hub")),
                label="Upload the model when it is trained",
                info="To a private repository. The token is checked before the training begins.",
                interactive=True,
                elem_id=f"{prefix}-push-to-hub",
            )
            with gr.Row(elem_classes="at-fields"):
                username = gr.Textbox(
                    hub.get("username") or "",
                    label="User or organisation",
                    info="Who will own it. Empty: the owner of the token.",
                    max_lines=1,
                    interactive=True,
                    elem_id=f"{prefix}-hub-username",
                )
                token = _token(f"{prefix}-hub-token", here=not walk.shell.service.settings.shared)
        return cls(wanted, username, token)

    def wire(self, walk: Walk) -> None:
        """Keep the spec's section `hub` as the widgets say."""
        rest = walk.form.rest

        def say(kept: Any, wanted: Any, username: Any) -> dict[str, Any]:
            hub = {"push_to_hub": bool(wanted), "username": (username or "").strip() or None}
            return {**(kept or {}), "hub": {k: v for k, v in hub.items() if v}}

        asked = [rest, self.wanted, self.username]
        gr.on([self.wanted.change, self.username.change], say, asked, rest, trigger_mode="always_last", **TELLING)


@dataclass
class PublishNow:
    """Uploads the model of a run that has one."""

    shell: Shell
    box: Any
    token: Any
    button: Any
    said: Any

    @classmethod
    def build(cls, shell: Shell) -> PublishNow:
        """Create the widgets, hidden."""
        with gr.Accordion(
            "Publish on the Hugging Face Hub", open=False, visible=False, elem_id="run-publish-box"
        ) as box:
            gr.HTML(
                "<p class='at-quiet'>The model and its card are uploaded to a private repository named after the "
                "project. An upload that failed can be tried again.</p>"
            )
            token = _token("run-publish-token", here=not shell.service.settings.shared)
            button = gr.Button("Publish", size="sm", elem_id="run-publish", elem_classes="at-small-button")
            said = gr.HTML(elem_id="run-published", elem_classes="at-live")
        return cls(shell, box, token, button, said)

    def outputs(self) -> list[Any]:
        """Return all that `show` may change."""
        return [self.box, self.said]

    def show(self, visible: bool, *, emptied: bool) -> dict[Any, Any]:
        """Return the updates for a run. emptied: another one was opened."""
        updates: dict[Any, Any] = {self.box: gr.Accordion(visible=visible)}
        return {**updates, self.said: ""} if emptied else updates

    def wire(self) -> None:
        """Upload on a click."""
        self.button.click(
            self.publish,
            [self.shell.run, self.shell.visitor, self.token],
            [self.said, self.token],
            show_progress="hidden",
            concurrency_limit=2,
            concurrency_id="publish",
            **PRIVATE,
        )

    def publish(self, run: Any, visitor: Any, token: Any) -> Iterator[dict[Any, Any]]:
        """Upload the model; say where it is, or why it is not there."""
        yield {self.said: messages.busy("Uploading the model")}
        service, owner = self.shell.service, self.shell.owner(visitor)
        for item in follow(lambda _: service.publish(run, owner, token=(token or "").strip() or None)):
            if isinstance(item, Done) and item.error:
                yield {self.said: messages.error(item.error)}
            elif isinstance(item, Done):
                address = escape(str(item.value), quote=True)
                link = f"<a href='{address}' target='_blank' rel='noopener'>{address}</a>"
                yield {self.said: f"<p class='at-published'>Published: {link}</p>", self.token: ""}
