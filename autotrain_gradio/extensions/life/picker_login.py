"""The server fields of the LiFE picker: URL, credentials, and the projects of the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from autotrain_gradio.extensions.life.picker_selection import create_dropdown, project_title
from autotrain_gradio.ui.page_context import UNQUEUED

PERSON, TOKEN = "User name and password", "Token"
HELP = (
    "<p class='at-quiet'>Experimental. The app signs in with your account, opens each of your projects, and then"
    " restores your active project: do not use LiFE at the same time. Your credentials are held in memory and never"
    " stored on disk. A token works only with a LiFE server that has a token API; an unmodified LiFE has none.</p>"
)


class LoginFields:
    """The components; their values are sent with each event and not stored."""

    def __init__(self, prefix: str) -> None:
        gr.HTML(HELP)
        with gr.Row(elem_classes="at-fields"):
            self.address = _textbox("Server URL", f"{prefix}-address", placeholder="https://life.example.org")
            self.way = gr.Radio(
                [PERSON, TOKEN], value=PERSON, label="Sign in with", interactive=True, elem_id=f"{prefix}-way"
            )
            self.username = _textbox("User name", f"{prefix}-username")
            self.password = _textbox("Password", f"{prefix}-password", type="password")
            self.token = _textbox("Token", f"{prefix}-token", type="password", visible=False)
        self.list = gr.Button("List my projects", elem_id=f"{prefix}-list")
        with gr.Column(visible=False) as self.listed:
            self.remote = create_dropdown("Projects on the server", f"{prefix}-remote", multiselect=True)
            self.read = gr.Button("Import their transcripts", variant="primary", elem_id=f"{prefix}-read")

    def fields(self) -> list[Any]:
        """Return the inputs of an event that may connect to the server: the URL, then the arguments of `secrets`."""
        return [self.address, self.way, self.username, self.password, self.token]

    def wire(self) -> None:
        """Show the fields of the selected login method."""
        self.way.change(
            lambda way: [gr.Textbox(visible=way == PERSON)] * 2 + [gr.Textbox(visible=way == TOKEN)],
            self.way,
            [self.username, self.password, self.token],
            **UNQUEUED,
        )

    def show(self, projects: Sequence[Mapping[str, Any]]) -> dict[Any, Any]:
        """Return the updates that list the server's projects; a single one is selected."""
        names = [(project_title(p), p["id"]) for p in projects]
        only = [names[0][1]] if len(names) == 1 else []
        return {
            self.listed: gr.Column(visible=True),
            self.remote: gr.Dropdown(choices=names, value=only, multiselect=True),
        }


def _textbox(label: str, elem_id: str, **settings: Any) -> gr.Textbox:
    return gr.Textbox(label=label, max_lines=1, interactive=True, elem_id=elem_id, **settings)


def secrets(way: str, username: str, password: str, token: str) -> dict[str, str]:
    """Return the credentials for the source: a token, or a user name and a password."""
    if way == TOKEN:
        return {"token": (token or "").strip()}
    return {"username": (username or "").strip(), "password": password or ""}
