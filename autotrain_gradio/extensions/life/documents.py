"""A LiFE document becomes a recording without any name of a person.

The document's form is that of LiFE's collection `transcriptions` (unrealtecellp/life): `textGrid.sentence` maps
boundary ids to `{start, end, speakerId, transcription: {script: text}}`, in seconds of the recording's own WAV; other
annotators' versions stand under their user names as `{textGrid: …}`, machine output under `@model##model##user`.
Boundary ids are never parsed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autotrain_gradio.extensions.life.choices import LATEST

MODEL = "@model##"
SHORTEST_NAME = 3
"""Shorter names are not looked for in titles: 'a' is in every word."""


@dataclass(frozen=True)
class Segment:
    """A boundary: its times in seconds, its speaker's pseudonym, script → text.

    start, end: None means the whole file, -1 that what stood there is no number.
    """

    start: float | None
    end: float | None
    speaker: str | None
    texts: dict[str, str]


@dataclass
class Recording:
    """One WAV and its transcripts.

    group: shared by the slices of one recording, which overlap.
    file: its audio, relative to the store; None while there is none.
    seconds: length of the audio, None where it is not known.
    problem: code of the reason why the audio cannot be used.
    reference: by which a server's audio is found again; never a name.
    layers: id of the layer → its segments.
    """

    project: str
    group: str
    layers: dict[str, list[Segment]]
    file: str | None = None
    seconds: float | None = None
    problem: str = ""
    reference: str = ""


@dataclass
class Names:
    """Replaces people's names by numbers, in the order in which they are met; the names stay in memory."""

    _speakers: dict[str, str] = field(default_factory=dict)
    _layers: dict[str, str] = field(default_factory=dict)
    """Key in the documents → id of the layer."""
    _models: dict[str, str] = field(default_factory=dict)
    """Id of a machine's layer → the model's name."""
    _groups: dict[str, str] = field(default_factory=dict)
    _people: set[str] = field(default_factory=set)

    def speaker(self, value: Any) -> str | None:
        """Return the pseudonym of a `speakerId`: '', a text, or a list of texts (people who speak together)."""
        given = value if isinstance(value, list) else [value]
        names = [str(v).strip() for v in given if v is not None and str(v).strip()]
        self._people.update(names)
        numbers = [self._speakers.setdefault(n, f"speaker-{len(self._speakers) + 1}") for n in dict.fromkeys(names)]
        return "+".join(numbers) or None

    def layer(self, key: str) -> str:
        """Return the id of the layer that stands under a key of a document."""
        known = self._layers.get(key)
        if known is not None:
            return known
        model, user = "", key
        if key.startswith(MODEL):
            model, _, user = key.removeprefix(MODEL).partition("##")
        self.person(user)
        kind = "machine" if key.startswith(MODEL) else "annotator"
        number = sum(i.startswith(kind) for i in self._layers.values()) + 1
        found = self._layers[key] = f"{kind}-{number}"
        if kind == "machine":
            self._models[found] = model.rpartition("/")[2]
        return found

    def person(self, name: Any) -> None:
        """Remember a name that must not be shown."""
        if isinstance(name, str) and name.strip():
            self._people.add(name.strip())

    def group(self, project: str, recording: Any) -> str:
        """Return a number for a recording that slices were made of."""
        return self._groups.setdefault(f"{project}\n{recording}", f"recording-{len(self._groups) + 1}")

    def clean(self, text: str) -> str:
        """Put '…' in place of people's names within a title."""
        names = sorted((n for n in self._people if len(n) >= SHORTEST_NAME), key=len, reverse=True)
        if not names:
            return text
        pattern = "|".join(re.escape(n) for n in names)
        return re.sub(rf"(?<![^\W_])(?:{pattern})(?![^\W_])", "…", text, flags=re.IGNORECASE)

    def layers(self) -> list[dict[str, Any]]:
        """List the layers that were met: `{"id", "title", "machine"}`, `latest` first."""
        found: list[dict[str, Any]] = [{"id": LATEST, "title": "latest", "machine": False}]
        for layer in self._layers.values():
            kind, _, number = layer.partition("-")
            if kind == "machine":
                model = self.clean(self._models[layer])
                title = f"machine output {number}" + (f" ({model})" if model.strip("… ") else "")
                found.append({"id": layer, "title": title, "machine": True})
            else:
                found.append({"id": layer, "title": f"annotator {number}", "machine": False})
        return found


def is_document(value: Any) -> bool:
    """Say whether a JSON value is a LiFE document."""
    return isinstance(value, dict) and "audioFilename" in value and isinstance(value.get("textGrid"), dict)


def recording(document: Mapping[str, Any], names: Names) -> Recording:
    """Read a document; its audio is looked for by the caller."""
    project = str(document.get("projectname") or "LiFE project")
    names.person(document.get("username"))
    names.person(document.get("updatedBy"))
    info = document.get("additionalInfo")
    info = info if isinstance(info, Mapping) else {}
    own = document.get("audioId") or document["audioFilename"]
    whole = names.speaker(document.get("speakerId"))
    layers = {LATEST: _segments(document["textGrid"], whole, names)}
    for key in sorted(k for k, v in document.items() if isinstance(v, Mapping) and isinstance(v.get("textGrid"), dict)):
        names.person(document[key].get("updatedBy"))
        layers[names.layer(str(key))] = _segments(document[key]["textGrid"], whole, names)
    problem = ""
    if _flag(document.get("audiodeleteFLAG")):
        problem = "deleted"
    elif "transcriptionFLAG" in document and not _flag(document["transcriptionFLAG"]):
        problem = "not-transcribed"
    meta = document.get("audioMetadata")
    meta = meta if isinstance(meta, Mapping) else {}
    seconds = _number(meta.get("currentSliceDuration")) or _number(meta.get("audioDuration"))
    group = names.group(project, info.get("isSliceOf") or own)
    return Recording(project, group, layers, None, seconds or None, problem)


def _segments(grid: Mapping[str, Any], whole: str | None, names: Names) -> list[Segment]:
    found = []
    boundaries = grid.get("sentence")
    for boundary in boundaries.values() if isinstance(boundaries, Mapping) else ():
        if not isinstance(boundary, Mapping):
            continue
        given = boundary.get("transcription")
        texts = {str(k): v.strip() for k, v in given.items() if isinstance(v, str)} if isinstance(given, dict) else {}
        speaker = names.speaker(boundary.get("speakerId")) or whole
        start, end = _number(boundary.get("start")), _number(boundary.get("end"))
        found.append(Segment(_or_bad(start), _or_bad(end), speaker, texts))
    return sorted(found, key=lambda s: (s.start or 0.0, s.end or 0.0))


def texts_of(segments: Iterable[Segment]) -> set[str]:
    """Return the scripts in which any of the segments has a text."""
    return {script for s in segments for script, text in s.texts.items() if text}


def _flag(value: Any) -> bool:
    return value not in (None, 0, "0", "", False, "false", "False")


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _or_bad(value: float | None) -> float:
    return -1.0 if value is None else value
