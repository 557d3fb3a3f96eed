"""LibriSpeech: `<speaker>-<chapter>.trans.txt` beside audio files; each line starts with the name of one.

Source of the format: Panayotov, Chen, Povey and Khudanpur, "LibriSpeech: an ASR corpus based on public domain audio
books" (2015), and its README.
"""

from __future__ import annotations

from pathlib import Path

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import count_with_verb, inflect, join_examples, pluralize
from autotrain_gradio.data.files.encoding import decode
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.utterances import Utterance, by_stem, raw_of, split_of
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected

ENDING = ".trans.txt"


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are transcripts of LibriSpeech beside audio files."""
    if request.media is None:
        return Rejected("this task reads no files")
    tables = _tables(tree)
    if not tables:
        return Rejected(f"no file's name ends in {ENDING}")
    if not tree.with_suffix(request.media.suffixes):
        return Rejected(f"there are no {request.media.name} files beside {tables[0].path}")
    return Recognized(0.95, f"{pluralize(len(tables), 'file')} such as {tables[0].path} hold the transcripts")


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each line. Speaker and chapter are the first two fields of its id."""
    assert request.media is not None  # recognize() has seen it
    tables = _tables(tree)
    folders = {t.folder for t in tables}
    audio = {k: p for k, p in by_stem(tree, request.media.suffixes).items() if k[0] in folders}
    splits: dict[str, list[Utterance]] = {}
    findings: list[Finding] = []
    named = set()
    for number, entry in enumerate(tables):
        progress(f"Reading {entry.name}", number / len(tables))
        text, found = decode((tree.root / entry.path).read_bytes(), entry.path)
        findings += found
        rows = splits.setdefault(split_of(entry, tree, request), [])
        for line, content in enumerate(text.split("\n"), 1):
            if not content.strip():
                continue
            name, _, transcript = content.strip().partition(" ")
            path = audio.get((entry.folder, name.lower()))
            named.add(path)
            parts = name.split("-")
            rows.append(
                Utterance(
                    f"{entry.path}, row {line}: {name}",
                    path or (f"{entry.folder}/{name}.flac" if entry.folder else f"{name}.flac"),
                    transcript.strip() or None,
                    speaker=parts[0] if len(parts) > 1 else None,
                    recording="-".join(parts[:2]) if len(parts) > 2 else None,
                )
            )
    raw = raw_of(splits, request)
    raw.files_read = [t.path for t in tables]
    untranscribed = [p for p in audio.values() if p not in named]
    if untranscribed:
        findings.append(
            Finding(
                "warning",
                "audio-without-text",
                f"{count_with_verb(len(untranscribed), 'audio file', 'has')} no line in a {ENDING} "
                f"file and {inflect(len(untranscribed), 'was')} skipped: {join_examples(untranscribed)}.",
                "Write their transcripts, or remove the files.",
            )
        )
    raw.findings = findings
    return raw


def _tables(tree: Tree) -> list[Entry]:
    return [f for f in tree.tables((".txt",)) if f.name.lower().endswith(ENDING)]
