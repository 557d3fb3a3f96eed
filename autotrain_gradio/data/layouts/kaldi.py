"""A data directory of Kaldi: `wav.scp` and `text`, and perhaps `segments` and `utt2spk`.

Source of the format: Kaldi's documentation, "Data preparation". Two forms of `wav.scp` are refused here: a
command whose output is the audio (`sph2pipe … |`), which would run untrusted code, and offsets in archives.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import count_with_verb, format_count, join_examples
from autotrain_gradio.data.files.encoding import decode
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.table_with_files import Resolver, found_elsewhere
from autotrain_gradio.data.layouts.utterances import Utterance, moved, raw_of, split_of
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected

SCP, TEXT, SEGMENTS, SPEAKERS = "wav.scp", "text", "segments", "utt2spk"


@dataclass
class _Directory:
    """One directory's files, read: key → (line, rest of the line)."""

    entry: Entry
    tables: dict[str, dict[str, tuple[int, str]]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def path(self, name: str) -> str:
        return f"{self.entry.folder}/{name}" if self.entry.folder else name


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether a folder holds `wav.scp` and `text`."""
    if request.media is None:
        return Rejected("this task reads no files")
    scripts = _scripts(tree)
    if not scripts:
        return Rejected(f"no folder holds both {SCP} and {TEXT}")
    return Recognized(0.95, f"{join_examples([s.path for s in scripts])} and {TEXT} beside it")


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each utterance: the whole file, or its segment."""
    assert request.media is not None  # recognize() has seen it
    resolver = Resolver(tree, request.media.suffixes)
    splits: dict[str, list[Utterance]] = {}
    findings: list[Finding] = []
    read_files = []
    scripts = _scripts(tree)
    for number, entry in enumerate(scripts):
        progress(f"Reading {entry.path}", number / len(scripts))
        directory = _read(entry, tree)
        files = _audio(directory, resolver)
        split = split_of(entry, tree, request) if len(scripts) > 1 else ""
        splits.setdefault(split, []).extend(_utterances(directory, files))
        findings += directory.findings
        read_files += [directory.path(name) for name in directory.tables]
    raw = raw_of(splits, request)
    raw.findings, raw.files_read = findings, read_files
    return raw


def _scripts(tree: Tree) -> list[Entry]:
    return [f for f in tree.files if f.name == SCP and (f"{f.folder}/{TEXT}" if f.folder else TEXT) in tree.by_path]


def _read(entry: Entry, tree: Tree) -> _Directory:
    directory = _Directory(entry)
    for name in (SCP, TEXT, SEGMENTS, SPEAKERS):
        path = directory.path(name)
        if path not in tree.by_path:
            continue
        text, found = decode((tree.root / path).read_bytes(), path)
        directory.findings += found
        table = directory.tables[name] = {}
        twice = []
        for line, content in enumerate(text.split("\n"), 1):
            if not content.strip():
                continue
            key, *rest = content.strip().split(maxsplit=1)
            if key in table:
                twice.append(f"'{key}' in row {line}")
                continue
            table[key] = (line, rest[0].strip() if rest else "")
        if twice:
            directory.findings.append(
                Finding(
                    "warning",
                    "key-twice",
                    f"{count_with_verb(len(twice), 'key', 'occurs')} twice; the first "
                    f"one is used: {join_examples(twice)}.",
                    "Give each utterance a name of its own.",
                    path,
                )
            )
    return directory


def _audio(directory: _Directory, resolver: Resolver) -> dict[str, str | None]:
    """Return key of `wav.scp` → relative path; refused entries are None."""
    commands, archives, others = [], [], []
    files: dict[str, str | None] = {}
    for key, (line, value) in directory.tables[SCP].items():
        files[key] = None
        if value.endswith("|"):
            commands.append(f"row {line}: {value[:60]}")
        elif re.search(r"\.ark:\d+$", value):
            archives.append(f"row {line}: {value[:60]}")
        elif value:
            found, elsewhere = moved(value, directory.entry.folder, resolver)
            if found and elsewhere:
                others.append(f"row {line}: {value} → {found}")
            files[key] = found or value.replace("\\", "/").rpartition("/")[2]
    where = directory.path(SCP)
    directory.findings += found_elsewhere(others, where)
    if commands:
        directory.findings.append(
            Finding(
                "error",
                "command-refused",
                f"{count_with_verb(len(commands), 'row', 'names')} a command instead of a "
                f"file, and commands are not run: {join_examples(commands)}.",
                "Run the commands yourself, save their output as WAV or FLAC, and use the paths of those files.",
                where,
            )
        )
    if archives:
        directory.findings.append(
            Finding(
                "error",
                "ark-refused",
                f"{count_with_verb(len(archives), 'row', 'names')} an offset in a Kaldi "
                f"archive, which is not read: {join_examples(archives)}.",
                "Copy the audio out with wav-copy, one file each.",
                where,
            )
        )
    return files


def _seconds(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise ValueError("not a time")
    return found


def _utterances(directory: _Directory, files: dict[str, str | None]) -> list[Utterance]:
    texts, speakers = directory.tables[TEXT], directory.tables.get(SPEAKERS, {})
    segments = directory.tables.get(SEGMENTS)
    keys = list(dict.fromkeys([*texts, *(segments if segments is not None else files)]))
    found: list[Utterance] = []
    lost: list[str] = []
    damaged: list[str] = []
    for key in keys:
        recording, start, end = key, None, None
        if segments is not None:
            line, value = segments.get(key, (0, ""))
            parts = value.split()
            try:
                recording, start, end = parts[0], _seconds(parts[1]), _seconds(parts[2])
            except (IndexError, ValueError):
                recording = ""
                (damaged if line else lost).append(f"'{key}'" + (f" (row {line}: {value[:40]})" if line else ""))
            if end is not None and end < 0:
                end = None  # Kaldi's -1: to the end of the file
        elif key not in files:
            lost.append(f"'{key}'")
        line, text = texts.get(key, (0, ""))
        place = f"{directory.path(TEXT)}, row {line}: {key}" if line else f"{directory.path(SCP)}: {key}"
        speaker = speakers.get(key, (0, ""))[1] or None
        found.append(Utterance(place, files.get(recording), text or None, start, end, speaker, recording or None))
    where = SEGMENTS if segments is not None else SCP
    for code, names, text, hint in (
        ("segment-damaged", damaged, "{n} {has} no file and two times", "Write: utterance recording start end."),
        ("utterance-without-audio", lost, f"{{n}} {{is}} in no row of {where}", "Add a row for each."),
    ):
        if names:
            message = format_count(f"{text} and {{was}} skipped", len(names), "utterance")
            directory.findings.append(
                Finding("warning", code, f"{message}: {join_examples(names)}.", hint, directory.path(where))
            )
    return found
