"""Cells that are audio: whole files, of which the headers are read, not the samples.

`checks/audio_content` decodes a sample of the rows to find silence, clipping and damage; `checks/audio_parts` handles
segments of files (start and end).
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import datasets
import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.data.kinds.audio_cells import AudioCells
from autotrain_gradio.data.kinds.audio_panels import gallery, profile
from autotrain_gradio.data.media import media_cells
from autotrain_gradio.data.media.audio_files import AudioError, Source, header, seconds_of
from autotrain_gradio.data.media.media_cache import Scan
from autotrain_gradio.data.rows import Cells, Context, Rows

__all__ = ["AudioCells", "gallery", "inspect", "of", "profile"]

SHORTEST = 0.1
"""Minimum length of a clip in seconds."""
PROBED = 1 << 16
"""Bytes at the beginning of a file that are hashed first."""
EXTENSIONS = {
    "WAV": {".wav"},
    "FLAC": {".flac"},
    "MP3": {".mp3"},
    "OGG": {".ogg", ".oga"},
    "OPUS": {".opus", ".ogg", ".oga"},
    "AIFF": {".aif", ".aiff"},
    "M4A": {".m4a", ".mp4"},
    "AAC": {".aac"},
    "WMA": {".wma"},
    "WebM": {".webm"},
}


class Fact(NamedTuple):
    """Properties of one file. digest: hash of its beginning, of the whole file where those are equal."""

    seconds: float | None = None
    rate: int | None = None
    channels: int | None = None
    format: str | None = None
    subtype: str | None = None
    digest: str | None = None
    bytes: int = 0
    problem: str | None = None
    detail: str = ""


def of(rows: Rows) -> tuple[str, AudioCells] | None:
    """Return the first role that holds audio, and its cells."""
    return next(((role, c) for role, c in rows.cells.items() if isinstance(c, AudioCells)), None)


def look(source: Source, size: int) -> Fact:
    """Read a file's header and return its properties, or why it cannot be used."""
    if size == 0:
        return Fact(problem="audio-empty", detail="0 bytes")
    try:
        fact = Fact(digest=_digest(source, size), bytes=size)
        known = header(source)
        seconds = seconds_of(source) if known.seconds is None else known.seconds
    except AudioError as error:
        return Fact(bytes=size, problem=error.code, detail=error.reason)
    except OSError as error:
        return Fact(bytes=size, problem="audio-unreadable", detail=error.strerror or str(error))
    fact = fact._replace(
        seconds=seconds, rate=known.rate, channels=known.channels, format=known.format, subtype=known.subtype
    )
    if seconds <= 0:
        return fact._replace(problem="audio-zero", detail="it has a header and no samples")
    if known.cut:
        return fact._replace(problem="audio-cut", detail=f"{seconds:.2f} s are there")
    if seconds < SHORTEST:
        return fact._replace(problem="audio-short", detail=f"{seconds:.3f} s")
    return fact


def _digest(source: Source, size: int, whole: bool = False) -> str:
    """Hash a file's size and its beginning, or all of it."""
    length = size if whole else PROBED
    digest = hashlib.sha1(str(size).encode(), usedforsecurity=False)
    if isinstance(source, bytes | memoryview):
        digest.update(source[:length])
        return digest.hexdigest()
    with open(source, "rb") as file:
        while length > 0 and (block := file.read(min(length, PROBED))):
            digest.update(block)
            length -= len(block)
    return digest.hexdigest()


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Read the header of every file that is still used, in a few threads; results of an earlier check are reused."""
    scan = Scan(context.draft / "data" / "scan-audio.parquet", Fact, context.stamp)
    files = media_cells.open_each(
        cells, context, scan, Fact, lambda item: look(item.source(context.root), item.key[1]), "audio"
    )
    files.remember(scan, files.opened + _distinguish(files, context.root))
    facts = files.facts(Fact())
    result = AudioCells(
        files.paths,
        [f.problem for f in facts],
        media=True,
        feature=datasets.Audio(decode=False),
        column=cells,
        root=context.root,
        draft=context.draft,
    )
    result.stored_facts = ("seconds",)
    result.facts = {
        "seconds": np.array([np.nan if f.seconds is None else f.seconds for f in facts]),
        "rate": np.array([f.rate or 0 for f in facts]),
        "channels": np.array([f.channels or 0 for f in facts]),
        "format": [f.format for f in facts],
        "digest": [f.digest for f in facts],
    }
    result.findings = _findings(facts, context)
    return result


def _distinguish(files: media_cells.Opened[Fact], root: Path) -> list[int]:
    """Hash files with equal probes completely; return their indices."""
    alike: dict[str, list[int]] = defaultdict(list)
    for place in files.items:
        digest = files.known[place].digest
        if digest and not digest.startswith("whole "):
            alike[digest].append(place)
    # A file with a digest of the whole keeps it: a new file of the same size must be compared with it.
    met = {f.bytes for f in files.known if f.digest is not None and f.digest.startswith("whole ")}
    changed = []
    for places in alike.values():
        if len(places) == 1 and files.known[places[0]].bytes not in met:
            continue
        for place in places:
            try:
                digest = f"whole {_digest(files.items[place].source(root), files.known[place].bytes, whole=True)}"
            except OSError:
                continue  # removed since its header was read: reported when the run starts
            files.known[place] = files.known[place]._replace(digest=digest)
            changed.append(place)
    return changed


PROBLEMS = {
    "audio-unknown": ("{n} {is} not audio", "Remove the files, or save them as WAV or FLAC."),
    "audio-corrupt": ("{n} {is} damaged", "Copy or record the files again, or remove them."),
    "audio-no-decoder": (
        "{n} {is} of a format that needs the program ffmpeg, which is not installed here",
        "Install ffmpeg (on a Space: a file packages.txt with the line ffmpeg), or save the files as WAV or FLAC.",
    ),
    "audio-zero": ("{n} {has} no samples", "Record or export the files again."),
    "audio-cut": ("{n} {is} truncated", "Copy or download the files again."),
    "audio-short": (
        f"{{n}} {{is}} shorter than {SHORTEST:g} s",
        "A clip this short cannot be trained on: check how the files were cut.",
    ),
}
"""Reasons why a row is skipped → what happened, and what to do."""


def _findings(facts: list[Fact], context: Context) -> list[Finding]:
    """Report skipped files, wrong extensions, several sampling rates, and several channels."""
    findings = media_cells.skipped_rows(facts, PROBLEMS, "audio file", context)
    good = [i for i, f in enumerate(facts) if f.format and not f.problem]
    findings += media_cells.wrong_extensions([f.format for f in facts], good, EXTENSIONS, "audio file", context)
    rates = Counter(facts[i].rate for i in good)
    if len(rates) > 1:
        shown = [f"{pluralize(n, 'row')} at {rate:,} Hz" for rate, n in rates.most_common()]
        message = f"The sampling rates differ: {join_examples(shown)}. All are resampled to one rate."
        findings.append(Finding("info", "sampling-rates", message))
    several = [i for i in good if (facts[i].channels or 1) > 1]
    text = "{n} {has} several channels, which are averaged"
    hint = "Remove channels with other sounds before you upload."
    return findings + context.findings("info", "channels", text, several, hint, noun="audio file")
