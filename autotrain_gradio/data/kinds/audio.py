"""Cells that are sounds: whole files, of which the headers are read, not the samples.

What only samples tell (silence, clipping, damage) is the matter of `checks/audio_content`, which listens to a
share of the rows; parts of files (start and end) that of `checks/audio_parts`.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.data.audio_files import AudioError, Source, blocks, header
from autotrain_gradio.data.kinds.audio_panels import gallery, profile
from autotrain_gradio.data.rows import Cells, Context, Rows, counted, listed
from autotrain_gradio.data.scan import Scan
from autotrain_gradio.data.tree import inside
from autotrain_gradio.errors import Finding, Level

__all__ = ["AudioCells", "gallery", "inspect", "of", "profile"]

SHORTEST = 0.1
"""Seconds under which nothing can be said."""
THREADS = 4
PIECE = 4096
"""Bytes of each of the places of a file that its digest is made of."""
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
FIELDS = {
    "seconds": pa.float64(),
    "rate": pa.int32(),
    "channels": pa.int32(),
    "format": pa.string(),
    "subtype": pa.string(),
    "digest": pa.string(),
    "bytes": pa.int64(),
    "problem": pa.string(),
    "detail": pa.string(),
}


class Fact(NamedTuple):
    """What is known of one file; `digest` is of a few places of it, and of the whole where those are alike."""

    seconds: float | None = None
    rate: int | None = None
    channels: int | None = None
    format: str | None = None
    subtype: str | None = None
    digest: str | None = None
    bytes: int = 0
    problem: str | None = None
    detail: str = ""


@dataclass
class AudioCells(Cells):
    """A column of sounds.

    facts: `seconds` of the file, later of the part (numpy float64, NaN: unknown), `rate`, `channels` (numpy, 0:
        unknown), `format`, `digest` (of the file, later of the part), and once parts are known `start` and `end` (NaN:
        of the file) and `recording` (numpy, the number of the file).
    column: the cells as they are in the data.
    """

    column: Any = None
    root: Path = Path()
    draft: Path = Path()

    def source(self, row: int) -> Source:
        """Return the file of a row, or the bytes that the data carries."""
        path = self.values[row]
        if path is not None:
            return self.root / path
        return memoryview(self.column[row]["bytes"].as_buffer())

    def part(self, row: int) -> tuple[float | None, float | None]:
        """Return start and end of a row's part in seconds; None: of the file."""
        times = [self.facts[name][row] if name in self.facts else np.nan for name in ("start", "end")]
        start, end = (None if np.isnan(t) else float(t) for t in times)
        return start, end


def of(rows: Rows) -> tuple[str, AudioCells] | None:
    """Return the first role that holds sounds, and its cells."""
    return next(((role, c) for role, c in rows.cells.items() if isinstance(c, AudioCells)), None)


class _Item(NamedTuple):
    key: tuple[str, int, int]
    path: str | None
    data: Any


def look(source: Source, size: int) -> Fact:
    """Read a file's header and say what it is, or why it cannot be used."""
    if size == 0:
        return Fact(problem="audio-empty", detail="0 bytes")
    try:
        fact = Fact(digest=_probe(source, size), bytes=size)
        known = header(source)
        seconds = known.seconds
        if seconds is None:  # no header tells: the file is decoded, a block at a time
            seconds = sum(len(block) / rate for block, rate in blocks(source))
    except AudioError as error:
        return Fact(bytes=size, problem=error.code, detail=_detail(error))
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


def _detail(error: AudioError) -> str:
    """Return the reason of an error, as it stands after a colon."""
    said = error.message.partition(": ")[2] or error.message
    return said[:120].rstrip(".")


def _probe(source: Source, size: int) -> str:
    """Return a digest of a file's length and of four places of it: cheap, and hardly ever the same for two files."""
    digest = hashlib.sha1(str(size).encode(), usedforsecurity=False)
    places = [0] if size <= 4 * PIECE else [0, size // 3, 2 * size // 3, size - PIECE]
    length = 4 * PIECE if len(places) == 1 else PIECE
    if isinstance(source, bytes | memoryview):
        for place in places:
            digest.update(source[place : place + length])
    else:
        with open(source, "rb", buffering=0) as file:
            for place in places:
                digest.update(os.pread(file.fileno(), length, place))
    return digest.hexdigest()


def _whole(source: Source) -> str:
    if isinstance(source, bytes | memoryview):
        return hashlib.sha1(source, usedforsecurity=False).hexdigest()
    with open(source, "rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Look at every file that is still needed, once, in a few threads; those known from before are not opened."""
    count = len(cells)
    values: list[str | None] = [None] * count
    known: list[Fact] = []
    number = np.full(count, -1, dtype=np.int64)  # row → its place in `known`
    scan = Scan(context.draft / "data" / "scan-audio.parquet", FIELDS, context.stamp)
    items = dict(enumerate(_items(cells, context, values, known, number, scan)))
    waiting = {place: item for place, item in items.items() if item is not None and known[place] is _NOT_YET}
    _each(
        list(waiting.items()),
        lambda pair: _look_at(pair[1], context.root),
        lambda pair, fact: known.__setitem__(pair[0], fact),
        lambda done: context.progress(f"Reading {counted(len(waiting), 'header')} of audio files", done),
    )
    changed = [place for place in waiting if known[place].problem != "audio-unreadable"]
    changed += _tell_apart(items, known, context.root)
    if changed:
        scan.write([items[p].key for p in changed], [known[p] for p in changed])  # type: ignore[union-attr]
    nothing = Fact()
    facts = [known[n] if n >= 0 else nothing for n in number.tolist()]
    result = AudioCells(
        values, [f.problem for f in facts], media=True, column=cells, root=context.root, draft=context.draft
    )
    result.keep = ("seconds",)
    result.facts = {
        "seconds": np.array([np.nan if f.seconds is None else f.seconds for f in facts]),
        "rate": np.array([f.rate or 0 for f in facts]),
        "channels": np.array([f.channels or 0 for f in facts]),
        "format": [f.format for f in facts],
        "digest": [f.digest for f in facts],
    }
    result.findings = _findings(facts, context)
    return result


_NOT_YET = Fact(detail="not looked at yet")


def _items(
    cells: pa.ChunkedArray,
    context: Context,
    values: list[str | None],
    known: list[Fact],
    number: Any,
    scan: Scan,
) -> Iterator[_Item | None]:
    """Yield each file or blob once, None for cells without one; fill in paths, places, and the facts of those known."""
    places: dict[Any, int] = {}
    start = 0
    for chunk in cells.chunks:
        paths = pc.struct_field(chunk, "path").to_pylist()
        blobs = pc.struct_field(chunk, "bytes")
        inner = blobs.null_count < len(blobs)
        for j, path in enumerate(paths):
            i = start + j
            if not context.needed[i]:
                continue
            data = blobs[j].as_buffer() if inner and blobs[j].is_valid else None
            item: _Item | None = None
            fact = _NOT_YET
            if data is not None:
                item = _Item((context.where[i], data.size, 0), None, data)
            elif path and path not in context.fingerprint and not inside(path):
                fact = Fact(problem="file-outside", detail=path[:80])
            elif path:
                values[i] = path
                item = _Item((path, *context.fingerprint.get(path, (-1, 0))), path, None)
            else:
                fact = Fact(problem="audio-missing", detail="no audio in this row")
            key = item.key if item else fact
            if key in places:
                number[i] = places[key]
                continue
            number[i] = places[key] = len(known)
            before = scan.get(*item.key) if item else None
            known.append(Fact(*before) if before is not None else fact)
            yield item
        start += len(paths)


def _look_at(item: _Item, root: Path) -> Fact:
    if item.data is not None:
        return look(memoryview(item.data), item.data.size)
    if item.key[1] < 0:
        return Fact(problem="audio-missing", detail="there is no such file")
    return look(f"{root}/{item.path}", item.key[1])


def _tell_apart(items: dict[int, _Item | None], known: list[Fact], root: Path) -> list[int]:
    """Give files whose probes are alike the digest of the whole; return their places."""
    alike: dict[str, list[int]] = defaultdict(list)
    for place, item in items.items():
        digest = known[place].digest
        if item is not None and digest and not digest.startswith("whole "):
            alike[digest].append(place)
    # A file that was told apart before keeps its digest: one that is new must be compared with it.
    met = {f.bytes for f in known if f.digest is not None and f.digest.startswith("whole ")}
    changed = []
    for places in alike.values():
        if len(places) == 1 and known[places[0]].bytes not in met:
            continue
        for place in places:
            item = items[place]
            assert item is not None  # as above
            source: Source = memoryview(item.data) if item.data is not None else root / str(item.path)
            try:
                digest = f"whole {known[place].bytes} {_whole(source)}"
            except OSError:
                continue  # gone since its header was read: told at Start
            known[place] = known[place]._replace(digest=digest)
            changed.append(place)
    return changed


def _each(
    items: list[Any], work: Callable[[Any], Any], take: Callable[[Any, Any], Any], progress: Callable[[float], Any]
) -> None:
    """Do work on items in a few threads, and take the results in their order."""
    done = 0
    iterator = iter(items)
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        running: deque[tuple[list[Any], Future[list[Any]]]] = deque()
        try:
            while True:
                while len(running) <= 2 * THREADS and (batch := list(islice(iterator, 32))):
                    running.append((batch, pool.submit(lambda b: [work(x) for x in b], batch)))
                if not running:
                    return
                batch, future = running.popleft()
                for item, result in zip(batch, future.result(), strict=True):
                    take(item, result)
                done += len(batch)
                progress(done / len(items))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


PROBLEMS = {
    "audio-empty": ("{n} {is} empty (0 bytes)", "Copy the files again: they were probably cut off while being saved."),
    "audio-missing": ("{n} {is} not there", "Add the files, or correct the names in the table."),
    "audio-unreadable": ("{n} cannot be opened", "Check the permissions of the files."),
    "audio-unknown": ("{n} {is} no audio", "Remove the files, or save them as WAV or FLAC."),
    "audio-corrupt": ("{n} {is} damaged", "Copy or record the files again, or remove them."),
    "audio-no-decoder": (
        "{n} {is} of a format that needs the program ffmpeg, which is not installed here",
        "Install ffmpeg (on a Space: a file packages.txt with the line ffmpeg), or save the files as WAV or FLAC.",
    ),
    "audio-zero": ("{n} {has} no samples", "Record or export the files again."),
    "audio-cut": ("{n} {is} cut off before the end", "Copy or download the files again."),
    "audio-short": (
        f"{{n}} {{is}} shorter than {SHORTEST:g} s",
        "Nothing can be said in that time: look whether the files are cut rightly.",
    ),
    "file-outside": (
        "{n} {is} outside the folder of the data, and {is} not opened",
        "Name files by their path from the table.",
    ),
}
"""Reasons why a row is left out → what happened, and what to do."""


def _findings(facts: list[Fact], context: Context) -> list[Finding]:
    findings = []
    by_problem: dict[str, list[int]] = defaultdict(list)
    for i, fact in enumerate(facts):
        if fact.problem:
            by_problem[fact.problem].append(i)
    for code, indices in by_problem.items():
        text, hint = PROBLEMS[code]
        one = len(indices) == 1
        said = text.format(n=counted(len(indices), "audio file"), **_verbs(len(indices)))
        names = [f"{context.where[i]} ({facts[i].detail})" for i in indices[:5]]
        findings.append(
            Finding(
                "error" if code == "file-outside" else "warning",
                code,
                f"{said} and {'is' if one else 'are'} left out: {listed(names, len(indices))}.",
                hint,
                context.where[indices[0]] if one else counted(len(indices), "row"),
            )
        )
    good = [i for i, f in enumerate(facts) if f.format and not f.problem]
    return [*findings, *_formats(facts, good, context)]


def _verbs(number: int) -> dict[str, str]:
    return {"is": "is", "has": "has"} if number == 1 else {"is": "are", "has": "have"}


_SUFFIXES = frozenset().union(*EXTENSIONS.values())


def _formats(facts: list[Fact], good: list[int], context: Context) -> list[Finding]:
    """Tell of names that say another format, of several sampling rates, and of several channels."""
    findings = []

    def note(level: Level, code: str, hit: list[int], text: str, hint: str = "") -> None:
        if hit:
            said = text.format(n=counted(len(hit), "audio file"), **_verbs(len(hit)))
            findings.append(
                Finding(level, code, f"{said}: {listed([context.where[i] for i in hit[:5]], len(hit))}.", hint)
            )

    suffixes = {i: os.path.splitext(context.where[i])[1].lower() for i in good}
    note(
        "warning",
        "wrong-extension",
        [i for i in good if suffixes[i] in _SUFFIXES and suffixes[i] not in EXTENSIONS.get(str(facts[i].format), ())],
        "{n} {is} of another format than the name says, and {is} read all the same",
        "Rename the files, so that other programs open them too.",
    )
    rates = Counter(facts[i].rate for i in good)
    if len(rates) > 1:
        shown = [f"{counted(n, 'row')} at {rate:,} Hz" for rate, n in rates.most_common()]
        findings.append(
            Finding("info", "sampling-rates", f"The sampling rates differ: {listed(shown)}. All are brought to one.")
        )
    note(
        "info",
        "channels",
        [i for i in good if (facts[i].channels or 1) > 1],
        "{n} {has} several channels, which are averaged",
        "Leave a channel out before, if it holds something else than the speech.",
    )
    return findings
