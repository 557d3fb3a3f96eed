"""The command line of `python app.py`: parse the options and serve the page."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Mapping, Sequence

from autotrain_gradio.core import home
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.loopback import is_loopback
from autotrain_gradio.core.settings import AUTH_VARIABLE, Settings
from autotrain_gradio.core.termination import INTERRUPTED_STATUS, exit_on_sigterm
from autotrain_gradio.service import Service

AUTH_HELP = f"require this user and password; {AUTH_VARIABLE} keeps them out of the list of processes"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the page until it is stopped; return the exit status."""
    parser = argparse.ArgumentParser(prog="app.py", description="Serve the page of autotrain_gradio.")
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1; on a Space: 0.0.0.0)")
    parser.add_argument("--port", type=int, help="port to listen on (default: 7860)")
    parser.add_argument("--share", action="store_true", help="create a public share link, protected by a password")
    parser.add_argument("--auth", metavar="USER:PASSWORD", help=AUTH_HELP)
    given = parser.parse_args(argv)
    try:
        with exit_on_sigterm():
            return serve(host=given.host, port=given.port, share=given.share, auth=given.auth)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED_STATUS


def serve(host: str | None = None, port: int | None = None, *, share: bool = False, auth: str | None = None) -> int:
    """Serve the page until it is stopped. Without `auth`, a share link gets a random password, which is printed.

    auth: `user:password`; None: what the environment variable `AUTOTRAIN_GRADIO_AUTH` says.

    Raises:
        UserError: the port is in use, or `auth` is not of that form.
    """
    login = _login(auth, os.environ)
    if share and login is None:
        login = ("guest", secrets.token_urlsafe(9))
        sys.stdout.write(f"The share link requires the user '{login[0]}' and the password '{login[1]}'.\n")
        sys.stdout.flush()
    host = host or os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if os.environ.get("SPACE_ID") else "127.0.0.1")
    # Shared mode if others can reach the page: visitors are not the owner of this machine.
    port = _port(port)
    # Not at the top: Gradio fails while it is imported if GRADIO_SERVER_PORT is not a number.
    from autotrain_gradio.ui.page import launch

    settings = Settings.from_env(shared=True if share or not is_loopback(host) else None)
    home.require_writable(settings.home)
    service = Service(settings, interactive=True)
    try:
        launch(service, host=host, port=port, share=share, auth=login)
    finally:
        service.close()
    return 0


def _port(given: int | None) -> int:
    """Return the port of the option, of GRADIO_SERVER_PORT, or the default.

    Raises:
        UserError: it is not a port.
    """
    text = str(given) if given is not None else os.environ.get("GRADIO_SERVER_PORT", "").strip() or "7860"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        where = "--port" if given is not None else "GRADIO_SERVER_PORT"
        raise UserError(f"'{text}' is not a port.", "Ports are numbers from 1 to 65535.", where, "bad-port")
    return int(text)


def _login(auth: str | None, env: Mapping[str, str]) -> tuple[str, str] | None:
    where, given = ("--auth", auth) if auth is not None else (AUTH_VARIABLE, env.get(AUTH_VARIABLE))
    if not given:
        return None
    user, colon, password = given.partition(":")
    if not (user and colon and password):
        raise UserError(f"{where} needs a user and a password.", "Write them as user:password.", where, "bad-auth")
    return user, password
