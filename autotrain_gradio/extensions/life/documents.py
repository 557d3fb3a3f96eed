"""Parse LiFE documents into recordings; names of people are replaced by pseudonyms.

The format is that of LiFE's collection `transcriptions` (unrealtecellp/life): `textGrid.sentence` maps
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

from autotrain_gradio.extensions.life.catalog import LATEST

MODEL_PREFIX = "@model##"
MIN_NAME_LENGTH = 3
"""Shorter names are not replaced in titles: 'a' is in every word."""


@dataclass(frozen=True)
class Segment:
    """A transcribed segment. texts: script → text; speaker: pseudonym.

    start, end: seconds; None: the whole file; -1: not a number in the document.
    """

    start: float | None
    end: float | None
    speaker: str | None
    texts: dict[str, str]


@dataclass
class Recording:
    """An audio file and its transcripts.

    group: shared by the slices of one recording, which overlap.
    file: audio file relative to the store; None: not there (yet).
    seconds: duration of the audio; None: unknown.
    problem: reason code why its segments are skipped.
    reference: digest that identifies a recording on a server.
    layers: layer id → segments.
    """

    project: str
    group: str
    layers: dict[str, list[Segment]]
    file: str | None = None
    seconds: float | None = None
    problem: str = ""
    reference: str = ""


@dataclass
class Pseudonyms:
    """Map names of people to numbered pseudonyms, in order of appearance; the names are in memory only."""

    _speakers: dict[str, str] = field(default_factory=dict)
    _layers: dict[str, str] = field(default_factory=dict)
    """Key in the documents → layer id."""
    _models: dict[str, str] = field(default_factory=dict)
    """Layer id of machine output → name of the model."""
    _groups: dict[str, str] = field(default_factory=dict)
    _people: set[str] = field(default_factory=set)

    def speaker(self, value: Any) -> str | None:
        """Return the pseudonym for a `speakerId`: empty, a string, or a list of strings (overlapping speakers)."""
        given = value if isinstance(value, list) else [value]
        names = [str(v).strip() for v in given if v is not None and str(v).strip()]
        self._people.update(names)
        numbers = [self._speakers.setdefault(n, f"speaker-{len(self._speakers) + 1}") for n in dict.fromkeys(names)]
        return "+".join(numbers) or None

    def layer(self, key: str) -> str:
        """Return the layer id for a key of a document."""
        known = self._layers.get(key)
        if known is not None:
            return known
        model, user = "", key
        if key.startswith(MODEL_PREFIX):
            model, _, user = key.removeprefix(MODEL_PREFIX).partition("##")
        self.person(user)
        kind = "machine" if key.startswith(MODEL_PREFIX) else "annotator"
        number = sum(i.startswith(kind) for i in self._layers.values()) + 1
        found = self._layers[key] = f"{kind}-{number}"
        if kind == "machine":
            self._models[found] = model.rpartition("/")[2]
        return found

    def person(self, name: Any) -> None:
        """Register a name that must not be shown."""
        if isinstance(name, str) and name.strip():
            self._people.add(name.strip())

    def group(self, project: str, recording: Any) -> str:
        """Return the pseudonym of a recording, shared by all slices of it."""
        return self._groups.setdefault(f"{project}\n{recording}", f"recording-{len(self._groups) + 1}")

    def clean(self, text: str) -> str:
        """Replace names of people in a title by '…'."""
        names = sorted((n for n in self._people if len(n) >= MIN_NAME_LENGTH), key=len, reverse=True)
        if not names:
            return text
        pattern = "|".join(re.escape(n) for n in names)
        return re.sub(rf"(?<![^\W_])(?:{pattern})(?![^\W_])", "…", text, flags=re.IGNORECASE)

    def layers(self) -> list[dict[str, Any]]:
        """List the layers: `{"id", "title", "machine"}`, `latest` first."""
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
    """Whether a JSON value is a LiFE document."""
    return isinstance(value, dict) and "audioFilename" in value and isinstance(value.get("textGrid"), dict)


def parse_recording(document: Mapping[str, Any], names: Pseudonyms) -> Recording:
    """Parse a document; the caller finds its audio."""
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
    if _is_set(document.get("audiodeleteFLAG")):
        problem = "deleted"
    elif "transcriptionFLAG" in document and not _is_set(document["transcriptionFLAG"]):
        problem = "not-transcribed"
    meta = document.get("audioMetadata")
    meta = meta if isinstance(meta, Mapping) else {}
    seconds = _parse_number(meta.get("currentSliceDuration")) or _parse_number(meta.get("audioDuration"))
    group = names.group(project, info.get("isSliceOf") or own)
    return Recording(project, group, layers, None, seconds or None, problem)


def _segments(grid: Mapping[str, Any], whole: str | None, names: Pseudonyms) -> list[Segment]:
    found = []
    boundaries = grid.get("sentence")
    for boundary in boundaries.values() if isinstance(boundaries, Mapping) else ():
        if not isinstance(boundary, Mapping):
            continue
        given = boundary.get("transcription")
        texts = {str(k): v.strip() for k, v in given.items() if isinstance(v, str)} if isinstance(given, dict) else {}
        speaker = names.speaker(boundary.get("speakerId")) or whole
        start, end = _parse_number(boundary.get("start")), _parse_number(boundary.get("end"))
        found.append(Segment(_number_or_invalid(start), _number_or_invalid(end), speaker, texts))
    return sorted(found, key=lambda s: (s.start or 0.0, s.end or 0.0))


def scripts_with_text(segments: Iterable[Segment]) -> set[str]:
    """Return the scripts in which a segment has text."""
    return {script for s in segments for script, text in s.texts.items() if text}


def _is_set(value: Any) -> bool:
    return value not in (None, 0, "0", "", False, "false", "False")


def _parse_number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _number_or_invalid(value: float | None) -> float:
    return -1.0 if value is None else value
