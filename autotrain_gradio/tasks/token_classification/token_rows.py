"""Tables with a token and its tag in each row, and a column that says to which sentence they belong.

The number of a sentence may be in its first row alone, as in the dataset "Annotated Corpus for NER".
"""

from __future__ import annotations

import csv
from itertools import groupby
from pathlib import Path

import pyarrow as pa

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import inflect, join_examples
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.table import parse_table
from autotrain_gradio.data.layouts.utterances import read_head
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected
from autotrain_gradio.data.values.arrow_columns import as_text

SUFFIXES = (".csv", ".tsv")
SENTENCE = ("sentence #", "sentence_id", "sentence id", "sentence_idx", "sent_id", "sent_idx", "sentence", "sent")
TOKEN = ("word", "token", "form")
TAG = ("tag", "ner", "ner_tag", "label", "iob", "bio", "entity")


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are tables with columns of sentences, tokens and tags."""
    found = _entries(tree)
    if not found:
        return Rejected("no table has a column of sentence numbers, one of tokens and one of tags")
    return Recognized(0.8, f"{join_examples([e.path for e in found])} {inflect(len(found), 'has')} a token in each row")


def _entries(tree: Tree) -> list[Entry]:
    return [e for e in tree.tables(SUFFIXES) if _columns(_header(read_head(tree, e)))]


def _header(head: str) -> list[str]:
    line = head.lstrip("\ufeff").partition("\n")[0]
    delimiter = max("\t;,", key=line.count)
    return next(csv.reader([line], delimiter=delimiter), [])


def _columns(names: list[str]) -> tuple[str, str, str] | None:
    """Return the columns of sentences, tokens and tags; None: one of them is missing."""
    known = {name.strip().lower(): name for name in names}
    found = [next((known[n] for n in usual if n in known), None) for usual in (SENTENCE, TOKEN, TAG)]
    sentence, token, tag = found
    return None if sentence is None or token is None or tag is None else (sentence, token, tag)


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each sentence.

    Raises:
        DataError: a table cannot be parsed.
    """
    entries = _entries(tree)
    names, findings = split_names.of_entries(entries, tree, request.spec)
    raw = RawTables({}, files_read=[e.path for e in entries], findings=findings)
    splits: dict[str, list[pa.Table]] = {}
    for number, entry in enumerate(entries):
        progress(f"Reading {entry.name}", number / len(entries))
        sheet = parse_table(tree.root, entry.path, request, tree.parsed)
        raw.findings += sheet.findings
        raw.skipped.update(sheet.skipped)
        found = _columns(sheet.table.column_names)
        if found is None:
            hint = f"Name the columns, for instance {SENTENCE[1]}, {TOKEN[0]} and {TAG[0]}."
            raise DataError("The table has no header.", hint, entry.path, "token-rows-header")
        cells = [as_text(sheet.table.column(name)).to_pylist() for name in found]
        rows: list[tuple[str, list[str], list[str]]] = []
        of_row, current = [], ""
        for name in cells[0]:
            current = name.strip() if name and name.strip() else current
            of_row.append(current)
        for _, members in groupby(range(len(of_row)), key=of_row.__getitem__):
            places = [i for i in members if cells[1][i] is not None]
            if places:
                where = f"{entry.path}, row {int(sheet.number[places[0]]):,}"
                rows.append((where, [cells[1][i] for i in places], [cells[2][i] or "O" for i in places]))
        table = pa.table(
            {
                "tokens": pa.array([r[1] for r in rows], pa.list_(pa.string())),
                "tags": pa.array([r[2] for r in rows], pa.list_(pa.string())),
                LOCATION: pa.array([r[0] for r in rows], pa.string()),
            }
        )
        splits.setdefault(names[entry.path], []).append(table)
    raw.splits = {split: pa.concat_tables(tables) for split, tables in splits.items()}
    return raw
