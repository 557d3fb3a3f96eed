"""What can be chosen of a LiFE's data: projects → script → layer of annotations. Light: the page calls it too.

Everything is computed from a *catalogue*, a list of plain items, one for each project, script and layer that has
text: `{"project": id, "script", "layer": id, "segments": n, "seconds": float, "speakers": [name, …],
"recordings": n}`. Speakers are pseudonyms; segments are those that can be used.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from autotrain_gradio.core.errors import DataError

LATEST = "latest"
UPLOADED = "LiFE export "
"""Beginning of the place of an uploaded export."""
OPENED = ", opened "
"""In the place of an uploaded export: the time follows, by which two of the same name differ."""
PACKED = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
SAMPLE = "sample"
"""The place that means the export that comes with the app."""
Item = Mapping[str, Any]


@dataclass(frozen=True)
class Project:
    """A project; only those of the type `transcriptions` train a recogniser."""

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
    """One annotator's transcripts (or the present ones, `latest`); `machine`: a model wrote them."""

    id: str
    annotator: str
    machine: bool
    segments: int
    hours: float
    speakers: int


@dataclass(frozen=True)
class Choice:
    """What was picked; an empty script means none has any text."""

    projects: tuple[str, ...]
    script: str
    dataset: str


def list_scripts(catalogue: Sequence[Item], projects: Iterable[str]) -> list[Script]:
    """List the scripts of the projects, those that all of them use first, then by number of segments.

    Figures are of the layer `latest`; where a script has none, of its largest layer.
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
        scripts.append(Script(script, *_figures(shown), names))
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
        Layer(layer["id"], layer["title"], bool(layer["machine"]), *_figures(found[layer["id"]]))
        for layer in layers
        if layer["id"] in found
    ]
    return sorted(listed, key=lambda d: (d.id != LATEST, d.machine, -d.segments))


def default(catalogue: Sequence[Item], layers: Sequence[Item], projects: Sequence[str]) -> Choice:
    """Choose the script with the most segments, and the layer `latest` where it has any text in it."""
    scripts = list_scripts(catalogue, projects)
    if not scripts:
        return Choice(tuple(projects), "", "")
    script = max(scripts, key=lambda s: s.segments).script
    return Choice(tuple(projects), script, list_datasets(catalogue, layers, projects, script)[0].id)


def figures(segments: int, hours: float, speakers: int) -> str:
    """Say how much there is: '1,204 segments, 2.4 h, 7 speakers'."""
    length = f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.1f} min"
    people = f", {speakers:,} speaker{'s' if speakers != 1 else ''}" if speakers else ", speakers not known"
    return f"{segments:,} segment{'s' if segments != 1 else ''}, {length}{people}"


def _figures(items: Iterable[Item]) -> tuple[int, float, int]:
    items = list(items)
    speakers = {s for i in items for s in i["speakers"]}
    return sum(i["segments"] for i in items), sum(i["seconds"] for i in items) / 3600, len(speakers)


def uploaded(names: Sequence[str], clock: str) -> str:
    """Return the place of uploaded files. Only an archive is named: names of recordings may be people's."""
    packed = next((n for n in names if n.lower().endswith(PACKED)), "")
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{UPLOADED}{packed + more if packed else f'({len(names)} files)'}{OPENED}{clock}"


def recognized(clock: str) -> str:
    """Return the place of an export that was among ordinary uploaded files; not even an archive is named."""
    return f"{UPLOADED}(uploaded){OPENED}{clock}"


def is_address(text: str) -> bool:
    """Say whether a place is an address on the web."""
    return "://" in text


def address(text: str) -> str:
    """Return the address of a LiFE server without a trailing slash.

    Raises:
        DataError: it is no address, or carries a login, or would send one in the clear.
    """
    text = text.strip()
    text = (text if is_address(text) else f"https://{text}").rstrip("/")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if "@" in text:
        raise DataError(
            "An address with a login in it would be stored and shown.",
            "Give the address alone; user name and password have fields of their own.",
            "data.path",
            "life-address-login",
        )
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        raise DataError(
            f"'{text[:80]}' is no address of a LiFE server.",
            "It looks like https://life.example.org.",
            "data.path",
            "life-address",
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise DataError(
            f"'{text[:80]}' would send your password in the clear.",
            "Use the address that begins with https.",
            "data.path",
            "life-insecure",
        )
    return text


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
