"""Parallel text files (Moses): the lines of `train.en` and `train.de` belong together."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.file_types import TABLE_SUFFIXES
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.encoding import decode
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.locations import location_numbers
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected
from autotrain_gradio.data.tables.table_limits import require_bytes, require_rows
from autotrain_gradio.tasks.seq2seq.language_codes import language_of_name

SIDES = {
    **dict.fromkeys(("src", "source", "input"), "source"),
    **dict.fromkeys(("tgt", "trg", "target", "output"), "target"),
}
"""Words in file names that say which side a file holds → the name of its column."""
SHOWN = 60
"""Characters of a line that messages show."""


@dataclass
class _Group:
    """Files whose lines belong together: name of the column → file."""

    files: dict[str, Entry] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return " + ".join(entry.path for entry in self.files.values())


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are text files that differ only by a language or a side in their names."""
    if tree.only is not None:
        return Rejected("one file was named; its lines need those of another file: name the folder")
    groups, alone = _groups(tree)
    if not groups:
        found = f"; {join_examples([e.path for e in alone])} has no counterpart" if alone else ""
        return Rejected(f"there are no two text files such as train.en and train.de{found}")
    files = [entry.path for group in groups for entry in group.files.values()]
    others = [e for e in tree.tables(TABLE_SUFFIXES) if e.path not in files and e.suffix not in (".txt", ".json")]
    return Recognized(0.5 if others else 0.85, f"the lines of {join_examples(files)} belong together")


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Make a row of each line, with a column for each language or side.

    Raises:
        DataError: files that belong together have different numbers of lines.
    """
    groups, alone = _groups(tree)
    raw = RawTables({}, file_names=[group.name for group in groups])
    first = [next(iter(group.files.values())) for group in groups]
    splits, found = split_names.of_entries(first, tree, request.spec)
    raw.findings += found
    tables: dict[str, list[pa.Table]] = defaultdict(list)
    errors: list[Finding] = []
    for number, (group, entry) in enumerate(zip(groups, first, strict=True)):
        progress(f"Reading {group.name}", number / len(groups))
        columns: dict[str, list[str]] = {}
        for side, file in group.files.items():
            require_bytes(file.size, file.path, request.limits.table_bytes)
            text, found = decode(tree.read(file.path), file.path, request.spec.encoding)
            raw.findings += found
            columns[side] = _lines(text)
            require_rows(len(columns[side]), file.path, request.limits)
        raw.files_read += [file.path for file in group.files.values()]
        error = _different_lengths(group, columns)
        if error is not None:
            errors.append(error)
            continue
        cells = {side: pa.array(lines, pa.string()) for side, lines in columns.items()}
        rows = np.arange(1, len(next(iter(columns.values()))) + 1)
        tables[splits[entry.path]].append(pa.table({**cells, LOCATION: pa.array(location_numbers(number, rows))}))
    if errors:
        raise DataError.from_findings(errors)
    raw.splits = {split: pa.concat_tables(of_split, promote_options="default") for split, of_split in tables.items()}
    if alone:
        message = f"Files without a counterpart were skipped: {join_examples([e.path for e in alone])}."
        hint = "Files that belong together differ only by the language: train.en and train.de."
        raw.findings.append(Finding("warning", "file-without-counterpart", message, hint, alone[0].path))
        raw.reported.update(entry.path for entry in alone)
    return raw


def _groups(tree: Tree) -> tuple[list[_Group], list[Entry]]:
    """Return the files that belong together, and those that name a language or side and have no counterpart."""
    groups: dict[str, _Group] = defaultdict(_Group)
    for entry in tree.files:
        found = _side(entry)
        if found is not None:
            side, rest = found
            groups[rest].files.setdefault(side, entry)
    whole = [group for group in groups.values() if len(group.files) > 1]
    for group in whole:
        group.files = dict(sorted(group.files.items(), key=lambda item: _is_later(item[0], item[1])))
    alone = [entry for group in groups.values() if len(group.files) == 1 for entry in group.files.values()]
    return whole, alone


def _is_later(side: str, entry: Entry) -> bool:
    """Whether a side is not the first one: the target, or the second language of a pair in the name (`de-en`)."""
    return side == "target" or re.search(rf"[a-z]-{re.escape(side)}\b", entry.stem, re.IGNORECASE) is not None


def _side(entry: Entry) -> tuple[str, str] | None:
    """Return the language or side that a file's name says, and its path without it; None if it says none.

    It is the extension (`train.de`), the last word before `.txt` (`train.de.txt`, `train_de.txt`), the first word
    (`src-train.txt`), or the whole name (`source.txt`, `de.txt`).
    """
    stem, suffix = entry.stem, entry.suffix
    if suffix and suffix != ".txt":
        last = suffix[1:]
        side = SIDES.get(last) or (entry.name.rpartition(".")[2] if language_of_name(last) else None)
        return (side, f"{entry.folder}/{stem}/") if side else None
    if suffix != ".txt":
        return None
    parts = re.split(r"([-_.])", stem)
    for position in (len(parts) - 1, 0):
        word = parts[position]
        side = SIDES.get(word.lower()) or (word if language_of_name(word) else None)
        if side:
            rest = "".join(parts[:position] + ["*"] + parts[position + 1 :])
            return side, f"{entry.folder}/{rest}.txt"
    return None


def _lines(text: str) -> list[str]:
    """Return the lines; only line feeds end them, as in the tools that write such files."""
    lines = text.split("\n")
    if lines and not lines[-1].strip():
        lines.pop()
    return [line.rstrip("\r") for line in lines]


def _different_lengths(group: _Group, columns: dict[str, list[str]]) -> Finding | None:
    """Return the error if the files have different numbers of lines, with the likely place."""
    counts = {side: len(lines) for side, lines in columns.items()}
    if len(set(counts.values())) == 1:
        return None
    (short, few), (long, many) = (side(counts.items(), key=lambda item: item[1]) for side in (min, max))
    line = _extra_lines(columns[short], columns[long])
    told = ", ".join(f"{group.files[side].path} has {pluralize(count, 'line')}" for side, count in counts.items())
    shown = " ".join(columns[long][line].split())[:SHOWN]
    message = (
        f"The files do not have the same number of lines: {told}. The extra "
        f"{'line begins' if many - few == 1 else 'lines begin'} probably at line {line + 1:,} of "
        f"{group.files[long].path}: '{shown}'."
    )
    hint = "Line by line the files must belong together: remove the extra lines, or add the missing ones."
    where = f"{group.files[long].path}, line {line + 1:,}"
    return Finding("error", "parallel-lines-differ", message, hint, where)


def _extra_lines(short: list[str], long: list[str]) -> int:
    """Return where the extra lines of the longer text begin, from 0, if they are one block.

    It is the place at which lengths, digits and question marks of the lines before it and after it fit best, which
    sentences and their translations have in common (Gale and Church, 1993).
    """
    extra = len(long) - len(short)
    one, other = _features(short), _features(long)
    one[:, 0] *= max(1.0, other[:, 0].sum()) / max(1.0, one[:, 0].sum())

    def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        difference: np.ndarray = (np.abs(a - b) / (a + b + 1)).sum(axis=1)
        return difference

    together, shifted = distance(one, other[: len(one)]), distance(one, other[extra:])
    costs = np.concatenate([[0.0], np.cumsum(together)]) + np.concatenate([np.cumsum(shifted[::-1])[::-1], [0.0]])
    return int(np.argmin(costs))


def _features(lines: list[str]) -> np.ndarray:
    """Return the number of characters, digits and question marks of each line (lines, 3)."""
    counts = [(len(line), sum(map(str.isdigit, line)), line.count("?")) for line in lines]
    return np.asarray(counts, dtype=np.float64).reshape(-1, 3)
