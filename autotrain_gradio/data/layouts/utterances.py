"""Utterances: the rows of speech formats, with audio, times, transcript and speaker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import format_count, join_examples
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.encoding import WESTERN, decode, decode_as
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.file_names import Resolver
from autotrain_gradio.data.layouts.table_with_files import path_cells
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, RawTables, Recognized, Rejected

AUDIO = "audio"
HEAD = 4096
"""Bytes at the beginning of a file from which its format is recognized."""


@dataclass(frozen=True)
class Utterance:
    """One row. audio: relative path, None if it is missing. start, end: seconds, None: the whole file."""

    where: str
    audio: str | None
    text: str | None
    start: float | None = None
    end: float | None = None
    speaker: str | None = None
    recording: str | None = None


def raw_of(
    splits: dict[str, list[Utterance]], request: Request, findings: list[Finding], files_read: list[str]
) -> RawTables:
    """Make tables of utterances, one a split. Columns without any value are omitted."""
    raw = RawTables({}, kinds={AUDIO: request.files.name}, findings=findings, files_read=files_read)
    everything = [u for found in splits.values() for u in found]
    names = ("text", "start", "end", "speaker", "recording")
    used = [n for n in names if n == "text" or any(getattr(u, n) is not None for u in everything)]
    types = {"start": pa.float64(), "end": pa.float64()}
    for split, found in splits.items():
        columns: dict[str, Any] = {AUDIO: path_cells([u.audio for u in found])}
        for name in used:
            columns[name] = pa.array([getattr(u, name) for u in found], types.get(name, pa.string()))
        columns[LOCATION] = pa.array([u.where for u in found], pa.string())
        if found:
            raw.splits[split] = pa.table(columns)
    return raw


def read_lines(tree: Tree, path: str, findings: list[Finding], encoding: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines of a file that are not blank; its findings are added.

    encoding: of `DataSpec`.
    """
    text, found = decode(tree.read(path), path, encoding)
    findings += found
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line.strip()


def read_head(tree: Tree, entry: Entry) -> str:
    """Return the first whole lines of a file, by which its format is recognized; "" if it cannot be read."""
    if entry.path not in tree.heads:
        try:
            with (tree.root / entry.path).open("rb") as file:
                head = file.read(HEAD)
        except OSError:
            head = b""  # the layout that reads the file reports it
        if len(head) == HEAD:
            head = head[: head.rfind(b"\n") + 1]
        tree.heads[entry.path] = decode_lines(head, WESTERN)
    return tree.heads[entry.path]


def decode_lines(data: bytes, encoding: str) -> str:
    """Return the text of a file with the line ends of Unix. encoding: where it is not Unicode."""
    return decode_as(data, encoding).replace("\r\n", "\n").replace("\r", "\n")


def recognize_files(
    found: Sequence[Entry], tree: Tree, request: Request, confidence: float, none: str, text: str
) -> Recognized | Rejected:
    """Return whether there are files of a speech format, and audio files.

    none: the reason where there are no such files. text: what they do, a template of `format_count` without `{n}`.
    """
    if not found:
        return Rejected(none)
    if not tree.with_suffix(request.files.suffixes):
        return Rejected(f"there are no {request.files.name} files beside {found[0].path}")
    return Recognized(confidence, f"{join_examples([f.path for f in found])} {format_count(text, len(found), 'file')}")


def splits_of(entries: Sequence[Entry], tree: Tree, request: Request, findings: list[Finding]) -> dict[str, str]:
    """Return path → the split that a source or the name of a parent folder (`train-clean-100`) says; "" for none."""
    splits, found = split_names.of_entries(entries, tree, request.spec, by_name=False)
    findings += found
    return splits


def by_stem(tree: Tree, suffixes: Sequence[str]) -> dict[tuple[str, str], str]:
    """Return (folder, name without extension, lower case) → audio file; of several the first by its extension."""
    files = sorted(tree.with_suffix(suffixes), key=lambda f: suffixes.index(f.suffix), reverse=True)
    return {(f.folder, f.stem.lower()): f.path for f in files}


def find_audio(path: str, folder: str, resolver: Resolver, moved: list[str], where: str) -> str | None:
    """Find a file by a path that may come from another computer; one found elsewhere is added to `moved`."""
    found = resolver.find(path, folder)
    if found is None and (found := resolver.find_moved(path, folder)) is not None:
        moved.append(f"{where}: {path} → {found}")
    return found
