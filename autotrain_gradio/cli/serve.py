"""The command `serve`: OpenAI's API for a finished run, for local use."""

from __future__ import annotations

import argparse
import os
import secrets
import socket

from autotrain_gradio.cli import commands
from autotrain_gradio.cli.console import echo
from autotrain_gradio.cli.run_names import find_run
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.loopback import is_loopback

KEY_VARIABLE = "AUTOTRAIN_GRADIO_API_KEY"
"""Environment variable with the key that clients must send. An argument would be in the list of processes."""
HOST, PORT = "127.0.0.1", 8000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `serve` besides the run."""
    host = f"address to listen on (default {HOST}); other computers need the key of {KEY_VARIABLE}, else one is made"
    parser.add_argument("--host", metavar="ADDRESS", default=HOST, help=host)
    parser.add_argument("--port", metavar="N", type=int, default=PORT, help=f"port to listen on (default {PORT})")


def run(args: argparse.Namespace) -> int:
    """Serve a run until the process is stopped.

    Raises:
        UserError: the run cannot be served, or the port is in use.
    """
    import uvicorn

    from autotrain_gradio.api.openai_server import create_app

    service = commands._service()
    try:
        name = find_run(service, args.run)
        loopback = is_loopback(args.host)
        key = os.environ.get(KEY_VARIABLE, "")
        made = not key and not loopback
        key = secrets.token_urlsafe(24) if made else key
        app = create_app(service, name, key=key, loopback=loopback)
        with _listen(args.host, args.port) as listener:
            shown = f"[{args.host}]" if ":" in args.host else args.host
            model = (service.snapshot(name) or {})["project_name"]
            echo(f"Serving the model '{model}' at http://{shown}:{listener.getsockname()[1]}/v1")
            if made:
                echo(f"API key: {key} (set {KEY_VARIABLE} to choose one)")
            server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5))
            server.run(sockets=[listener])
    finally:
        service.close()
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        UserError: the port is not one, is in use or needs more rights, or the address is not one of this computer.
    """
    if not 0 <= port < 65536:
        raise UserError(f"'{port}' is not a port.", "Ports are numbers from 1 to 65535.", "--port", "bad-port")
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        message = f"Cannot listen on {host}:{port}: {os.strerror(error.errno) if error.errno else error}."
        raise UserError(message, "Choose another --port or --host.", "--port", "port-in-use") from error
