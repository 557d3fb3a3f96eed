"""Annotation tiers of Praat and ELAN beside their audio: choose a tier, and return its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from autotrain_gradio.core.errors import DataError, Finding, Fix, did_you_mean
from autotrain_gradio.core.text_format import count_with_verb, inflect, join_examples, pluralize
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.table_with_files import Resolver, found_elsewhere
from autotrain_gradio.data.layouts.utterances import Utterance, by_stem, moved, raw_of, split_of
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected

OPTION = "tier"
OTHERS = 8
"""Most other tiers that are offered."""


class Interval(NamedTuple):
    """An annotated interval; start and end in seconds."""

    start: float
    end: float
    text: str


@dataclass
class Tier:
    """One tier of a file. type: linguistic type of the tier, if the format has one."""

    name: str
    intervals: list[Interval]
    speaker: str | None = None
    type: str = ""


@dataclass
class Annotated:
    """One file. media: names of its audio files, as written in it."""

    tiers: list[Tier]
    media: list[str] = field(default_factory=list)


@dataclass
class _About:
    """Statistics of a tier over all files."""

    segments: int = 0
    seconds: float = 0.0
    characters: int = 0
    files: int = 0
    example: str = ""
    types: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        length = f"{self.seconds / 3600:.2f} hours" if self.seconds >= 360 else f"{self.seconds:.0f} s"
        return f"{pluralize(self.segments, 'segment')}, {length}"


Parse = Callable[[bytes, str], Annotated]
"""From a file's bytes and its name for messages to its tiers; raises `DataError`."""


def recognize(tree: Tree, request: Request, suffix: str, title: str) -> Recognized | Rejected:
    """Return whether there are files of annotations, and audio files."""
    if request.media is None:
        return Rejected("this task reads no files")
    found = tree.tables((suffix,))
    if not found:
        return Rejected(f"there are no {title} files ({suffix})")
    if not tree.with_suffix(request.media.suffixes):
        return Rejected(f"there are no {request.media.name} files beside {found[0].path}")
    return Recognized(0.85, f"{join_examples([f.path for f in found])} {inflect(len(found), 'holds')} the annotations")


def read(tree: Tree, request: Request, progress: Progress, suffix: str, parse: Parse) -> RawTables:
    """Return a row for each interval with text, of one tier or of those in `data.options.tier`."""
    assert request.media is not None  # recognize() has seen it
    entries = tree.tables((suffix,))
    files: list[tuple[Entry, Annotated]] = []
    findings: list[Finding] = []
    for number, entry in enumerate(entries):
        progress(f"Reading {entry.name}", number / len(entries))
        try:
            files.append((entry, parse((tree.root / entry.path).read_bytes(), entry.path)))
        except DataError as error:
            found = error.findings[0]
            findings.append(Finding("warning", found.code, found.message, found.hint, found.where))
    about = _about(files)
    chosen = _choose(about, request, findings)
    resolver, audio = Resolver(tree, request.media.suffixes), by_stem(tree, request.media.suffixes)
    splits: dict[str, list[Utterance]] = {}
    without: list[str] = []
    others: list[str] = []
    for entry, annotated in files:
        tiers = [t for t in annotated.tiers if t.name in chosen]
        if not any(_spoken(t) for t in tiers):
            without.append(entry.path)
            continue
        path = _audio(entry, annotated, audio, resolver, others)
        rows = [
            Utterance(
                f"{entry.path}, {tier.name} at {interval.start:.2f} s",
                path,
                interval.text.strip(),
                interval.start,
                interval.end,
                tier.speaker or (tier.name if len(chosen) > 1 else None),
                entry.path.rpartition(".")[0],
            )
            for tier in tiers
            for interval in _spoken(tier)
        ]
        splits.setdefault(split_of(entry, tree, request), []).extend(sorted(rows, key=lambda u: u.start or 0.0))
    findings += found_elsewhere(others)
    if without and chosen:
        findings.append(
            Finding(
                "warning",
                "tier-missing-in-files",
                f"{count_with_verb(len(without), 'file', 'has')} no text in the tier "
                f"{' or '.join(repr(n) for n in chosen)}: {join_examples(without)}.",
                "Use the same tier names in all files.",
            )
        )
    if not chosen and not any(f.level == "error" for f in findings):
        findings.append(
            Finding(
                "error", "no-tier", "No tier has an interval with text.", "Transcribe the speech in a tier.", "data"
            )
        )
    raw = raw_of(splits, request)
    raw.findings, raw.files_read = findings, [entry.path for entry in entries]
    return raw


def _spoken(tier: Tier) -> list[Interval]:
    """Return the intervals with text: the others are pauses."""
    return [interval for interval in tier.intervals if interval.text.strip()]


def _about(files: Sequence[tuple[Entry, Annotated]]) -> dict[str, _About]:
    about: dict[str, _About] = {}
    for _, annotated in files:
        for tier in annotated.tiers:
            spoken = _spoken(tier)
            if not spoken:
                continue
            known = about.setdefault(tier.name, _About(example=spoken[0].text.strip()[:60]))
            known.segments += len(spoken)
            known.seconds += sum(p.end - p.start for p in spoken)
            known.characters += sum(len(p.text.strip()) for p in spoken)
            known.files += 1
            known.types.add(tier.type)
    return about


def _choose(about: dict[str, _About], request: Request, findings: list[Finding]) -> list[str]:
    """Return the tiers of the spec, or the one with the most text; report the others, with a fix to select them."""
    asked = request.spec.options.get(OPTION)
    names = [asked] if isinstance(asked, str) else [str(n) for n in asked or []]
    unknown = [n for n in names if n not in about]
    if unknown:
        findings.append(
            Finding(
                "error",
                "tier-unknown",
                f"The tier '{unknown[0]}' does not exist or has no text. Tiers: "
                f"{join_examples(_listed(about), limit=OTHERS) or 'none'}.",
                did_you_mean(unknown[0], list(about)),
                "data.options.tier",
            )
        )
        return []
    by_text = sorted(about, key=lambda n: (-about[n].characters, n))
    chosen = names or by_text[:1]
    if not chosen:
        return []
    shown = ", ".join(f"'{n}' ({about[n]})" for n in chosen)
    how = "" if names or len(about) == 1 else " It has the most text."
    findings.append(
        Finding(
            "info",
            "tier-chosen",
            f"The {'tier' if len(chosen) == 1 else 'tiers'} {shown} {inflect(len(chosen), 'is')} used.{how}",
            where="data.options.tier",
        )
    )
    alike = [n for n in by_text if about[n].types & about[chosen[0]].types - {""}]
    if len(chosen) == 1 and len(alike) > 1:
        findings.append(
            Finding(
                "info",
                "tiers-of-one-type",
                f"{len(alike)} tiers are of the same type as '{chosen[0]}': {join_examples(_listed(about, alike))}.",
                "Use them together if each belongs to another speaker.",
                "data.options.tier",
                Fix(f"Use all {len(alike)} of them", {"options": {OPTION: alike}}),
            )
        )
    for name in [n for n in by_text if n not in chosen][:OTHERS]:
        findings.append(
            Finding(
                "info",
                "tier-other",
                f"The tier '{name}' is not used: {about[name]}, such as '{about[name].example}'.",
                where="data.options.tier",
                fix=Fix(f"Use the tier '{name}'", {"options": {OPTION: name}}),
            )
        )
    return chosen


def _listed(about: dict[str, _About], names: Sequence[str] | None = None) -> list[str]:
    return [f"'{n}' ({about[n]})" for n in (about if names is None else names)]


def _audio(
    entry: Entry,
    annotated: Annotated,
    audio: Mapping[tuple[str, str], str],
    resolver: Resolver,
    others: list[str],
) -> str:
    """Return the audio of a file: of the same name beside it, else what it names, else of the same name anywhere.

    audio: as `by_stem` returns it; others: files found by the end of a path are added. Where there is none, the path
    where it would be, so that the report names the missing file.
    """
    found = audio.get((entry.folder, entry.stem.lower()))
    for name in annotated.media if found is None else ():
        found, elsewhere = moved(name, entry.folder, resolver)
        if found and elsewhere:
            others.append(f"{entry.path}: {name} → {found}")
        if found:
            break
    found = found or resolver.find(entry.stem, entry.folder)
    return found or (f"{entry.folder}/{entry.stem}.wav" if entry.folder else f"{entry.stem}.wav")
