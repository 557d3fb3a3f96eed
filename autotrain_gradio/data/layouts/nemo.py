"""Manifests of NVIDIA NeMo: JSON lines with `audio_filepath`, `duration`, `text`, and perhaps `offset`.

Source of the format: NeMo's documentation, "Speech Classification / ASR Datasets: Preparing Custom ASR Data". `offset`
and `duration` are seconds; with an offset a row is a part of its file.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.file_names import Resolver, found_elsewhere
from autotrain_gradio.data.layouts.utterances import (
    Utterance,
    find_audio,
    raw_of,
    read_head,
    read_lines,
    recognize_files,
)
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected

SUFFIXES = (".json", ".jsonl", ".ndjson", ".manifest")
AUDIO, TEXT = "audio_filepath", "text"


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are manifests, and audio files."""
    none = f"no JSON lines have {AUDIO} and {TEXT}"
    return recognize_files(_manifests(tree), tree, request, 0.9, none, "{holds} the rows (a manifest of NeMo)")


def _manifests(tree: Tree) -> list[Entry]:
    return [f for f in tree.tables(SUFFIXES) if {AUDIO, TEXT} <= _parse(read_head(tree, f).partition("\n")[0]).keys()]


def _parse(line: str) -> Mapping[str, Any]:
    """Return the object of a line, an empty one for anything else."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each line: the whole file, or the part from its offset."""
    resolver = Resolver(tree, request.files.suffixes)
    manifests = _manifests(tree)
    splits: dict[str, list[Utterance]] = {}
    names, findings = split_names.of_entries(manifests, tree, request.spec)
    for number, entry in enumerate(manifests):
        progress(f"Reading {entry.name}", number / len(manifests))
        damaged: list[str] = []
        moved: list[str] = []
        rows = splits.setdefault(names[entry.path], [])
        for line, content in read_lines(tree, entry.path, findings, request.spec.encoding):
            row = _parse(content)
            try:
                start, end = _segment(row)
            except (TypeError, ValueError, OverflowError):
                row = {}
            if not isinstance(row.get(AUDIO), str):
                damaged.append(f"row {line}: {content[:60]}")
                continue
            found = find_audio(row[AUDIO], entry.folder, resolver, moved, f"row {line}")
            found = found or os.path.basename(row[AUDIO].replace("\\", "/"))
            text, speaker = (None if row.get(n) is None else str(row[n]) for n in (TEXT, "speaker"))
            rows.append(Utterance(f"{entry.path}, row {line}: {found}", found, text, start, end, speaker))
        text = f"{{n}} {{has}} no {AUDIO} or times that are not numbers, and {{was}} skipped"
        hint = "Write a JSON object on each line, with times in seconds, or remove them."
        findings += report_examples("warning", "manifest-damaged", text, damaged, "line", hint, entry.path)
        findings += found_elsewhere(moved, entry.path)
    return raw_of(splits, request, findings, [entry.path for entry in manifests])


def _segment(row: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Return start and end in seconds: (None, None) without an offset, no end without a duration.

    Raises:
        TypeError, ValueError, OverflowError: one of them is not a finite number.
    """
    offset, duration = row.get("offset"), row.get("duration")
    if offset is None:
        return None, None
    start = float(offset)
    end = None if duration is None else start + float(duration)
    if not math.isfinite(end or start):
        raise ValueError("not a time")
    return start, end
