"""CoNLL files: a token and its tags on each line, a blank line after each sentence; CoNLL-2003, CoNLL-U and relatives.

`-DOCSTART-` and `# newdoc` begin a document; other lines that begin with `#` are comments.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from autotrain_gradio.core.errors import DataError, Finding, Fix
from autotrain_gradio.core.text_format import count_with_verb, inflect, join_examples
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.encoding import common_encoding
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.utterances import decode_lines, read_head
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected
from autotrain_gradio.data.tables.table_limits import require_bytes

SURE = (".conll", ".conllu", ".conllx", ".iob", ".iob2", ".bio", ".bioes", ".bilou")
POSSIBLE = (".txt", ".tsv", ".csv", ".tags", ".ner", ".train", ".dev", ".valid", ".test", ".testa", ".testb")
MOST_COLUMNS = 20
SEPARATORS = ("\t", " ", ",", ";", "|")
DOCUMENT, NEW_DOCUMENT = "-DOCSTART-", re.compile(r"#\s*(newdoc\b|begin document)")
TAG = re.compile(r"O|[BIESLUMW][-_]\S+|\S+[-_][BIESLUMW]")
HEADER = frozenset(
    {
        "token",
        "tokens",
        "word",
        "words",
        "form",
        "text",
        "tag",
        "tags",
        "label",
        "labels",
        "ner",
        "ner_tags",
        "pos",
        "iob",
    }
)
CONLLU_COLUMNS, CONLLU_TOKEN, CONLLU_TAG = 10, 1, 3
OFFERED = 4
"""Most other columns that are offered as tags."""
FEW = 200
"""Distinct values up to which a column may be one of tags."""


class Line(NamedTuple):
    """A line with a token. sentence, document: their numbers in the file."""

    number: int
    sentence: int
    document: int
    cells: list[str]


@dataclass
class Parsed:
    """The lines of a file. columns: number of most of its lines."""

    entry: Entry
    lines: list[Line]
    columns: int = field(init=False)

    def __post_init__(self) -> None:
        self.columns = Counter(len(line.cells) for line in self.lines).most_common(1)[0][0] if self.lines else 0


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are files with a token and its tags on each line."""
    found = _entries(tree)
    if not found:
        return Rejected("no file has a token and its tag on each line, and a blank line after each sentence")
    holds = inflect(len(found), "has")
    return Recognized(0.85, f"{join_examples([e.path for e in found])} {holds} a token and its tags on each line")


def _entries(tree: Tree) -> list[Entry]:
    found = [e for e in tree.tables(SURE) if _parse(read_head(tree, e))]
    return found + [e for e in tree.tables(POSSIBLE) if _is_conll(read_head(tree, e))]


def _is_conll(head: str) -> bool:
    """Whether the first lines of a file have sentences with a column of tags."""
    lines = _parse(head)
    if not lines or lines[-1].sentence == lines[0].sentence == 0:
        return False  # no blank line between tokens
    columns, most = Counter(len(line.cells) for line in lines).most_common(1)[0]
    if columns < 2 or most < 0.9 * len(lines):
        return False
    same = [line.cells for line in lines if len(line.cells) == columns]
    return columns == CONLLU_COLUMNS or any(_share_of_tags([c[k] for c in same]) > 0.9 for k in range(columns))


def _parse(text: str) -> list[Line]:
    """Return the lines with tokens of a text."""
    raw = text.lstrip("\ufeff").split("\n")
    separator = _separator([line for line in raw[:2000] if line.strip() and not line.startswith(("#", DOCUMENT))])
    if separator is None:
        return []
    found: list[Line] = []
    sentence = document = 0
    open_ = False
    for number, line in enumerate(raw, 1):
        if not line.strip():
            sentence += open_
            open_ = False
            continue
        if line.startswith(DOCUMENT) or NEW_DOCUMENT.match(line):
            sentence += open_
            document, open_ = document + 1, False
            continue
        cells = _cells(line, separator)
        if line.startswith("#") and (len(cells) < 2 or not (TAG.fullmatch(cells[-1]) or open_)):
            continue
        if separator == "\t" and re.fullmatch(r"\d+[-.]\d+", cells[0]):
            continue  # CoNLL-U: words of several tokens, and empty nodes
        open_ = True
        found.append(Line(number, sentence, document, cells))
    return found


def _separator(lines: Sequence[str]) -> str | None:
    """Return the separator by which most lines have the same number of columns, from 2; None: there is none."""
    for separator in SEPARATORS:
        counts = Counter(len(_cells(line, separator)) for line in lines)
        if counts:
            columns, most = counts.most_common(1)[0]
            if 2 <= columns <= MOST_COLUMNS and most > 0.5 * len(lines):
                return separator
    return None


def _cells(line: str, separator: str) -> list[str]:
    if separator == " ":
        return line.split()
    if separator == "\t" or '"' not in line:
        return [cell.strip() for cell in line.rstrip("\t").split(separator)]
    return [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]


def _share_of_tags(cells: Sequence[str]) -> float:
    tags = sum(TAG.fullmatch(cell) is not None for cell in cells)
    return tags / len(cells) if cells and len(set(cells)) < max(FEW, len(cells)) else 0.0


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each sentence: its tokens, its tags, and its document.

    Raises:
        DataError: the option `token_column` or `tag_column` is not a column.
    """
    entries = _entries(tree)
    for entry in entries:
        require_bytes(entry.size, entry.path, request.limits.table_bytes)
    contents = [tree.read(entry.path) for entry in entries]
    encoding, findings = common_encoding(contents, [e.path for e in entries], request.spec.encoding)
    names, found = split_names.of_entries(entries, tree, request.spec)
    raw = RawTables({}, files_read=[e.path for e in entries], findings=[*findings, *found])
    files = []
    for number, (entry, content) in enumerate(zip(entries, contents, strict=True)):
        progress(f"Reading {entry.name}", number / len(entries))
        files.append(_without_header(Parsed(entry, _parse(decode_lines(content, encoding))), raw))
    columns = Counter(file.columns for file in files for _ in file.lines).most_common(1)[0][0]
    cells = [line.cells for file in files for line in file.lines if len(line.cells) == columns]
    token = _option("token_column", columns, request)
    token = _token_column(cells, columns) if token is None else token
    tag = _option("tag_column", columns, request)
    if tag is None:
        tag = _tag_column(cells, columns, token)
        raw.findings += _column_findings(cells, columns, token, tag)
    rows: dict[str, list[tuple[str, list[str], list[str], str]]] = {}
    damaged: list[str] = []
    for file in files:
        for sentence in _sentences(file.lines):
            bad = next((line for line in sentence if len(line.cells) != columns), None)
            if bad is not None:
                shown = count_with_verb(len(bad.cells), "column", "is").rpartition(" ")[0]
                damaged.append(f"{file.entry.path}, line {bad.number} ({shown})")
                continue
            where, first = f"{file.entry.path}, line {sentence[0].number}", sentence[0]
            document = f"{file.entry.path} {first.document}" if file.lines[-1].document else None
            tokens, tags = ([line.cells[k] for line in sentence] for k in (token, tag))
            rows.setdefault(names[file.entry.path], []).append((where, tokens, tags, document or ""))
    raw.skipped.update({"conll-columns": len(damaged)} if damaged else {})
    text = f"{{n}} {{has}} lines with other than {columns} columns and {{was}} skipped"
    hint = "Separate the columns of all lines in the same way."
    raw.findings += report_examples("warning", "conll-columns", text, damaged, "sentence", hint)
    raw.splits = {split: _table(found) for split, found in rows.items()}
    return raw


def _table(rows: Sequence[tuple[str, list[str], list[str], str]]) -> pa.Table:
    columns = {
        "tokens": pa.array([r[1] for r in rows], pa.list_(pa.string())),
        "tags": pa.array([r[2] for r in rows], pa.list_(pa.string())),
        LOCATION: pa.array([r[0] for r in rows], pa.string()),
    }
    if any(r[3] for r in rows):
        columns["document"] = pa.array([r[3] or None for r in rows], pa.string())
    return pa.table(columns)


def _sentences(lines: Sequence[Line]) -> Iterator[list[Line]]:
    sentence: list[Line] = []
    for line in lines:
        if sentence and line.sentence != sentence[0].sentence:
            yield sentence
            sentence = []
        sentence.append(line)
    if sentence:
        yield sentence


def _without_header(file: Parsed, raw: RawTables) -> Parsed:
    """Return a file without a first line that names the columns."""
    first = file.lines[0].cells if file.lines else []
    if len(first) > 1 and {first[0].lower(), first[-1].lower()} <= HEADER:
        message = f"The first line names the columns ({join_examples(first)}) and is not a token."
        raw.findings.append(Finding("info", "conll-header", message, where=file.entry.path))
        return Parsed(file.entry, file.lines[1:])
    return file


def _option(name: str, columns: int, request: Request) -> int | None:
    """Return the index of the column that an option says: its number from 1, or from the end if negative."""
    given, where = request.spec.options.get(name), f"data.options.{name}"
    if given is None:
        return None
    number = int(given) if re.fullmatch(r"-?\d+(\.0)?", str(given)) and not isinstance(given, float) else None
    number = int(given) if isinstance(given, float) and given.is_integer() else number
    if number is None or not 1 <= abs(number) <= columns:
        message, hint = f"There is no column {given!r}.", f"Write a number from 1 to {columns}."
        raise DataError(message, hint, where, "column-missing")
    return number - 1 if number > 0 else columns + number


def _token_column(cells: Sequence[list[str]], columns: int) -> int:
    """Return the first column of words: not of numbers, and with many distinct values."""
    if columns == CONLLU_COLUMNS and all(c[0].isdecimal() for c in cells[:100]):
        return CONLLU_TOKEN
    distinct = {k: len({c[k] for c in cells}) for k in range(columns) if not all(c[k].isdecimal() for c in cells)}
    most = max(distinct.values(), default=0)
    return next((k for k, count in distinct.items() if 2 * count >= most), 0)


def _tag_column(cells: Sequence[list[str]], columns: int, token: int) -> int:
    """Return the last column of tags such as B-PER, else the part of speech of CoNLL-U, else the last column."""
    tags = [k for k in range(columns) if k != token and _share_of_tags([c[k] for c in cells]) > 0.9]
    if tags:
        return tags[-1]
    if columns == CONLLU_COLUMNS and token == CONLLU_TOKEN:
        return CONLLU_TAG
    return columns - 1 if token != columns - 1 else 0


def _column_findings(cells: Sequence[list[str]], columns: int, token: int, tag: int) -> list[Finding]:
    """Say which column holds the tags, and offer other columns with few distinct values."""
    if columns == 2:
        return []
    values = {k: Counter(c[k] for c in cells) for k in range(columns) if k not in {token, tag}}
    others = [k for k, counts in values.items() if 1 < len(counts) <= FEW and not all(v.isdecimal() for v in counts)]
    shown, where = ", ".join(v for v, _ in Counter(c[tag] for c in cells).most_common(3)), "data.options.tag_column"
    message = f"Of {columns} columns, column {token + 1} has the tokens and column {tag + 1} the tags ({shown}, …)."
    found = [Finding("info", "conll-columns-chosen", message, where=where)]
    for k in others[-OFFERED:]:
        shown = ", ".join(v for v, _ in values[k].most_common(3))
        fix = Fix(f"Use column {k + 1}", {"options": {"tag_column": k + 1}})
        found.append(Finding("info", "conll-columns-chosen", f"Column {k + 1} has {shown}, …", where=where, fix=fix))
    return found
