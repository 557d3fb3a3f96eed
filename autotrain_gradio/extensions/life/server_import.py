"""Import from a LiFE server: first the transcripts of the selected projects, then the audio of the selection."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import DataError, Finding, did_you_mean
from autotrain_gradio.core.settings import is_shared
from autotrain_gradio.core.text_format import count_with_verb, pluralize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress
from autotrain_gradio.extensions.life import catalog
from autotrain_gradio.extensions.life.catalog import Project, Selection
from autotrain_gradio.extensions.life.client import Connection, LifeClient, LifeError, Login
from autotrain_gradio.extensions.life.documents import Recording, is_document, parse_recording
from autotrain_gradio.extensions.life.draft_store import (
    AUDIO,
    RecordingStore,
    SegmentFilter,
    StoreWriter,
    check_segment,
    probe_audio,
)
from autotrain_gradio.extensions.life.session_client import SessionClient
from autotrain_gradio.extensions.life.token_client import TokenClient

TRAINABLE_TYPE = "transcriptions"
"""Type of the projects that contain transcribed speech."""


def connect(address: str, login: Login, request: Request, draft: Path) -> LifeClient:
    """Return a client for a server: with a token where there is one, else with user name and password.

    Raises:
        DataError: the URL is invalid, or the credentials are missing.
    """
    address = catalog.parse_address(address)
    if not login:
        raise DataError(
            "A LiFE server requires a login.",
            "Enter user name and password, or a token; for the command line set the environment variables "
            "LIFE_USERNAME and LIFE_PASSWORD, or LIFE_TOKEN.",
            "data.path",
            "life-login",
        )
    connection = Connection(address, public=is_shared(os.environ), largest=request.limits.archive_bytes)
    if login.token:
        return TokenClient(connection, login)
    home = draft.resolve().parent.parent
    name = hashlib.sha256(address.encode()).hexdigest()[:16]
    return SessionClient(connection, login, request.limits, home / "cache" / "life" / f"{name}.lock")


def list_projects(life: LifeClient) -> tuple[list[Project], list[Finding]]:
    """List the projects of type `transcriptions`; a finding counts the others."""
    everything = life.projects()
    found = [p for p in everything if p.type == TRAINABLE_TYPE]
    others = len(everything) - len(found)
    if not found:
        raise LifeError(
            f"None of your {pluralize(len(everything), 'project')} has the type 'transcriptions'.",
            "Only projects of this type contain transcribed speech.",
            "data.path",
            "life-no-projects",
        )
    if not others:
        return found, []
    text = f"{count_with_verb(others, 'project of another type', 'is', 'projects of other types')} not shown."
    return found, [Finding("info", "life-other-projects", text)]


def select_projects(everything: Sequence[Project], wanted: Sequence[str]) -> list[Project]:
    """Return the projects with these ids or names; all projects for an empty list.

    Raises:
        DataError: a project does not exist.
    """
    if not wanted:
        return list(everything)
    by_name = {p.name: p for p in everything} | {p.id: p for p in everything}
    for name in wanted:
        if name not in by_name:
            raise DataError(
                f"The project '{name}' does not exist.",
                did_you_mean(name, [p.name for p in everything]),
                "data.options.projects",
                "life-unknown-project",
            )
    return list(dict.fromkeys(by_name[n] for n in wanted))


def import_documents(
    life: LifeClient, projects: Sequence[Project], writer: StoreWriter, login: Login, progress: Progress
) -> None:
    """Download the documents of the projects into the store; the audio is downloaded later."""
    writer.format, writer.projects = "A", list(projects)
    empty = []
    for number, project in enumerate(projects):

        def part(message: str, fraction: float, number: int = number) -> None:
            progress(message, (number + fraction) / len(projects))

        part(f"Reading {project.name}", 0.0)
        documents = [d for d in life.documents(project, writer.partial.parent, part) if is_document(d)]
        if not documents:
            empty.append(project.name)
        for document in documents:
            found = parse_recording({**document, "projectname": project.id}, writer.names)
            found.reference = recording_digest(document, project, login)
            writer.add(found, None)
    if empty:
        text = f"No transcripts were found in {', '.join(empty)}."
        writer.findings.append(
            Finding(
                "warning",
                "life-no-transcripts",
                text,
                "Check that it is transcribed and that you have permission to download it.",
            )
        )


def download_audio(
    life: LifeClient,
    store: RecordingStore,
    selection: Selection,
    login: Login,
    draft: Path,
    progress: Progress,
    *,
    segment_filter: SegmentFilter,
    most: int | None = None,
) -> RecordingStore:
    """Download the audio of the selected recordings; return the updated store.

    Recordings that are no longer on the server are marked as missing; their segments are skipped and counted.

    most: maximum number of recordings (for a preview).
    """
    recordings = list(store.recordings())
    needed = []
    for number, found in enumerate(recordings):
        segments = found.layers.get(selection.dataset, ()) if found.project in selection.projects else ()
        used = (not check_segment(s, found, selection.script, segment_filter, needs_audio=False)[0] for s in segments)
        if found.file is None and any(used):
            needed.append(number)
    wanted = {recordings[n].reference: n for n in needed[:most]}
    scratch = draft / "data" / "picking"
    scratch.mkdir(parents=True, exist_ok=True)
    done = 0
    try:
        for project in (p for p in store.list_projects() if p.id in selection.projects):
            if not any(recordings[n].project == project.id for n in wanted.values()):
                continue
            for document in filter(is_document, life.documents(project, scratch, progress)):
                place = wanted.get(recording_digest(document, project, login))
                if place is not None:
                    progress(f"Downloading the audio of {pluralize(len(wanted), 'recording')}", done / len(wanted))
                    name = store.folder / AUDIO / f"{place + 1:05}.wav"
                    recordings[place] = _with_audio(life, project, document, recordings[place], name, scratch)
                    done += 1
    finally:
        store = store.replace_recordings(recordings)  # what was downloaded is kept, also after an error
    if wanted and not done:
        raise DataError(
            "The recordings are no longer on the server, or the login is a different one.",
            "Open the projects again.",
            "data.path",
            "life-changed",
        )
    missing = [n for n in needed if recordings[n].file is None and not recordings[n].problem]
    if most is None and missing:
        for number in missing:
            recordings[number] = replace(recordings[number], problem="audio-missing")
        store = store.replace_recordings(recordings)
    return store


def _with_audio(
    life: LifeClient, project: Project, document: Mapping[str, Any], found: Recording, name: Path, scratch: Path
) -> Recording:
    """Download a recording's audio to a file; return the recording with the file, or with its problem."""
    target = scratch / "audio.wav"
    target.unlink(missing_ok=True)
    try:
        life.audio(project, document, target)
    except LifeError as error:
        if error.code not in {"life-no-audio", "life-not-found"}:
            raise
        return replace(found, problem="audio-missing")
    seconds, problem = probe_audio(target)
    if problem:
        return replace(found, problem=problem)
    target.rename(name)
    return replace(found, seconds=seconds or found.seconds, file=f"{AUDIO}/{name.name}")


def recording_digest(document: Mapping[str, Any], project: Project, login: Login) -> str:
    """Return the HMAC digest that identifies a recording; the key is the login, which is not stored."""
    own = str(document.get("audioId") or document["audioFilename"])
    return hmac.new(login.key, f"{project.id}\n{own}".encode(), "sha256").hexdigest()[:24]
