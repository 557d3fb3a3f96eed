"""What columns of pictures and of sounds share: each file or blob is opened once, and what is left out is told."""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.errors import Finding, Level
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.data.files.tree import inside
from autotrain_gradio.data.media.media_cache import Scan
from autotrain_gradio.data.rows import Context

THREADS = 4
BATCH = 16
"""Files that a thread opens before it gives them back."""

OUTSIDE = "file-outside"
PROBLEMS = {
    OUTSIDE: (
        "{n} {is} outside the folder of the data, and {is} not opened",
        "Name files by their path from the table.",
    )
}
"""Reasons of all media why a row is left out → what happened, and what to do."""


class Known(Protocol):
    """What is known of one file; a kind's own `NamedTuple`, of which these fields are asked."""

    @property
    def problem(self) -> str | None:
        """Why it cannot be used: a key of the kind's problems; None: it can."""

    @property
    def detail(self) -> str:
        """The same of this very file, in a few words."""


F = TypeVar("F", bound=Known)


class Item(NamedTuple):
    """A file or a blob that cells hold. key: name, size and modification time. data: a buffer of Arrow's."""

    key: tuple[str, int, int]
    path: str | None
    data: Any


@dataclass
class Opened(Generic[F]):
    """What is known of a column's files.

    paths: row → the path of its file; None: it carries the bytes, or has none. known: the facts of each different one.
    items: place in `known` → what can be opened. place: row → its place in `known`, -1: nobody needs it (int64).
    looked: the places of those that were opened now.
    """

    paths: list[str | None]
    known: list[F]
    items: dict[int, Item]
    place: np.ndarray[Any, np.dtype[np.int64]]
    looked: list[int]

    def facts(self, nothing: F) -> list[F]:
        """Return the facts of each row; `nothing` for those that nobody needs."""
        return [self.known[n] if n >= 0 else nothing for n in self.place.tolist()]

    def remember(self, scan: Scan, places: Sequence[int]) -> None:
        """Keep what is known of some of them; those that could not be opened are tried again."""
        kept = [p for p in places if not str(self.known[p].problem).endswith("-unreadable")]
        if kept:
            scan.write([self.items[p].key for p in kept], [tuple(self.known[p]) for p in kept])  # type: ignore[arg-type]


def open_each(
    cells: pa.ChunkedArray, context: Context, scan: Scan, fact: Callable[..., F], look: Callable[[Item], F], kind: str
) -> Opened[F]:
    """Open every file that is still needed, once, in a few threads; those known from before are not opened.

    cells: `{path, bytes}`. fact: makes facts of what the scan has kept. look: opens one. kind: `image` or `audio`,
    with which codes of problems begin.
    """
    made = Opened[F]([None] * len(cells), [], {}, np.full(len(cells), -1, dtype=np.int64), [])
    places: dict[Any, int] = {}
    for row, item in _items(cells, context, kind):
        key: Any = item
        if isinstance(item, Item):
            key, made.paths[row] = item.key, item.path
        if key not in places:
            place = places[key] = len(made.known)
            if isinstance(item, Item):
                made.items[place] = item
                before = scan.get(*item.key)
                if before is None:
                    made.looked.append(place)
                made.known.append(fact(*before) if before is not None else fact())
            else:
                made.known.append(fact(problem=item.problem, detail=item.detail))
        made.place[row] = places[key]
    told = f"Opening {pluralize(len(made.looked), 'file')}"
    for done, (place, found) in enumerate(_in_threads(made.looked, lambda place: look(made.items[place]))):
        made.known[place] = found
        if done % BATCH == 0:
            context.progress(told, done / len(made.looked))
    return made


class _Absent(NamedTuple):
    problem: str
    detail: str


def _items(cells: pa.ChunkedArray, context: Context, kind: str) -> Iterator[tuple[int, Item | _Absent]]:
    """Yield row and file of each cell that is needed, or why there is none."""
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
                yield row, _Absent(f"{kind}-missing", f"no {kind} in this row")
            elif path in context.fingerprint:
                yield row, Item((path, *context.fingerprint[path]), path, None)
            elif inside(path):
                yield row, _Absent(f"{kind}-missing", "there is no such file")
            else:
                yield row, _Absent(OUTSIDE, path[:80])


def _in_threads(items: Sequence[int], work: Callable[[int], F]) -> Iterator[tuple[int, F]]:
    """Do work on items in a few threads, and yield them with their results, in order."""
    rest = iter(items)
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        running: deque[tuple[list[int], Future[list[F]]]] = deque()
        try:
            while True:
                while len(running) <= 2 * THREADS and (batch := list(islice(rest, BATCH))):
                    running.append((batch, pool.submit(lambda part: [work(one) for one in part], batch)))
                if not running:
                    return
                batch, future = running.popleft()
                yield from zip(batch, future.result(), strict=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def left_out(
    facts: Sequence[Known], problems: dict[str, tuple[str, str]], noun: str, context: Context, **more: Any
) -> list[Finding]:
    """Tell which rows cannot be used, a finding for each reason.

    problems: codes → what happened, with `{n} {is}` or `{n} {has}` for how many, and what to do. noun: of one file.
    more: values that stand in braces in what to do.
    """
    rows: dict[str, list[int]] = defaultdict(list)
    for row, fact in enumerate(facts):
        if fact.problem:
            rows[fact.problem].append(row)
    findings = []
    for code, hit in rows.items():
        text, hint = (problems | PROBLEMS)[code]
        one = len(hit) == 1
        names = [f"{context.locations[row]} ({facts[row].detail})" for row in hit[:5]]
        said = (
            f"{_said(text, noun, len(hit))} and {'was' if one else 'were'} skipped: {join_examples(names, len(hit))}."
        )
        where = context.locations[hit[0]] if one else pluralize(len(hit), "row")
        level: Level = "error" if code == OUTSIDE else "warning"
        findings.append(Finding(level, code, said, hint.format(**more), where))
    return findings


def noticed(
    level: Level, code: str, rows: Sequence[int], text: str, noun: str, context: Context, hint: str = ""
) -> list[Finding]:
    """Tell of rows that are used all the same; nothing where there are none. text: as in `left_out`."""
    if not rows:
        return []
    return [Finding(level, code, f"{_said(text, noun, len(rows))}: {context.examples(rows)}.", hint)]


def _said(text: str, noun: str, number: int) -> str:
    verbs = ("is", "has") if number == 1 else ("are", "have")
    return text.format(n=pluralize(number, noun), **dict(zip(("is", "has"), verbs, strict=True)))


def wrong_extensions(
    formats: Sequence[str | None], rows: Sequence[int], known: dict[str, set[str]], noun: str, context: Context
) -> list[Finding]:
    """Tell of files whose names say another format than they have.

    formats: of each row. rows: those that are looked at. known: format → its extensions, in lower case.
    """
    ours = frozenset().union(*known.values())
    suffixes = {row: os.path.splitext(context.locations[row])[1].lower() for row in rows}
    wrong = [row for row in rows if suffixes[row] in ours - known.get(str(formats[row]), ours)]
    text = "{n} {is} of another format than the name says, and {is} read all the same"
    hint = "Rename the files, so that other programs open them too."
    return noticed("warning", "wrong-extension", wrong, text, noun, context, hint)
