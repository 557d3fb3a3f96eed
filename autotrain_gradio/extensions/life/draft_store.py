"""Recordings and transcripts in the draft (`data/life`), with pseudonyms instead of names of people.

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
from autotrain_gradio.extensions.life import catalog
from autotrain_gradio.extensions.life.catalog import Layer, Project, Script, Selection
from autotrain_gradio.extensions.life.documents import Pseudonyms, Recording, Segment, scripts_with_text

VERSION = 1
FOLDER = "life"
AUDIO = "audio"
END_TOLERANCE_SECONDS = 0.05
"""How much later than the audio a segment may end, because times are rounded; the end is clipped to the audio."""
SKIP_REASONS = {
    "empty-text": "without text in this script",
    "silence": "silent",
    "bad-times": "with an end that is not after the start",
    "out-of-bounds": "beyond the end of the audio",
    "too-short": "too short",
    "too-long": "too long",
    "audio-missing": "without audio file",
    "audio-unreadable": "with audio that cannot be decoded",
    "deleted": "of recordings deleted in LiFE",
    "not-transcribed": "of recordings marked as not transcribed in LiFE",
}
"""Reason code → text for the segments that are skipped for it."""


@dataclass(frozen=True)
class SegmentFilter:
    """Which segments are usable. silence: text of silent segments; shortest, longest: seconds."""

    silence: str = "0"
    shortest: float = 0.1
    longest: float = 300.0


@dataclass(frozen=True)
class SegmentRow:
    """A usable segment. start, end: seconds in the audio file; None: the whole file."""

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
class RecordingStore:
    """The imported data of a draft: projects, scripts, layers, segments."""

    folder: Path
    index: Mapping[str, Any]
    skipped: Counter[str] = field(default_factory=Counter)
    """Reason code → segments skipped by the last complete `iter_segments`."""

    @classmethod
    def open(cls, draft: Path, place: str | None = None) -> RecordingStore | None:
        """Return the store of the draft; None if there is none, or if it belongs to another path."""
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
        return catalog.list_scripts(self.index["catalogue"], projects)

    def list_datasets(self, projects: Iterable[str], script: str) -> list[Layer]:
        """List the layers that have text in a script."""
        return catalog.list_datasets(self.index["catalogue"], self.index["layers"], projects, script)

    def recordings(self) -> Iterator[Recording]:
        """Yield all recordings."""
        with (self.folder / "recordings.jsonl").open(encoding="utf-8") as file:
            for line in file:
                found = json.loads(line)
                found["layers"] = {k: [Segment(*s) for s in v] for k, v in found["layers"].items()}
                yield Recording(**found)

    def replace_recordings(self, recordings: Iterable[Recording]) -> RecordingStore:
        """Replace all recordings, and return the new store."""
        found = list(recordings)
        path = self.folder / "recordings.jsonl"
        partial = path.with_name("recordings.partial")
        write_recordings(partial, found)
        os.replace(partial, path)
        index = {**self.index, "catalogue": build_catalog(found, needs_audio=not self.index["remote"])}
        write_json(self.folder / "index.json", index)
        return RecordingStore(self.folder, index)

    def iter_segments(
        self, selection: Selection, segment_filter: SegmentFilter = SegmentFilter()
    ) -> Iterator[SegmentRow]:  # noqa: B008 - immutable
        """Yield the usable segments of a selection, in the order of the recordings; count the skipped ones."""
        skipped: Counter[str] = Counter()
        wanted = set(selection.projects)
        for number, found in enumerate(self.recordings()):
            if found.project not in wanted:
                continue
            for place, segment in enumerate(found.layers.get(selection.dataset, ())):
                why, start, end = check_segment(
                    segment, found, selection.script, segment_filter, needs_audio=not self.index["remote"]
                )
                if why:
                    skipped[why] += 1
                    continue
                yield SegmentRow(
                    found.file or "",
                    start,
                    end,
                    segment.texts[selection.script],
                    segment.speaker,
                    found.group,
                    found.project,
                    f"{number}-{place}",
                    (end - start) if start is not None and end is not None else found.seconds or 0.0,
                )
        self.skipped = skipped


def check_segment(
    segment: Segment, recording: Recording, script: str, segment_filter: SegmentFilter, *, needs_audio: bool = True
) -> tuple[str, float | None, float | None]:
    """Return the reason code why a segment is skipped ('' if it is usable), and its start and end in the audio."""
    start, end, text = segment.start, segment.end, segment.texts.get(script, "")
    if recording.problem:
        return recording.problem, start, end
    if not text:
        return "empty-text", start, end
    if text == segment_filter.silence:
        return "silence", start, end
    if recording.file is None and needs_audio:
        return "audio-missing", start, end
    seconds = recording.seconds
    if start is None or end is None:
        length = seconds
    else:
        if end <= start:
            return "bad-times", start, end
        if start < 0 or (seconds is not None and end > seconds + END_TOLERANCE_SECONDS):
            return "out-of-bounds", start, end
        end = end if seconds is None else min(end, seconds)
        length = end - start
    if length is not None and length < segment_filter.shortest:
        return "too-short", start, end
    if length is not None and length > segment_filter.longest:
        return "too-long", start, end
    return "", start, end


@dataclass
class StoreWriter:
    """Write a new store, which replaces the earlier one at `finish`."""

    draft: Path
    place: str
    format: str = ""
    remote: str = ""
    stamp: str = ""
    """Digest of the sizes and times of local files, to detect changes; empty for other paths."""
    projects: list[Project] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    names: Pseudonyms = field(default_factory=Pseudonyms)
    _recordings: list[Recording] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.partial = self.draft / "data" / "picking" / "store"
        shutil.rmtree(self.partial, ignore_errors=True)
        (self.partial / AUDIO).mkdir(parents=True)

    def add(self, recording: Recording, audio: Path | None) -> None:
        """Add a recording, and its audio under a number; unreadable audio is recorded as its problem."""
        if audio is not None:
            name = f"{AUDIO}/{len(self._recordings) + 1:05}{audio.suffix.lower() or '.wav'}"
            seconds, problem = probe_audio(audio)
            recording.problem = recording.problem or problem
            recording.seconds = recording.seconds if problem or seconds is None else seconds
            if not problem:
                link_or_copy(audio, self.partial / name)
                recording.file = name
        self._recordings.append(recording)

    def finish(self) -> RecordingStore:
        """Write the store, and return it.

        Raises:
            DataError: the store has no recording.
        """
        if not self._recordings:
            raise DataError(
                "No transcribed recording was found.",
                "Export the project from LiFE as JSON with its audio.",
                "data.path",
                "life-empty",
            )
        self._clean_scripts()
        write_recordings(self.partial / "recordings.jsonl", self._recordings)
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
            "catalogue": build_catalog(self._recordings, needs_audio=not self.remote),
            "findings": [f.to_dict() for f in self.findings],
        }
        write_json(self.partial / "index.json", index)
        final = self.draft / "data" / FOLDER
        shutil.rmtree(final, ignore_errors=True)
        self.partial.rename(final)
        return RecordingStore(final, index)

    def _clean_scripts(self) -> None:
        """Remove names of people from the names of scripts (a tier may be named after a speaker)."""
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


def write_recordings(path: Path, recordings: Iterable[Recording]) -> None:
    """Write one JSON line per recording."""
    with path.open("w", encoding="utf-8") as file:
        for found in recordings:
            file.write(json.dumps(_to_json(found), ensure_ascii=False) + "\n")


def _to_json(recording: Recording) -> dict[str, Any]:
    layers = {k: [[s.start, s.end, s.speaker, s.texts] for s in v] for k, v in recording.layers.items()}
    return {**vars(recording), "layers": layers}


def build_catalog(recordings: Iterable[Recording], *, needs_audio: bool) -> list[dict[str, Any]]:
    """Count the usable segments of each project, script and layer, with the default filter (see `catalog`)."""
    counts: dict[tuple[str, str, str], dict[str, Any]] = {}
    segment_filter = SegmentFilter()
    for found in recordings:
        for layer, segments in found.layers.items():
            for script in sorted(scripts_with_text(segments)):
                key = (found.project, script, layer)
                item = counts.setdefault(key, {"segments": 0, "seconds": 0.0, "speakers": set(), "recordings": 0})
                item["recordings"] += 1
                for segment in segments:
                    why, start, end = check_segment(segment, found, script, segment_filter, needs_audio=needs_audio)
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


def probe_audio(audio: Path) -> tuple[float | None, str]:
    """Return the duration of a file in seconds (None: unknown), and a reason code ('' if its header is readable)."""
    from autotrain_gradio.data.media.audio_files import AudioError, header

    try:
        found = header(audio)
    except AudioError:
        return None, "audio-unreadable"
    if found.seconds is not None and found.seconds <= 0:
        return None, "audio-unreadable"
    return found.seconds, ""


def link_or_copy(source: Path, target: Path) -> None:
    """Hard-link a file, or copy it where the file system has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
