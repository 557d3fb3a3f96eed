"""Tables without media files: CSV, TSV, JSON lines, JSON, Parquet, Arrow, Excel; one file or several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.file_types import TABLE_SUFFIXES
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.embedded import read_features
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected, location_numbers
from autotrain_gradio.data.tables.table_reader import read_sheet
from autotrain_gradio.data.tables.types import Sheet
from autotrain_gradio.data.values.arrow_columns import as_text, common_types, encode, in_types, is_text

SPLIT_COLUMNS = ("split", "subset", "partition", "fold", "set")
TOTAL = re.compile(
    r"\s*(grand |sub)?(totals?|sums?|summe|zwischensumme|gesamt(summe)?|insgesamt|somme|suma|totale|totaal)"
    r"( général)?\s*:?\s*$",
    re.IGNORECASE,
)
"""Label of a row of totals below a table."""
UNSURE = (".txt", ".json")
"""Files that may not be data: a note, or settings."""


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Say whether there are tables."""
    if request.media is not None and request.needs_media:
        return Rejected(f"this task reads {request.media.name} files")
    entries = _entries(tree)
    if not entries:
        seen = ", ".join(f"{n:,} {suffix}" for suffix, n in list(tree.count().items())[:5])
        return Rejected(f"no table was found ({' '.join(TABLE_SUFFIXES)}); found: {seen or 'no files at all'}")
    sure = any(e.suffix not in UNSURE for e in entries)
    named = f"{join_examples([e.path for e in entries])} {'is a table' if len(entries) == 1 else 'are tables'}"
    return Recognized(0.7 if sure else 0.4, named)


def _entries(tree: Tree) -> list[Entry]:
    """Return the files that are tables; texts and JSON only where there is nothing else."""
    found = tree.tables(TABLE_SUFFIXES)
    sure = [e for e in found if e.suffix not in UNSURE]
    if sure:
        return sure
    texts, others = [e for e in found if e.suffix == ".txt"], [e for e in found if e.suffix == ".json"]
    return others or (texts if len(texts) == 1 or tree.only else [e for e in texts if "/" not in e.path])


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Concatenate the rows of all tables of a split."""
    entries = _entries(tree)
    raw = RawTables({}, files_read=[e.path for e in entries], file_names=[e.path for e in entries])
    parts: dict[str, list[tuple[Entry, pa.Table]]] = {}
    total = sum(e.size for e in entries) or 1
    done = 0
    kept: dict[tuple[str, str, str], str] = {}
    errors: list[DataError] = []
    for number, entry in enumerate(entries):
        split = split_names.of_entry(entry, tree, request.spec)
        twin = kept.setdefault((entry.folder, entry.stem.lower(), split), entry.path)
        if twin != entry.path:
            raw.findings.append(_twice(entry, twin))
            raw.files_read.remove(entry.path)
            continue
        begin, share = done / total, entry.size / total

        def report(message: str, fraction: float, begin: float = begin, share: float = share) -> None:
            progress(message, begin + share * fraction)

        done += entry.size
        try:
            sheet = read_sheet(tree.root / entry.path, entry.path, report, request.spec.options.get("sheet"))
        except DataError as error:
            errors.append(error)
            continue
        raw.findings += [*sheet.findings, *_no_header(sheet), *_total(sheet)]
        raw.skipped.update(sheet.skipped)
        read_features(sheet.table.schema, raw, request)
        table = sheet.table.append_column(LOCATION, pa.array(location_numbers(number, sheet.number)))
        by, found = _split_rows(split, sheet, request)
        if by is not None:
            table = table.drop_columns([by])  # the split of a row is not a feature
        for name, rows in found.items():
            part = table if rows is None else table.take(pa.array(rows))
            parts.setdefault(name, []).append((entry, part))
    _report_errors(raw, errors)
    raw.findings += _differing([pair for tables in parts.values() for pair in tables])
    together = [t for tables in parts.values() for _, t in tables]
    if len(together) > 1:
        types = common_types(together)
        parts = {n: [(e, in_types(t, types)) for e, t in tables] for n, tables in parts.items()}
    known = {e.path for e in entries}
    others = [f.path for f in tree.files if f.path not in known]
    if others and tree.only is None:
        message = f"Files that are not tables were skipped: {join_examples(others)}."
        raw.findings.append(Finding("info", "other-files", message))
    for name, tables in parts.items():
        raw.splits[name] = pa.concat_tables([t for _, t in tables], promote_options="default")
    return raw


EMPTY = frozenset({"table-empty", "table-header-only"})


def _report_errors(raw: RawTables, errors: Sequence[DataError]) -> None:
    """Raise the errors of all files together; if other files have rows, an empty one is only a warning."""
    found = [f for error in errors for f in error.findings]
    if len(errors) == len(raw.files_read) or any(f.code not in EMPTY for f in found):
        if found:
            raise DataError.from_findings(found)
        return
    raw.findings += [replace(f, level="warning") for f in found]


def _twice(entry: Entry, twin: str) -> Finding:
    return Finding(
        "info",
        "same-table-twice",
        f"{entry.path} has the name of {twin} and was skipped: it probably holds the same rows in another format.",
        "Rename it if its rows are different.",
        entry.path,
    )


def _no_header(sheet: Sheet) -> list[Finding]:
    """Report a first line that was used as the header but looks like a row.

    It does if a name occurs again and again in the cells below it, or if all names are numbers with decimals.
    """
    again = max(2, sheet.table.num_rows // 100)
    names = [(cell, column) for cell, column in zip(sheet.first, sheet.table.columns, strict=False) if cell]
    times = [pc.sum(pc.equal(c, cell)).as_py() or 0 if is_text(c.type) else 0 for cell, c in names]
    for (cell, _), count in zip(names, times, strict=True):
        if count >= again:
            why = f"'{cell}' is in it and {count:,} times below it"
            break
    else:
        if not sheet.first or not all(re.fullmatch(r"[+-]?\d*[.,]\d+", cell) for cell in sheet.first):
            return []
        why = "it holds only numbers"
    return [
        Finding(
            "warning",
            "no-header",
            f"The first line was used as the header, but it looks like a row: {why}.",
            "Add a header with the names of the columns above it.",
            sheet.name,
        )
    ]


def _total(sheet: Sheet) -> list[Finding]:
    """Report a last row that looks like the totals of the rows above it."""
    for column in sheet.table.columns if sheet.table.num_rows > 2 else ():
        cell = column[-1].as_py() if is_text(column.type) else None
        if cell and TOTAL.match(cell) and pc.sum(pc.equal(column, cell)).as_py() == 1:
            message = f"The last row holds {cell.strip()[:40]!r}: it may be the total of the others."
            where = f"{sheet.name}, row {int(sheet.number[-1]):,}"
            return [Finding("warning", "total-row", message, "Remove it, or it is used as a training row.", where)]
    return []


def _split_rows(split: str, sheet: Sheet, request: Request) -> tuple[str | None, dict[str, Any]]:
    """Return the column with the split, if there is one, and split → rows (None for all)."""
    if split:
        return None, {split: None}
    named = {n for v in request.spec.columns.values() for n in ([v] if isinstance(v, str) else v)}
    for name in sheet.table.column_names:
        if name.strip().lower() in SPLIT_COLUMNS and name not in named:
            values, codes = encode(as_text(sheet.table.column(name)))
            texts = [str(v).strip() for v in values.to_pylist()]
            if texts and len(texts) <= 20 and all(not t or split_names.is_split(t, request.spec) for t in texts):
                names = list(dict.fromkeys([*texts, ""]))
                number = np.array([names.index(t) for t in texts] + [names.index("")])[codes]
                return name, {n: np.flatnonzero(number == k) for k, n in enumerate(names) if (number == k).any()}
    return None, {"": None}


def _differing(tables: Sequence[tuple[Entry, pa.Table]]) -> list[Finding]:
    """Report columns that some of the files do not have."""
    names = list(dict.fromkeys(n for _, t in tables for n in t.column_names if n != LOCATION))
    lacking: dict[str, list[str]] = {}
    for entry, table in tables:
        missing = [n for n in names if n not in table.column_names]
        if missing:
            lacking[entry.path] = missing
    if not lacking:
        return []
    shown = [f"{path} lacks {join_examples([repr(n) for n in missing])}" for path, missing in lacking.items()]
    return [
        Finding(
            "warning",
            "columns-differ",
            f"The tables do not have the same columns: {join_examples(shown)}. Their cells are missing values there.",
            "Give all files the same columns.",
        )
    ]
