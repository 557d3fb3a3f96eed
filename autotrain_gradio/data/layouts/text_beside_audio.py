"""A text file with the transcript for each audio file: `talk1.txt` or `talk1.lab` beside `talk1.wav`.

The texts may lie in a folder of their own, under the same names: `txt/p225/p225_001.txt` and `wav/p225/p225_001.wav` in
VCTK.
"""

from __future__ import annotations

import re
from pathlib import Path

from autotrain_gradio.core.text_format import count_with_verb, join_examples, pluralize
from autotrain_gradio.data.files.encoding import decode_together
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.utterances import Utterance, by_stem, raw_of, read_head, splits_of
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected

SUFFIXES = (".txt", ".lab")
LARGEST = 1_000_000
"""Maximum size in bytes of a transcript: more is the text of something else."""
ALIGNED = re.compile(r"\d+ \d+ \S+.*")
"""A line of HTK's labels: start and end in 100 ns, and a phone or word."""


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether most audio files have a text file of their name."""
    if tree.only is not None:
        return Rejected("one file was named, not a folder")
    audio = tree.with_suffix(request.files.suffixes)
    pairs, others = _pairs(tree, request)
    if not pairs:
        return Rejected(f"no {request.files.name} file has a text of its name ({' '.join(SUFFIXES)})")
    labels = [t.path for _, t in pairs if t.suffix == ".lab" and _is_aligned(read_head(tree, t))]
    if len(labels) == len(pairs):
        return Rejected(f"{join_examples(labels)} hold the times of phones (HTK), not transcripts")
    few = len(pairs) < max(len(audio), len(others)) / 2
    count = count_with_verb(len(pairs), f"{request.files.name} file", "has")
    return Recognized(0.3 if few else 0.75, f"{count} a text of its name, such as {pairs[0][1].path}")


def _is_aligned(head: str) -> bool:
    lines = [line for line in head.split("\n") if line.strip()]
    return bool(lines) and all(ALIGNED.fullmatch(line.strip()) for line in lines)


def _pairs(tree: Tree, request: Request) -> tuple[list[tuple[str, Entry]], list[Entry]]:
    """Return the audio files with their texts, and the texts without audio.

    The audio of a text is the one of its name beside it, else the only one of its name.
    """
    beside = by_stem(tree, request.files.suffixes)
    anywhere: dict[str, list[str]] = {}
    for (_, stem), path in beside.items():
        anywhere.setdefault(stem, []).append(path)
    pairs: dict[str, Entry] = {}
    others: list[Entry] = []
    for text in sorted(tree.with_suffix(SUFFIXES), key=lambda f: SUFFIXES.index(f.suffix)):
        stem = text.stem.lower()
        named = anywhere.get(stem, [])
        found = beside.get((text.folder, stem)) or (named[0] if len(named) == 1 else None)
        if found is None or found in pairs or text.size > LARGEST:
            others.append(text)
        else:
            pairs[found] = text
    return [(path, pairs[path]) for path in beside.values() if path in pairs], others


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each audio file with a text; lines of a text are joined."""
    pairs, others = _pairs(tree, request)
    contents = []
    for number, (_, entry) in enumerate(pairs):
        progress(f"Reading {pluralize(len(pairs), 'text')}", number / len(pairs))
        contents.append(tree.read(entry.path))
    texts, findings = decode_together(contents, [entry.path for _, entry in pairs], request.spec.encoding)
    names = splits_of([tree.by_path[path] for path, _ in pairs], tree, request, findings)
    splits: dict[str, list[Utterance]] = {}
    for (path, entry), text in zip(pairs, texts, strict=True):
        splits.setdefault(names[path], []).append(Utterance(entry.path, path, " ".join(text.split()) or None))
    named = {path for path, _ in pairs}
    without = [path for path in by_stem(tree, request.files.suffixes).values() if path not in named]
    text, hint = "{n} {has} no text of {its} name and {was} skipped", "Write their transcripts, or remove the files."
    findings += report_examples("warning", "audio-without-text", text, without, "audio file", hint)
    text, hint = "{n} {has} no audio file of {its} name and {was} skipped", "Rename them if they are transcripts."
    findings += report_examples("info", "text-without-audio", text, [f.path for f in others], "text file", hint)
    raw = raw_of(splits, request, findings, [entry.path for _, entry in pairs])
    raw.reported.update(without, (f.path for f in others))
    return raw
