"""Client of the token API of a LiFE server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from autotrain_gradio.data.rows import Progress
from autotrain_gradio.extensions.life.catalog import Project
from autotrain_gradio.extensions.life.client import Connection, LifeError, Login, reject_non_audio

API = "/api/v1"


class TokenClient:
    """Client of the token API: `Authorization: Bearer`, paginated documents, audio by id."""

    def __init__(self, connection: Connection, login: Login) -> None:
        self._connection = connection
        connection.client.headers["Authorization"] = f"Bearer {login.token}"

    def __enter__(self) -> TokenClient:
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    def projects(self) -> list[Project]:
        """List the projects."""
        answer = self._connection.request_json("GET", f"{API}/projects")
        items = answer.get("items", answer.get("projects")) if isinstance(answer, dict) else answer
        if not isinstance(items, list) or not all(isinstance(i, dict) and i.get("id") for i in items):
            raise LifeError("The server's list of projects has an unknown format.", code="life-no-data")
        return [
            Project(
                str(i["id"]),
                str(i.get("name") or i["id"]),
                str(i.get("type") or i.get("projectType") or "transcriptions"),
                tuple(str(x) for x in i.get("languages") or ()),
            )
            for i in items
        ]

    def documents(self, project: Project, scratch: Path, progress: Progress) -> list[Mapping[str, Any]]:
        """Download the documents, page by page."""
        found: list[Mapping[str, Any]] = []
        seen: set[str] = set()
        cursor = ""
        while True:
            path = f"{API}/projects/{quote(project.id, safe='')}/transcriptions"
            answer = self._connection.request_json("GET", path, params={"by": "latest", "cursor": cursor})
            items = answer.get("items") if isinstance(answer, dict) else None
            if not isinstance(items, list):
                raise LifeError("The server's list of transcripts has an unknown format.", code="life-no-data")
            found += [i for i in items if isinstance(i, dict)]
            cursor = str(answer.get("next") or "")
            if not cursor:
                return found
            if cursor in seen:
                raise LifeError(
                    "The pages of the server's list of transcripts repeat (same cursor twice).", code="life-no-data"
                )
            seen.add(cursor)
            progress(f"Reading the transcripts of {project.name} ({len(found):,} so far)", 0.0)

    def audio(self, project: Project, document: Mapping[str, Any], target: Path) -> None:
        """Download a recording's audio."""
        name = quote(str(document.get("audioId") or ""), safe="")
        kind, head = self._connection.download(
            "GET", f"{API}/projects/{quote(project.id, safe='')}/audio/{name}", target
        )
        reject_non_audio(kind, head, target)
