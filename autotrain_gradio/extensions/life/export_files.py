"""The files of an export: by format, and audio by name."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autotrain_gradio.core.file_types import AUDIO_SUFFIXES
from autotrain_gradio.data.files.tree import Entry, Tree

SLICE_SUFFIX = re.compile(r"-slice\d+")
"""Suffix that LiFE gives to the slices of one recording."""


def delimiter_of(entry: Entry) -> str:
    """Return what separates the cells of a table, by its extension."""
    return "\t" if entry.suffix == ".tsv" else ","


@dataclass
class DetectedFiles:
    """The files of each format. mappings: file name → JSON value; unreadable: number of invalid JSON files."""

    documents: list[Entry] = field(default_factory=list)
    textgrids: list[Entry] = field(default_factory=list)
    tables: list[Entry] = field(default_factory=list)
    datasets: list[Entry] = field(default_factory=list)
    mappings: dict[str, Any] = field(default_factory=dict)
    plain: list[Entry] = field(default_factory=list)
    unreadable: int = 0

    @property
    def format(self) -> str:
        """Letter of the first detected format (A includes B), or ''."""
        groups = {"A": self.documents, "C": self.textgrids, "D": self.tables, "E": self.datasets, "F": self.plain}
        return next((letter for letter, files in groups.items() if files), "")


class AudioIndex:
    """Finds audio files by name: first in the folder of the file that names them, else anywhere."""

    def __init__(self, tree: Tree) -> None:
        self._root = tree.root
        self._names: dict[str, list[str]] = {}
        self._stems: dict[str, list[str]] = {}
        for entry in tree.with_suffix(AUDIO_SUFFIXES):
            self._names.setdefault(entry.name.lower(), []).append(entry.path)
            self._stems.setdefault(entry.stem.lower(), []).append(entry.path)

    def find(self, name: Any, folder: str) -> tuple[Path, bool] | None:
        """Return the file and whether it is in the folder; None for no match, or several."""
        bare = str(name).replace("\\", "/").rpartition("/")[2].lower()
        found = self._names.get(bare) or self._stems.get(bare) or self._stems.get(bare.rpartition(".")[0]) or []
        near = [p for p in found if p.rpartition("/")[0] == folder]
        chosen = near if len(near) == 1 else found
        return (self._root / chosen[0], bool(near)) if len(chosen) == 1 else None


def plain_columns(header: list[str]) -> tuple[int, int] | None:
    """Return the positions of the columns `audio` and `transcription`, or None if one is missing."""
    names = [h.strip().lower() for h in header]
    return (names.index("audio"), names.index("transcription")) if {"audio", "transcription"} <= set(names) else None


def load_json(path: Path) -> Any:
    """Parse a JSON file, with or without a byte order mark."""
    return json.loads(path.read_bytes().decode("utf-8-sig"))
