"""What can be selected: projects → script → annotation layer. Light: the page imports it too.

Everything is computed from a *catalogue*, a list of plain items, one for each project, script and layer that has
text: `{"project": id, "script", "layer": id, "segments": n, "seconds": float, "speakers": [name, …],
"recordings": n}`. Speakers are pseudonyms; only usable segments are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.file_types import ARCHIVE_SUFFIXES
from autotrain_gradio.core.loopback import is_loopback
from autotrain_gradio.core.text_format import pluralize

LATEST = "latest"
UPLOAD_PREFIX = "LiFE export "
"""Prefix of the path of an uploaded export."""
OPENED_AT = ", opened "
"""In the path of an uploaded export; the time follows, so that two of the same name differ."""
SAMPLE = "sample"
"""The path of the bundled sample export."""
Item = Mapping[str, Any]


@dataclass(frozen=True)
class Project:
    """A project; only those of the type `transcriptions` train a recognizer."""

    id: str
    name: str
    type: str
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Script:
    """A writing system; `projects` are the ids of the chosen ones that use it."""

    script: str
    segments: int
    hours: float
    speakers: int
    projects: tuple[str, ...]


@dataclass(frozen=True)
class Layer:
    """An annotation layer: one annotator's transcripts, or `latest`. machine: output of a model."""

    id: str
    annotator: str
    machine: bool
    segments: int
    hours: float
    speakers: int


@dataclass(frozen=True)
class Selection:
    """What was selected; the script is empty where nothing is transcribed."""

    projects: tuple[str, ...]
    script: str
    dataset: str


def list_scripts(catalogue: Sequence[Item], projects: Iterable[str]) -> list[Script]:
    """List the scripts of the projects, those that all of them use first, then by number of segments.

    Counts are those of the layer `latest`; where a script has none, of its largest layer.
    """
    wanted = set(projects)
    found: dict[str, list[Item]] = {}
    for item in catalogue:
        if item["project"] in wanted:
            found.setdefault(item["script"], []).append(item)
    scripts = []
    for script, items in found.items():
        layers: dict[str, list[Item]] = {}
        for item in items:
            layers.setdefault(item["layer"], []).append(item)
        shown = layers.get(LATEST) or max(layers.values(), key=lambda g: sum(i["segments"] for i in g))
        names = tuple(dict.fromkeys(i["project"] for i in items))
        scripts.append(Script(script, *_counts(shown), names))
    return sorted(scripts, key=lambda s: (-len(s.projects), -s.segments, s.script))


def list_datasets(
    catalogue: Sequence[Item], layers: Sequence[Item], projects: Iterable[str], script: str
) -> list[Layer]:
    """List the layers that have text in the script: `latest` first, then people's, then machines'.

    layers: `{"id", "title", "machine"}` of all layers.
    """
    wanted = set(projects)
    found: dict[str, list[Item]] = {}
    for item in catalogue:
        if item["project"] in wanted and item["script"] == script:
            found.setdefault(item["layer"], []).append(item)
    listed = [
        Layer(layer["id"], layer["title"], bool(layer["machine"]), *_counts(found[layer["id"]]))
        for layer in layers
        if layer["id"] in found
    ]
    return sorted(listed, key=lambda d: (d.id != LATEST, d.machine, -d.segments))


def default_selection(catalogue: Sequence[Item], layers: Sequence[Item], projects: Sequence[str]) -> Selection:
    """Return the script with the most segments, and the layer `latest` where it has text in that script."""
    scripts = list_scripts(catalogue, projects)
    if not scripts:
        return Selection(tuple(projects), "", "")
    script = max(scripts, key=lambda s: s.segments).script
    return Selection(tuple(projects), script, list_datasets(catalogue, layers, projects, script)[0].id)


def format_counts(segments: int, hours: float, speakers: int) -> str:
    """Format counts: '1,204 segments, 2.4 h, 7 speakers'."""
    length = f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.1f} min"
    people = pluralize(speakers, "speaker") if speakers else "speakers not known"
    return f"{pluralize(segments, 'segment')}, {length}, {people}"


def _counts(items: Iterable[Item]) -> tuple[int, float, int]:
    items = list(items)
    speakers = {s for i in items for s in i["speakers"]}
    return sum(i["segments"] for i in items), sum(i["seconds"] for i in items) / 3600, len(speakers)


def name_upload(names: Sequence[str], clock: str) -> str:
    """Return the path of uploaded files. Only an archive is named: names of recordings may contain names of people."""
    packed = next((n for n in names if n.lower().endswith(ARCHIVE_SUFFIXES)), "")
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{UPLOAD_PREFIX}{packed + more if packed else f'({len(names)} files)'}{OPENED_AT}{clock}"


def name_taken_over_upload(clock: str) -> str:
    """Return the path of an export that was recognized in an ordinary upload; not even an archive is named."""
    return f"{UPLOAD_PREFIX}(uploaded){OPENED_AT}{clock}"


def is_url(text: str) -> bool:
    """Whether a path is a URL."""
    return "://" in text


def parse_address(text: str) -> str:
    """Return the address of a LiFE server without a trailing slash.

    Raises:
        DataError: it is not a URL, contains credentials, or would send them unencrypted.
    """
    text = text.strip()
    text = (text if is_url(text) else f"https://{text}").rstrip("/")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if "@" in text:
        raise DataError(
            "The URL contains credentials, which would be stored and shown.",
            "Enter the URL alone; user name and password have fields of their own.",
            "data.path",
            "life-address-login",
        )
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        raise DataError(
            f"'{text[:80]}' is not the URL of a LiFE server.",
            "It looks like https://life.example.org.",
            "data.path",
            "life-address",
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise DataError(
            f"'{text[:80]}' would send your password unencrypted.",
            "Use the URL that begins with https.",
            "data.path",
            "life-insecure",
        )
    return text
