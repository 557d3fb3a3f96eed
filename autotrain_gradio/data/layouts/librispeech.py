"""LibriSpeech: `<speaker>-<chapter>.trans.txt` beside audio files; each line starts with the name of one.

Source of the format: Panayotov, Chen, Povey and Khudanpur, "LibriSpeech: an ASR corpus based on public domain audio
books" (2015), and its README.
"""

from __future__ import annotations

import os
from pathlib import Path

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.utterances import Utterance, by_stem, raw_of, read_lines, recognize_files, splits_of
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected

ENDING = ".trans.txt"


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are transcripts of LibriSpeech beside audio files."""
    none = f"no file's name ends in {ENDING}"
    return recognize_files(_tables(tree), tree, request, 0.95, none, "{holds} the transcripts")


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each line. Speaker and chapter are the first two fields of its id."""
    tables = _tables(tree)
    folders = {t.folder for t in tables}
    audio = {k: p for k, p in by_stem(tree, request.files.suffixes).items() if k[0] in folders}
    splits: dict[str, list[Utterance]] = {}
    findings: list[Finding] = []
    names = splits_of(tables, tree, request, findings)
    for number, entry in enumerate(tables):
        progress(f"Reading {entry.name}", number / len(tables))
        rows = splits.setdefault(names[entry.path], [])
        for line, content in read_lines(tree, entry.path, findings, request.spec.encoding):
            name, _, transcript = content.partition(" ")
            parts = name.split("-")
            rows.append(
                Utterance(
                    f"{entry.path}, row {line}: {name}",
                    audio.get((entry.folder, name.lower())) or os.path.join(entry.folder, f"{name}.flac"),
                    transcript.strip() or None,
                    speaker=parts[0] if len(parts) > 1 else None,
                    recording="-".join(parts[:2]) if len(parts) > 2 else None,
                )
            )
    named = {row.audio for rows in splits.values() for row in rows}
    untranscribed = [path for path in audio.values() if path not in named]
    text = f"{{n}} {{has}} no line in a {ENDING} file and {{was}} skipped"
    hint = "Write their transcripts, or remove the files."
    findings += report_examples("warning", "audio-without-text", text, untranscribed, "audio file", hint)
    raw = raw_of(splits, request, findings, [t.path for t in tables])
    raw.reported.update(untranscribed)
    return raw


def _tables(tree: Tree) -> list[Entry]:
    return [f for f in tree.tables((".txt",)) if f.name.lower().endswith(ENDING)]
