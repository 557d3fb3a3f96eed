"""HTTP routes in addition to Gradio's: images and audio of a run, and downloads by ticket.

Both require the app's login, if it has one.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from fastapi import Depends, FastAPI
from fastapi.responses import FileResponse, PlainTextResponse, Response
from fastapi.routing import APIRoute

from autotrain_gradio.core.errors import NotFound, UserError

PREFIX = "autotrain/files"
DOWNLOADS = "autotrain/download"
TICKET_SECONDS = 600.0


class HasFiles(Protocol):
    """The part of the service that the routes need."""

    def file(self, run: str, relative: str) -> Path:
        """Return a file that the page shows."""


def link(run: str, version: str = "") -> Callable[[str], str]:
    """Return a function from a run's relative path to its URL, relative to the page.

    version: changes with the content of the files, so that a browser does not show cached ones.
    """
    query = f"?v={quote(version)}" if version else ""
    return lambda relative: f"{PREFIX}/{quote(run)}/{quote(relative)}{query}"


class Tickets:
    """Random names for downloads, each valid for a few minutes: a URL never contains an owner's id."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._files: dict[str, tuple[Path, float]] = {}
        self._lock = threading.Lock()

    def issue(self, path: Path) -> str:
        """Return the URL of a file, relative to the page."""
        ticket = secrets.token_urlsafe(24)
        now = self._clock()
        with self._lock:
            self._files = {k: v for k, v in self._files.items() if v[1] > now}
            self._files[ticket] = (path, now + TICKET_SECONDS)
        return f"{DOWNLOADS}/{ticket}"

    def redeem(self, ticket: str) -> Path:
        """Return the file of a ticket.

        Raises:
            NotFound: there is no such ticket, or it has expired.
        """
        with self._lock:
            path, until = self._files.get(ticket, (None, 0.0))
        if path is None or until <= self._clock() or not path.is_file():
            raise NotFound(
                "This download link has expired.", "Press Download again on the page of the run.", code="no-ticket"
            )
        return path


def add_routes(app: FastAPI, service: HasFiles, tickets: Tickets) -> None:
    """Add the routes to a Gradio app, before it answers requests.

    Raises:
        RuntimeError: the app's login check was not found.
    """
    login = [Depends(_login_check(app))]

    def file(run: str, path: str) -> Response:
        try:
            found = service.file(run, path)
        except UserError as error:
            return PlainTextResponse(error.message, status_code=404)
        headers = {"Cache-Control": "private, max-age=60", "X-Content-Type-Options": "nosniff"}
        return FileResponse(found, headers=headers)

    def download(ticket: str) -> Response:
        try:
            found = tickets.redeem(ticket)
        except UserError as error:
            return PlainTextResponse(str(error), status_code=404)
        return FileResponse(found, filename=found.name)

    # Before Gradio's own routes, which end in one that matches everything.
    app.router.routes[:0] = [
        APIRoute(f"/{PREFIX}/{{run}}/{{path:path}}", file, methods=["GET", "HEAD"], dependencies=login),
        APIRoute(f"/{DOWNLOADS}/{{ticket}}", download, methods=["GET"], dependencies=login),
    ]


def _login_check(app: FastAPI) -> Callable[..., Any]:
    """Return the dependency that protects Gradio's own configuration."""
    for route in app.router.routes:
        if isinstance(route, APIRoute) and route.path == "/config" and route.dependencies:
            found = route.dependencies[0].dependency
            if found is not None:
                return found
    raise RuntimeError("this version of Gradio does not protect /config, so files could not be protected either")
