"""Files of timed annotations (Praat, ELAN, subtitles …) beside their audio: choose a tier, and return its rows."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from autotrain_gradio.core.errors import DataError, Finding, Fix, did_you_mean
from autotrain_gradio.core.text_format import MIB, format_bytes, join_examples, pluralize
from autotrain_gradio.data.files.encoding import common_encoding
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.file_names import Resolver, found_elsewhere
from autotrain_gradio.data.layouts.utterances import (
    Utterance,
    by_stem,
    decode_lines,
    find_audio,
    raw_of,
    read_head,
    recognize_files,
    splits_of,
)
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected

OPTION = "tier"
LARGEST = 200 * MIB
"""Maximum size in bytes of a file of annotations."""
OTHERS = 8
"""Most other tiers that are offered."""
DERIVED = re.compile(
    r"(?<![^\W_])(ft|ftr|fg|fe|translations?|free|übersetzung|traducci[oó]n|traduction|tradução|gloss(es)?|gls?|ge"
    r"|mb|ps|pos|notes?|comments?|kommentar|phones?|phonemes?|segments?)(?![^\W_])",
    re.IGNORECASE,
)
"""Names and linguistic types of tiers with translations, glosses, comments and phones, as FLEx, Toolbox and the manuals
of ELAN and Praat call them."""
NUMBERED = re.compile(r"(?=\S*\d)\S+")


class Interval(NamedTuple):
    """An annotated interval; start and end in seconds."""

    start: float
    end: float
    text: str


@dataclass
class Tier:
    """One tier of a file; its name is empty in formats without tiers.

    type: linguistic type of the tier, if the format has one. parent: the tier whose annotations it refers to: it is
    a translation or an analysis of that one, or the transcript of numbered sentences.
    """

    name: str
    intervals: list[Interval]
    speaker: str | None = None
    type: str = ""
    parent: str = ""


@dataclass
class Annotated:
    """One file. media: names of its audio files, as written in it. findings: about damaged parts."""

    tiers: list[Tier]
    media: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass
class _Statistics:
    """Statistics of the tiers of one name over all files."""

    segments: int = 0
    seconds: float = 0.0
    characters: int = 0
    example: str = ""
    types: set[str] = field(default_factory=set)
    parents: set[str] = field(default_factory=set)
    numbers: int = 0
    """Annotations that are one word with a digit, such as `text1.003`: references, not speech."""

    def __str__(self) -> str:
        length = f"{self.seconds / 3600:.2f} hours" if self.seconds >= 360 else f"{self.seconds:.0f} s"
        return f"{pluralize(self.segments, 'segment')}, {length}"


@dataclass(frozen=True)
class TierFormat:
    """A format of files with timed annotations.

    title: what messages call its files. suffixes: lower case. parse: parses the text of a file, given its name for
    messages; raises `DataError`. fits: returns whether the first lines of a file are of this format, where other files
    have its suffixes too.
    """

    title: str
    suffixes: tuple[str, ...]
    parse: Callable[[str, str], Annotated]
    fits: Callable[[str], bool] | None = None

    def files(self, tree: Tree) -> list[Entry]:
        """Return the files of this format."""
        found = tree.tables(self.suffixes)
        return [f for f in found if self.fits(read_head(tree, f))] if self.fits is not None else found


def recognize(tree: Tree, request: Request, *, format: TierFormat) -> Recognized | Rejected:
    """Return whether there are files of annotations, and audio files."""
    none = f"there are no {format.title} files ({' '.join(format.suffixes)})"
    return recognize_files(format.files(tree), tree, request, 0.85, none, "{holds} the annotations")


def read(tree: Tree, request: Request, draft: Path, progress: Progress, *, format: TierFormat) -> RawTables:
    """Return a row for each interval with text, of one tier or of those in `data.options.tier`."""
    found = format.files(tree)
    entries = [entry for entry in found if entry.size <= LARGEST]
    files: list[tuple[Entry, Annotated]] = []
    contents = [tree.read(entry.path) for entry in entries]
    encoding, findings = common_encoding(contents, [entry.path for entry in entries], request.spec.encoding)
    large = [f"{entry.path} ({format_bytes(entry.size)})" for entry in found if entry.size > LARGEST]
    text, hint = "{n} {is} too large and {was} skipped", "Save the annotations as several files."
    findings += report_examples("warning", "annotations-too-large", text, large, "file", hint)
    for number, (entry, content) in enumerate(zip(entries, contents, strict=True)):
        progress(f"Reading {entry.name}", number / len(entries))
        try:
            annotated = format.parse(decode_lines(content, encoding), entry.path)
        except DataError as error:
            findings += [replace(f, level="warning") for f in error.findings]
            continue
        findings += annotated.findings
        for tier in annotated.tiers:
            # Intervals without text are pauses.
            tier.intervals = [i._replace(text=i.text.strip()) for i in tier.intervals if i.text.strip()]
        files.append((entry, annotated))
    chosen = _choose_tiers(_statistics(files), request, findings)
    resolver, audio = Resolver(tree, request.files.suffixes), by_stem(tree, request.files.suffixes)
    splits: dict[str, list[Utterance]] = {}
    without: list[str] = []
    moved: list[str] = []
    names = splits_of([entry for entry, _ in files], tree, request, findings)
    for entry, annotated in files:
        tiers = [t for t in annotated.tiers if t.name in chosen and t.intervals]
        if not tiers:
            without.append(entry.path)
            continue
        path = _find_audio_of(entry, annotated, audio, resolver, moved)
        rows = [
            Utterance(
                f"{entry.path}, {tier.name} at {interval.start:.2f} s".replace(",  at", " at"),
                path,
                interval.text,
                interval.start,
                interval.end,
                tier.speaker or (tier.name if len(chosen) > 1 else None),
                entry.path.rpartition(".")[0],
            )
            for tier in tiers
            for interval in tier.intervals
        ]
        splits.setdefault(names[entry.path], []).extend(sorted(rows, key=lambda u: u.start or 0.0))
    findings += found_elsewhere(moved)
    if chosen:
        text = f"{{n}} {{has}} no text in the tier {' or '.join(repr(n) for n in chosen)}"
        hint = "Use the same tier names in all files."
        findings += report_examples("warning", "tier-missing-in-files", text, without, "file", hint)
    elif not any(f.level == "error" for f in findings):
        message = "No tier has an interval with text."
        findings.append(Finding("error", "no-tier", message, "Transcribe the speech in a tier.", "data"))
    return raw_of(splits, request, findings, [entry.path for entry in found])


def _statistics(files: Sequence[tuple[Entry, Annotated]]) -> dict[str, _Statistics]:
    """Return name → statistics of the tiers with text."""
    found: dict[str, _Statistics] = {}
    for tier in (t for _, annotated in files for t in annotated.tiers if t.intervals):
        known = found.setdefault(tier.name, _Statistics(example=tier.intervals[0].text[:60]))
        known.segments += len(tier.intervals)
        known.seconds += sum(i.end - i.start for i in tier.intervals)
        known.characters += sum(len(i.text) for i in tier.intervals)
        known.types.add(tier.type)
        known.parents.add(tier.parent)
        known.numbers += sum(NUMBERED.fullmatch(i.text) is not None for i in tier.intervals)
    return found


def _unlikely(name: str, statistics: _Statistics) -> tuple[bool, bool, bool]:
    """Return a sort key: tiers of translations and analyses, and of sentence numbers, come after transcripts."""
    derived = any(DERIVED.search(text) for text in (name, *statistics.types))
    return derived, statistics.numbers * 2 > statistics.segments, "" not in statistics.parents


def _choose_tiers(known: dict[str, _Statistics], request: Request, findings: list[Finding]) -> list[str]:
    """Return the tiers of the spec, or the one with the most text; report the others, with a fix to select them."""
    asked = request.spec.options.get(OPTION)
    names = [asked] if isinstance(asked, str) else [str(n) for n in asked or []]
    shown = {name: f"'{name}' ({statistics})" for name, statistics in known.items()}
    where = f"data.options.{OPTION}"
    for name in [n for n in names if n not in known][:1]:
        tiers = join_examples(list(shown.values()), limit=OTHERS) or "none"
        message = f"The tier '{name}' does not exist or has no text. Tiers: {tiers}."
        findings.append(Finding("error", "tier-unknown", message, did_you_mean(name, list(known)), where))
        return []
    by_text = sorted(known, key=lambda n: (_unlikely(n, known[n]), -known[n].characters, n))
    chosen = names or by_text[:1]
    if not chosen:
        return []
    most = max(known[n].characters for n in known)
    how = " It has the most text." if known[chosen[0]].characters == most else " It is likely to be the transcription."
    how = "" if names or len(known) == 1 else how
    for name in [n for n in chosen if n]:
        findings.append(Finding("info", "tier-chosen", f"The tier {shown[name]} is used.{how}", where=where))
    alike = [n for n in by_text if known[n].types & known[chosen[0]].types - {""}]
    if len(chosen) == 1 and len(alike) > 1:
        tiers = join_examples([shown[n] for n in alike])
        message = f"{len(alike)} tiers are of the same type as '{chosen[0]}': {tiers}."
        hint = "Use them together if each belongs to another speaker."
        fix = Fix(f"Use all {len(alike)} of them", {"options": {OPTION: alike}})
        findings.append(Finding("info", "tiers-of-one-type", message, hint, where, fix))
    for name in [n for n in by_text if n not in chosen][:OTHERS]:
        message = f"The tier '{name}' is not used: {known[name]}, such as '{known[name].example}'."
        fix = Fix(f"Use the tier '{name}'", {"options": {OPTION: name}})
        findings.append(Finding("info", "tier-other", message, where=where, fix=fix))
    return chosen


def _find_audio_of(
    entry: Entry, annotated: Annotated, audio: Mapping[tuple[str, str], str], resolver: Resolver, moved: list[str]
) -> str:
    """Return the audio of a file: of the same name beside it, else what it names, else of the same name anywhere.

    A name may end in a language: `film.en.srt` belongs to `film.mp4`.

    audio: as `by_stem` returns it; moved: files found by the end of a path are added. Where there is none, the path
    where it would be, so that the report names the missing file.
    """
    stems = (entry.stem, re.sub(r"\.[a-z]{2,3}([-_][A-Za-z]{2,4})?$", "", entry.stem))
    found = next((p for s in stems if (p := audio.get((entry.folder, s.lower())))), None)
    for name in annotated.media:
        found = found or find_audio(name, entry.folder, resolver, moved, entry.path)
    found = found or next((p for s in stems if (p := resolver.find(s, entry.folder))), None)
    return found or os.path.join(entry.folder, f"{entry.stem}.wav")
