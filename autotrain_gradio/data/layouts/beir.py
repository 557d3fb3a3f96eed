"""Folders of a retrieval benchmark (BEIR): `corpus.jsonl`, `queries.jsonl`, and judged pairs in `qrels/*.tsv`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.text_format import format_count, join_examples, pluralize
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.table import concat_splits, parse_table
from autotrain_gradio.data.locations import location_numbers
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected
from autotrain_gradio.data.values.arrow_columns import as_text

CORPUS, QUERIES, JUDGED = "corpus.jsonl", "queries.jsonl", "qrels"
COLUMNS = ("query-id", "corpus-id", "score")
SHOWN = 5


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are a corpus, queries and judged pairs."""
    folder, judged = _files(tree)
    if folder is None or not judged:
        return Rejected(f"there are no {CORPUS} and {QUERIES} with tables in a folder {JUDGED}")
    return Recognized(0.95, f"{join_examples([e.path for e in judged])} judges texts of {folder}{CORPUS}")


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Make a row of each judged pair: `query`, `passage` (title and text), and `score` where they differ.

    Raises:
        DataError: a file cannot be parsed or lacks a column.
    """
    folder, judged = _files(tree)
    raw = RawTables({}, file_names=[e.path for e in judged])

    def texts(name: str) -> dict[str, str]:
        progress(f"Reading {folder}{name}", 0.0)
        table = parse_table(tree.root, f"{folder}{name}", request, tree.parsed, progress).table
        _require(table, ("_id", "text"), f"{folder}{name}")
        parts = [as_text(table.column(n)).to_pylist() for n in ("title", "text") if n in table.column_names]
        joined = [" ".join(t.strip() for t in cells if t and t.strip()) for cells in zip(*parts, strict=True)]
        return dict(zip(as_text(table.column("_id")).to_pylist(), joined, strict=True))

    queries, corpus = texts(QUERIES), texts(CORPUS)
    raw.files_read += [f"{folder}{QUERIES}", f"{folder}{CORPUS}"]
    names, found = split_names.of_entries(judged, tree, request.spec)
    raw.findings += found
    splits: dict[str, list[pa.Table]] = {}
    for number, entry in enumerate(judged):
        sheet = parse_table(tree.root, entry.path, request, tree.parsed, progress)
        _require(sheet.table, COLUMNS[:2], entry.path)
        raw.files_read.append(entry.path)
        raw.findings += sheet.findings
        raw.skipped.update(sheet.skipped)
        asked, given = ([str(i) for i in as_text(sheet.table.column(n)).to_pylist()] for n in COLUMNS[:2])
        known = np.array([q in queries and c in corpus for q, c in zip(asked, given, strict=True)], dtype=bool)
        if not known.all():
            raw.skipped["unknown-id"] += int((~known).sum())
            raw.findings.append(_unknown(entry, sheet.number[~known], np.flatnonzero(~known), asked, given))
        chosen = np.flatnonzero(known).tolist()
        columns = {
            "query": pa.array([queries[asked[i]] for i in chosen], pa.string()),
            "passage": pa.array([corpus[given[i]] for i in chosen], pa.string()),
        }
        if COLUMNS[2] in sheet.table.column_names:
            columns["score"] = _scores(entry, sheet.table.column(COLUMNS[2]), sheet.number).take(
                pa.array(chosen, pa.int64())
            )
        columns[LOCATION] = pa.array(location_numbers(number, np.asarray(sheet.number)[known]))
        splits.setdefault(names[entry.path], []).append(pa.table(columns))
    raw.splits = _without_equal_scores(concat_splits(splits))
    rows = sum(table.num_rows for table in raw.splits.values())
    used = len({text for table in raw.splits.values() for text in table.column("passage").to_pylist()})
    message = f"{pluralize(rows, 'judged pair')} of {pluralize(len(queries), 'query', 'queries')} were read; "
    message += f"{used:,} of {len(corpus):,} texts of the corpus are in a pair, the others are not used."
    raw.findings.append(Finding("info", "judged-pairs", message))
    return raw


def _files(tree: Tree) -> tuple[str | None, list[Entry]]:
    """Return the folder of the corpus, with a slash unless it is the root, and the tables of judged pairs."""
    paths = {entry.path for entry in tree.files}
    for entry in sorted(tree.files, key=lambda e: e.path.count("/")):
        folder = entry.path.removesuffix(CORPUS)
        if entry.name == CORPUS and f"{folder}{QUERIES}" in paths:
            judged = [e for e in tree.files if e.folder == f"{folder}{JUDGED}" and e.suffix == ".tsv"]
            return folder, sorted(judged, key=lambda e: e.path)
    return None, []


def _require(table: pa.Table, names: tuple[str, ...], path: str) -> None:
    missing = [f"'{n}'" for n in names if n not in table.column_names]
    if missing:
        message = f"{path} has no column {join_examples(missing)}; its columns: {join_examples(table.column_names)}."
        raise DataError(message, "Name the columns as in BEIR.", path, "columns-missing")


def _scores(entry: Entry, cells: pa.ChunkedArray, numbers: np.ndarray) -> pa.Array:
    """Return the scores as numbers.

    Raises:
        DataError: one is missing or no number.
    """
    found = []
    for cell, number in zip(cells.to_pylist(), numbers, strict=True):
        try:
            found.append(float(cell))
        except (TypeError, ValueError):
            message = f"The score {cell!r} is not a number." if cell is not None else "The score is missing."
            hint = "Write 0 for texts that do not answer the query, and 1 or more for those that do."
            raise DataError(message, hint, f"{entry.path}, row {number:,}", "score-invalid") from None
    return pa.array(found, pa.float64())


def _unknown(entry: Entry, numbers: np.ndarray, rows: np.ndarray, asked: list[str], given: list[str]) -> Finding:
    """Return the finding about pairs whose query or text does not exist. numbers: of the rows in the file."""
    shown = [f"row {n:,} ({asked[i]}, {given[i]})" for n, i in zip(numbers[:SHOWN], rows[:SHOWN], strict=True)]
    text = f"{{n}} of {entry.path} {{has}} an id that is not in {QUERIES} or {CORPUS} and {{was}} skipped"
    message = f"{format_count(text, len(rows), 'pair')}: {join_examples(shown, len(rows))}."
    return Finding("warning", "unknown-id", message, "Correct the ids, or add the texts.", entry.path)


def _without_equal_scores(splits: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Drop the scores if all pairs have the same positive one: then every pair is a right one."""
    scored = [table["score"] for table in splits.values() if "score" in table.column_names]
    scores = {value for column in scored for value in column.to_pylist()}
    if len(scores) != 1 or min(scores) <= 0:
        return splits
    return {name: table.drop_columns(["score"]) for name, table in splits.items()}
