"""A data directory of Kaldi: `wav.scp` and `text`, and perhaps `segments` and `utt2spk`.

Source of the format: Kaldi's documentation, "Data preparation". Two forms of `wav.scp` are refused here: a
command whose output is the audio (`sph2pipe … |`), which would run untrusted code, and offsets in archives.
"""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.file_names import Resolver, found_elsewhere
from autotrain_gradio.data.layouts.utterances import Utterance, find_audio, raw_of, read_lines, splits_of
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected

SCP, TEXT, SEGMENTS, SPEAKERS = "wav.scp", "text", "segments", "utt2spk"


_Table = dict[str, tuple[int, str]]
"""Key → (line, rest of the line)."""


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether a folder holds `wav.scp` and `text`."""
    scripts = _scripts(tree)
    if not scripts:
        return Rejected(f"no folder holds both {SCP} and {TEXT}")
    return Recognized(0.95, f"{join_examples([s.path for s in scripts])} and {TEXT} beside it")


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each utterance: the whole file, or its segment."""
    resolver = Resolver(tree, request.files.suffixes)
    splits: dict[str, list[Utterance]] = {}
    findings: list[Finding] = []
    files_read: list[str] = []
    scripts = _scripts(tree)
    names = splits_of(scripts, tree, request, findings) if len(scripts) > 1 else {}
    for number, entry in enumerate(scripts):
        progress(f"Reading {entry.path}", number / len(scripts))
        paths = {name: os.path.join(entry.folder, name) for name in (SCP, TEXT, SEGMENTS, SPEAKERS)}
        paths = {name: path for name, path in paths.items() if path in tree.by_path}
        tables = {name: _read_table(tree, path, findings, request.spec.encoding) for name, path in paths.items()}
        files = _find_files(tables[SCP], entry, resolver, findings)
        splits.setdefault(names.get(entry.path, ""), []).extend(_utterances(tables, paths, files, findings))
        files_read += paths.values()
    return raw_of(splits, request, findings, files_read)


def _scripts(tree: Tree) -> list[Entry]:
    return [f for f in tree.files if f.name == SCP and os.path.join(f.folder, TEXT) in tree.by_path]


def _read_table(tree: Tree, path: str, findings: list[Finding], encoding: str) -> _Table:
    table: _Table = {}
    repeated = []
    for line, content in read_lines(tree, path, findings, encoding):
        key, *rest = content.split(maxsplit=1)
        if key in table:
            repeated.append(f"'{key}' in row {line}")
        else:
            table[key] = (line, rest[0] if rest else "")
    text, hint = "{n} {occurs} twice; the first one is used", "Give each utterance a name of its own."
    findings += report_examples("warning", "key-twice", text, repeated, "key", hint, path)
    return table


def _find_files(table: _Table, entry: Entry, resolver: Resolver, findings: list[Finding]) -> dict[str, str | None]:
    """Return key of `wav.scp` → relative path; refused entries are None."""
    commands: list[str] = []
    archives: list[str] = []
    moved: list[str] = []
    files: dict[str, str | None] = {}
    for key, (line, value) in table.items():
        files[key] = None
        if value.endswith("|"):
            commands.append(f"row {line}: {value[:60]}")
        elif re.search(r"\.ark:\d+$", value):
            archives.append(f"row {line}: {value[:60]}")
        elif value:
            found = find_audio(value, entry.folder, resolver, moved, f"row {line}")
            files[key] = found or os.path.basename(value.replace("\\", "/"))
    findings += found_elsewhere(moved, entry.path)
    text = "{n} {names} a command instead of a file, and commands are not run"
    hint = "Run the commands yourself, save their output as WAV or FLAC, and use the paths of those files."
    findings += report_examples("error", "command-refused", text, commands, "row", hint, entry.path)
    text = "{n} {names} an offset in a Kaldi archive, which is not read"
    hint = "Copy the audio out with wav-copy, one file each."
    findings += report_examples("error", "ark-refused", text, archives, "row", hint, entry.path)
    return files


def _utterances(
    tables: dict[str, _Table], paths: dict[str, str], files: dict[str, str | None], findings: list[Finding]
) -> list[Utterance]:
    texts, speakers, segments = tables[TEXT], tables.get(SPEAKERS, {}), tables.get(SEGMENTS)
    audio = files if segments is None else segments
    found: list[Utterance] = []
    lost: list[str] = []
    damaged: list[str] = []
    for key in dict.fromkeys([*texts, *audio]):
        recording = key
        start: float | None = None
        end: float | None = None
        if key not in audio:
            lost.append(f"'{key}'")
        elif segments is not None:
            line, value = segments[key]
            try:
                recording, first, last = value.split()[:3]
                start, end = float(first), float(last)
                if not math.isfinite(start + end):
                    raise ValueError("not a time")
            except ValueError:
                recording, start, end = "", None, None
                damaged.append(f"'{key}' (row {line}: {value[:40]})")
            if end is not None and end < 0:
                end = None  # Kaldi's -1: to the end of the file
        line, text = texts.get(key, (0, ""))
        place = f"{paths[TEXT]}, row {line}: {key}" if line else f"{paths[SCP]}: {key}"
        speaker = speakers.get(key, (0, ""))[1] or None
        path = files.get(recording) if key in audio else None
        found.append(Utterance(place, path, text or None, start, end, speaker, recording or None))
    name = SCP if segments is None else SEGMENTS
    text, hint = "{n} {has} no file and two times and {was} skipped", "Write: utterance recording start end."
    findings += report_examples("warning", "segment-damaged", text, damaged, "utterance", hint, paths[name])
    text, hint = f"{{n}} {{is}} in no row of {name} and {{was}} skipped", "Add a row for each."
    findings += report_examples("warning", "utterance-without-audio", text, lost, "utterance", hint, paths[name])
    return found
