"""What was read of a LiFE, in the draft, without names: `data/life`.

`index.json`: `{v, place, format, remote, projects, layers, catalogue, findings}`; `recordings.jsonl`: a recording a
line; `audio/`: files named by number. The folder is complete or absent.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.data.files.json_files import read_json, write_json
from autotrain_gradio.extensions.life import choices
from autotrain_gradio.extensions.life.choices import Choice, Layer, Project, Script
from autotrain_gradio.extensions.life.documents import Names, Recording, Segment, texts_of

VERSION = 1
FOLDER = "life"
AUDIO = "audio"
BEYOND_SECONDS = 0.05
"""A segment may end this much after the audio, where times were rounded; it is cut to the audio."""
SKIPPED = {
    "empty-text": "without a text in this script",
    "silence": "silence",
    "bad-times": "whose end is not after its start",
    "out-of-bounds": "beyond the end of the audio",
    "too-short": "too short",
    "too-long": "too long",
    "audio-missing": "whose audio is missing",
    "audio-unreadable": "whose audio cannot be decoded",
    "deleted": "of recordings that were deleted in LiFE",
    "not-transcribed": "of recordings that LiFE marks as not transcribed",
}
"""Reason → what is said of the segments that are left out for it."""


@dataclass(frozen=True)
class Rules:
    """Which segments can be used. silence: text that means nothing is said; lengths in seconds."""

    silence: str = "0"
    shortest: float = 0.1
    longest: float = 300.0


@dataclass(frozen=True)
class Row:
    """A segment that can be used: `iter_segments` yields it. start, end: seconds; None: the whole file."""

    audio_ref: str
    start: float | None
    end: float | None
    text: str
    speaker: str | None
    recording_id: str
    project: str
    segment_id: str
    seconds: float


@dataclass
class Reading:
    """A LiFE's data as it was read: projects, scripts, layers, segments."""

    folder: Path
    index: Mapping[str, Any]
    skipped: Counter[str] = field(default_factory=Counter)
    """Reason → segments left out by the last `iter_segments` that was read to its end."""

    @classmethod
    def open(cls, draft: Path, place: str | None = None) -> Reading | None:
        """Return what the draft holds, or None: nothing, or something of another place."""
        folder = draft / "data" / FOLDER
        index = read_json(folder / "index.json")
        if index is None or index.get("v") != VERSION or (place is not None and index["place"] != place):
            return None
        return cls(folder, index)

    def list_projects(self) -> list[Project]:
        """List the projects."""
        return [Project(p["id"], p["name"], p["type"], tuple(p["languages"])) for p in self.index["projects"]]

    def list_scripts(self, projects: Iterable[str]) -> list[Script]:
        """List the scripts of projects."""
        return choices.list_scripts(self.index["catalogue"], projects)

    def list_datasets(self, projects: Iterable[str], script: str) -> list[Layer]:
        """List the layers that have text in a script."""
        return choices.list_datasets(self.index["catalogue"], self.index["layers"], projects, script)

    def recordings(self) -> Iterator[Recording]:
        """Yield all recordings."""
        with (self.folder / "recordings.jsonl").open(encoding="utf-8") as file:
            for line in file:
                found = json.loads(line)
                found["layers"] = {k: [Segment(*s) for s in v] for k, v in found["layers"].items()}
                yield Recording(**found)

    def replaced(self, recordings: Iterable[Recording]) -> Reading:
        """Write other recordings in place of those that are there, and return the reading of them."""
        found = list(recordings)
        path = self.folder / "recordings.jsonl"
        partial = path.with_name("recordings.partial")
        write_lines(partial, found)
        os.replace(partial, path)
        index = {**self.index, "catalogue": catalogue(found, needs_audio=not self.index["remote"])}
        write_json(self.folder / "index.json", index)
        return Reading(self.folder, index)

    def iter_segments(self, choice: Choice, rules: Rules = Rules()) -> Iterator[Row]:  # noqa: B008 - immutable
        """Yield the segments of a choice that can be used, in the order of the recordings; count the others."""
        skipped: Counter[str] = Counter()
        wanted = set(choice.projects)
        for number, found in enumerate(self.recordings()):
            if found.project not in wanted:
                continue
            for place, segment in enumerate(found.layers.get(choice.dataset, ())):
                why, start, end = judge(segment, found, choice.script, rules, needs_audio=not self.index["remote"])
                if why:
                    skipped[why] += 1
                    continue
                yield Row(
                    found.file or "",
                    start,
                    end,
                    segment.texts[choice.script],
                    segment.speaker,
                    found.group,
                    found.project,
                    f"{number}-{place}",
                    (end - start) if start is not None and end is not None else found.seconds or 0.0,
                )
        self.skipped = skipped


def judge(
    segment: Segment, recording: Recording, script: str, rules: Rules, *, needs_audio: bool = True
) -> tuple[str, float | None, float | None]:
    """Say why a segment cannot be used ('' when it can), and its start and end within the audio."""
    start, end, text = segment.start, segment.end, segment.texts.get(script, "")
    if recording.problem:
        return recording.problem, start, end
    if not text:
        return "empty-text", start, end
    if text == rules.silence:
        return "silence", start, end
    if recording.file is None and needs_audio:
        return "audio-missing", start, end
    seconds = recording.seconds
    if start is None or end is None:
        length = seconds
    else:
        if end <= start:
            return "bad-times", start, end
        if start < 0 or (seconds is not None and end > seconds + BEYOND_SECONDS):
            return "out-of-bounds", start, end
        end = end if seconds is None else min(end, seconds)
        length = end - start
    if length is not None and length < rules.shortest:
        return "too-short", start, end
    if length is not None and length > rules.longest:
        return "too-long", start, end
    return "", start, end


@dataclass
class Writer:
    """Makes the store anew, in place of an earlier one; used as a context, and nothing is left of a failure.

    scratch: folder `data/picking` of the draft.
    """

    draft: Path
    place: str
    format: str = ""
    remote: str = ""
    stamp: str = ""
    """Digest of the files of the place, by which it is noticed that they have changed; empty: they cannot."""
    projects: list[Project] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    names: Names = field(default_factory=Names)
    _recordings: list[Recording] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.partial = self.draft / "data" / "picking" / "store"
        shutil.rmtree(self.partial, ignore_errors=True)
        (self.partial / AUDIO).mkdir(parents=True)

    def add(self, recording: Recording, audio: Path | None) -> None:
        """Take a recording, and its audio under a number; damaged audio is the recording's problem."""
        if audio is not None:
            name = f"{AUDIO}/{len(self._recordings) + 1:05}{audio.suffix.lower() or '.wav'}"
            seconds, problem = measure(audio)
            recording.problem = recording.problem or problem
            recording.seconds = recording.seconds if problem or seconds is None else seconds
            if not problem:
                link(audio, self.partial / name)
                recording.file = name
        self._recordings.append(recording)

    def finish(self) -> Reading:
        """Write what was taken, and return it.

        Raises:
            DataError: there is no recording.
        """
        if not self._recordings:
            raise DataError(
                "No transcribed recording was found.",
                "Export the project from LiFE as JSON with its audio.",
                "data.path",
                "life-empty",
            )
        self._clean_scripts()
        write_lines(self.partial / "recordings.jsonl", self._recordings)
        if not self.projects:
            ids = dict.fromkeys(r.project for r in self._recordings)
            self.projects = [Project(i, i, "transcriptions") for i in ids]
        index = {
            "v": VERSION,
            "place": self.place,
            "stamp": self.stamp,
            "format": self.format,
            "remote": self.remote,
            "projects": [{**vars(p), "languages": list(p.languages)} for p in self.projects],
            "layers": self.names.layers(),
            "catalogue": catalogue(self._recordings, needs_audio=not self.remote),
            "findings": [f.to_dict() for f in self.findings],
        }
        write_json(self.partial / "index.json", index)
        final = self.draft / "data" / FOLDER
        shutil.rmtree(final, ignore_errors=True)
        self.partial.rename(final)
        return Reading(final, index)

    def _clean_scripts(self) -> None:
        """Take people's names out of those of the scripts, where somebody has named a tier after a speaker."""
        segments = [s for r in self._recordings for layer in r.layers.values() for s in layer]
        titles: dict[str, str] = {}
        for script in dict.fromkeys(k for s in segments for k in s.texts):
            title = clean = self.names.clean(script)
            number = 1
            while title in titles.values():
                number += 1
                title = f"{clean} {number}"
            titles[script] = title
        for segment in segments:
            texts = {titles[k]: v for k, v in segment.texts.items()}
            segment.texts.clear()
            segment.texts.update(texts)


def write_lines(path: Path, recordings: Iterable[Recording]) -> None:
    """Write a recording a line."""
    with path.open("w", encoding="utf-8") as file:
        for found in recordings:
            file.write(json.dumps(_line(found), ensure_ascii=False) + "\n")


def _line(recording: Recording) -> dict[str, Any]:
    layers = {k: [[s.start, s.end, s.speaker, s.texts] for s in v] for k, v in recording.layers.items()}
    return {**vars(recording), "layers": layers}


def catalogue(recordings: Iterable[Recording], *, needs_audio: bool) -> list[dict[str, Any]]:
    """Count what can be used of each project, script and layer, by the usual rules (see `choices`)."""
    counts: dict[tuple[str, str, str], dict[str, Any]] = {}
    rules = Rules()
    for found in recordings:
        for layer, segments in found.layers.items():
            for script in sorted(texts_of(segments)):
                key = (found.project, script, layer)
                item = counts.setdefault(key, {"segments": 0, "seconds": 0.0, "speakers": set(), "recordings": 0})
                item["recordings"] += 1
                for segment in segments:
                    why, start, end = judge(segment, found, script, rules, needs_audio=needs_audio)
                    if not why:
                        item["segments"] += 1
                        whole = start is None or end is None
                        item["seconds"] += (found.seconds or 0.0) if whole else end - start  # type: ignore[operator]
                        item["speakers"].update((segment.speaker or "").split("+"))
    return [
        {
            **dict(zip(("project", "script", "layer"), key, strict=True)),
            **item,
            "seconds": round(item["seconds"], 3),
            "speakers": sorted(item["speakers"] - {""}),
        }
        for key, item in sorted(counts.items())
    ]


def measure(audio: Path) -> tuple[float | None, str]:
    """Return the length of a file in seconds, where its header says it, and the code of what is wrong with it."""
    from autotrain_gradio.data.media.audio_files import AudioError, header

    try:
        found = header(audio)
    except AudioError:
        return None, "audio-unreadable"
    if found.seconds is not None and found.seconds <= 0:
        return None, "audio-unreadable"
    return found.seconds, ""


def link(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the file system knows no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
