"""Media columns (images, audio): open each file or blob once, and report rows that are skipped."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.errors import Finding, Level
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.data.files.tree import inside
from autotrain_gradio.data.media.media_cache import Key, Scan
from autotrain_gradio.data.rows import Context

THREADS = 4
BATCH = 64
"""Number of files that a thread opens at a time."""
OUTSIDE = "file-outside"
PROBLEMS = {
    OUTSIDE: (
        "{n} {is} outside the folder of the data, and {is} not opened",
        "Name files by their path from the table.",
    ),
    **dict.fromkeys(
        ("image-empty", "audio-empty"),
        ("{n} {is} empty (0 bytes)", "Copy the files again: they were probably truncated while being saved."),
    ),
    **dict.fromkeys(
        ("image-missing", "audio-missing"),
        ("{n} {is} not there", "Add the files, or correct the names in the table."),
    ),
    **dict.fromkeys(
        ("image-unreadable", "audio-unreadable"), ("{n} cannot be opened", "Check the permissions of the files.")
    ),
}
"""Reasons why a row is skipped that all media share → what happened, and what to do."""


class Known(Protocol):
    """Facts about one file: a `NamedTuple` of the kind that has at least these fields."""

    @property
    def problem(self) -> str | None:
        """Why it cannot be used: a key of the kind's problems; None: it can."""

    @property
    def detail(self) -> str:
        """The details of this file, in a few words."""


F = TypeVar("F", bound=Known)


class Item(NamedTuple):
    """A file or a blob that cells hold. path: None for a blob. data: a buffer of Arrow's."""

    key: Key
    path: str | None
    data: Any

    def source(self, root: Path) -> Path | memoryview:
        """Return the file, or the bytes of the blob."""
        return memoryview(self.data) if self.path is None else root / self.path


@dataclass
class Opened(Generic[F]):
    """Facts about a column's files.

    paths: row → path of its file; None: the cell has the bytes, or no file. known: facts of each distinct file.
    items: index in `known` → the file, if it can be opened. place: row → index in `known`, -1 for rows that are not
    needed. opened: indices of the files that were opened now, not found in the cache.
    """

    paths: list[str | None]
    known: list[F]
    items: dict[int, Item]
    place: list[int]
    opened: list[int]

    def facts(self, nothing: F) -> list[F]:
        """Return the facts of each row; `nothing` for rows that are not needed."""
        return [self.known[n] if n >= 0 else nothing for n in self.place]

    def remember(self, scan: Scan[F], places: Sequence[int]) -> None:
        """Cache the facts of some files, except those that could not be opened: the next check tries them again."""
        kept = [p for p in places if not str(self.known[p].problem).endswith("-unreadable")]
        if kept:
            scan.write({self.items[p].key: self.known[p] for p in kept})


def open_each(
    cells: pa.ChunkedArray,
    context: Context,
    scan: Scan[F],
    fact: Callable[..., F],
    look: Callable[[Item], F],
    kind: str,
) -> Opened[F]:
    """Open every file that is still needed once, in a few threads; cached facts are reused.

    cells: `{path, bytes}`. fact: constructor of the facts. look: opens a file and returns its facts. kind: `image` or
    `audio`, the prefix of the finding codes.
    """
    made = Opened[F]([None] * len(cells), [], {}, [-1] * len(cells), [])
    places: dict[Any, int] = {}
    for row, found in _items(cells, context, fact, kind):
        key: Any = found
        if isinstance(found, Item):
            key, made.paths[row] = found.key, found.path
        if key not in places:
            place = places[key] = len(made.known)
            if isinstance(found, Item):
                made.items[place] = found
                before = scan.get(found.key)
                if before is None:
                    made.opened.append(place)
                made.known.append(before or fact())
            else:
                made.known.append(found)
        made.place[row] = places[key]
    message = f"Opening {pluralize(len(made.opened), 'file')}"
    # In batches: a task for each file would take half as long again.
    batches = [made.opened[first : first + BATCH] for first in range(0, len(made.opened), BATCH)]
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        looks = pool.map(lambda batch: [look(made.items[place]) for place in batch], batches)
        for number, (batch, facts) in enumerate(zip(batches, looks, strict=True)):
            context.progress(message, number / len(batches))
            for place, known in zip(batch, facts, strict=True):
                made.known[place] = known
    return made


def _items(
    cells: pa.ChunkedArray, context: Context, fact: Callable[..., F], kind: str
) -> Iterator[tuple[int, Item | F]]:
    """Yield the row and the file of each cell that is needed, or the fact why it has no file."""
    row = -1
    for chunk in cells.chunks:
        blobs = pc.struct_field(chunk, "bytes")
        inner = blobs.null_count < len(blobs)
        for j, path in enumerate(pc.struct_field(chunk, "path").to_pylist()):
            row += 1
            if not context.needed[row]:
                continue
            if inner and blobs[j].is_valid:
                data = blobs[j].as_buffer()
                yield row, Item((context.locations[row], data.size, 0), None, data)
            elif not path:
                yield row, fact(problem=f"{kind}-missing", detail=f"no {kind} in this row")
            elif path in context.fingerprint:
                yield row, Item((path, *context.fingerprint[path]), path, None)
            elif inside(path):
                yield row, fact(problem=f"{kind}-missing", detail="the file does not exist")
            else:
                yield row, fact(problem=OUTSIDE, detail=path[:80])


def skipped_rows(
    facts: Sequence[Known], problems: dict[str, tuple[str, str]], noun: str, context: Context, **more: Any
) -> list[Finding]:
    """Report the rows that cannot be used, one finding for each reason.

    problems: code → message, a template of `format_count`, and hint. noun: of one file. more: values for the hint.
    """
    rows: dict[str, list[int]] = defaultdict(list)
    for row, fact in enumerate(facts):
        if fact.problem:
            rows[fact.problem].append(row)
    findings = list[Finding]()
    for code, hit in rows.items():
        text, hint = (problems | PROBLEMS)[code]
        level: Level = "error" if code == OUTSIDE else "warning"
        where = context.locations[hit[0]] if len(hit) == 1 else pluralize(len(hit), "row")
        text, hint = f"{text} and {{was}} skipped", hint.format(**more)
        findings += context.findings(
            level, code, text, hit, hint, lambda i: f" ({facts[i].detail})", noun=noun, where=where
        )
    return findings


def wrong_extensions(
    formats: Sequence[str | None], rows: Sequence[int], known: dict[str, set[str]], noun: str, context: Context
) -> list[Finding]:
    """Report files whose extension belongs to another format than their content.

    formats: of each row. rows: the rows to check. known: format → its extensions, in lower case.
    """
    ours = frozenset().union(*known.values())
    suffixes = {row: os.path.splitext(context.locations[row])[1].lower() for row in rows}
    wrong = [row for row in rows if suffixes[row] in ours - known.get(str(formats[row]), ours)]
    text = "{n} {has} the extension of another format and {is} used anyway"
    hint = "Rename the files, so that other programs open them too."
    return context.findings("warning", "wrong-extension", text, wrong, hint, noun=noun)
