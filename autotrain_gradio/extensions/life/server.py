"""From a LiFE server into the draft: first the transcripts of the chosen projects, then the audio that is needed."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import DataError, Finding, did_you_mean
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress
from autotrain_gradio.extensions.life import choices
from autotrain_gradio.extensions.life.choices import Choice, Project
from autotrain_gradio.extensions.life.client import Connection, Life, LifeError, Login, TokenLife
from autotrain_gradio.extensions.life.documents import Recording, is_document, recording
from autotrain_gradio.extensions.life.stock import StockLife
from autotrain_gradio.extensions.life.store import AUDIO, Reading, Rules, Writer, judge, measure

TRAINED = "transcriptions"
"""Type of the projects that a recogniser can be trained on."""
SHARED = "AUTOTRAIN_GRADIO_SHARED"


def connect(address: str, login: Login, request: Request, draft: Path) -> Life:
    """Return a LiFE to be entered: with its token where there is one, else by user name and password.

    Raises:
        DataError: the address is none, or nothing was given to sign in with.
    """
    address = choices.address(address)
    if not login:
        raise DataError(
            "A LiFE server asks for a login.",
            "Give a user name and a password, or a token; on the command line in the environment variables "
            "LIFE_USERNAME and LIFE_PASSWORD, or LIFE_TOKEN.",
            "data.path",
            "life-login",
        )
    connection = Connection(address, public=os.environ.get(SHARED) == "1", largest=request.limits.archive_bytes)
    if login.token:
        return TokenLife(connection, login)
    home = request.home or draft.resolve().parent.parent
    name = hashlib.sha256(address.encode()).hexdigest()[:16]
    return StockLife(connection, login, request.limits, home / "cache" / "life" / f"{name}.lock")


def list_projects(life: Life) -> tuple[list[Project], list[Finding]]:
    """List the projects that can be trained on, and say how many others there are."""
    everything = life.projects()
    found = [p for p in everything if p.type == TRAINED]
    others = len(everything) - len(found)
    if not found:
        raise LifeError(
            f"Of your {pluralize(len(everything), 'project')} none is of the type 'transcriptions'.",
            "Only such projects hold transcribed speech.",
            "data.path",
            "life-no-projects",
        )
    if not others:
        return found, []
    text = f"{pluralize(others, 'project')} of other types {'is' if others == 1 else 'are'} not shown."
    return found, [Finding("info", "life-other-projects", text)]


def pick(everything: Sequence[Project], wanted: Sequence[str]) -> list[Project]:
    """Return the projects of these ids or names, all where none is named.

    Raises:
        DataError: there is no such project.
    """
    if not wanted:
        return list(everything)
    by_name = {p.name: p for p in everything} | {p.id: p for p in everything}
    for name in wanted:
        if name not in by_name:
            raise DataError(
                f"There is no project '{name}'.",
                did_you_mean(name, [p.name for p in everything]),
                "data.options.projects",
                "life-unknown-project",
            )
    return list(dict.fromkeys(by_name[n] for n in wanted))


def read(life: Life, projects: Sequence[Project], writer: Writer, login: Login, progress: Progress) -> None:
    """Give the writer the documents of the projects; their audio is taken later."""
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
            found = recording({**document, "projectname": project.id}, writer.names)
            found.reference = reference(document, project, login)
            writer.add(found, None)
    if empty:
        text = f"Nothing to download in {', '.join(empty)}."
        writer.findings.append(
            Finding("warning", "life-no-transcripts", text, "Has it been transcribed, and may you download it?")
        )


def take(
    life: Life,
    reading: Reading,
    choice: Choice,
    login: Login,
    draft: Path,
    progress: Progress,
    *,
    rules: Rules,
    most: int | None = None,
) -> Reading:
    """Download the audio of the recordings that a choice needs, and return the reading with it.

    Recordings that the server does not know any more are marked so: their segments are counted as left out.

    most: at most that many recordings (for a preview).
    """
    recordings = list(reading.recordings())
    needed = []
    for number, found in enumerate(recordings):
        segments = found.layers.get(choice.dataset, ()) if found.project in choice.projects else ()
        used = (not judge(s, found, choice.script, rules, needs_audio=False)[0] for s in segments)
        if found.file is None and any(used):
            needed.append(number)
    wanted = {recordings[n].reference: n for n in needed[:most]}
    scratch = draft / "data" / "picking"
    scratch.mkdir(parents=True, exist_ok=True)
    done = 0
    try:
        for project in (p for p in reading.list_projects() if p.id in choice.projects):
            if not any(recordings[n].project == project.id for n in wanted.values()):
                continue
            for document in filter(is_document, life.documents(project, scratch, progress)):
                place = wanted.get(reference(document, project, login))
                if place is not None:
                    progress(f"Downloading the audio of {pluralize(len(wanted), 'recording')}", done / len(wanted))
                    name = reading.folder / AUDIO / f"{place + 1:05}.wav"
                    recordings[place] = _with_audio(life, project, document, recordings[place], name, scratch)
                    done += 1
    finally:
        reading = reading.replaced(recordings)  # what has come is kept, also when the rest fails
    if wanted and not done:
        raise DataError(
            "The recordings are not on the server any more, or the login is another one.",
            "Open the projects again.",
            "data.path",
            "life-changed",
        )
    gone = [n for n in needed if recordings[n].file is None and not recordings[n].problem]
    if most is None and gone:
        for number in gone:
            recordings[number] = replace(recordings[number], problem="audio-missing")
        reading = reading.replaced(recordings)
    return reading


def _with_audio(
    life: Life, project: Project, document: Mapping[str, Any], found: Recording, name: Path, scratch: Path
) -> Recording:
    """Download a recording's audio to a file, and return the recording with it, or with what is wrong with it."""
    target = scratch / "audio.wav"
    target.unlink(missing_ok=True)
    try:
        life.audio(project, document, target)
    except LifeError as error:
        if error.code not in {"life-no-audio", "life-not-found"}:
            raise
        return replace(found, problem="audio-missing")
    seconds, problem = measure(target)
    if problem:
        return replace(found, problem=problem)
    target.rename(name)
    return replace(found, seconds=seconds or found.seconds, file=f"{AUDIO}/{name.name}")


def reference(document: Mapping[str, Any], project: Project, login: Login) -> str:
    """Return a digest by which a recording is found again; its key is the login, which is not stored."""
    own = str(document.get("audioId") or document["audioFilename"])
    return hmac.new(login.key, f"{project.id}\n{own}".encode(), "sha256").hexdigest()[:24]
