"""Tables without media files: CSV, TSV, JSON lines, JSON, Parquet, Arrow, Excel; one file or several."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.file_types import TABLE_SUFFIXES
from autotrain_gradio.core.text_format import inflect, join_examples
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.embedded import read_features
from autotrain_gradio.data.layouts.joined_tables import Candidate, not_joined
from autotrain_gradio.data.locations import location_numbers
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected, ignore_progress
from autotrain_gradio.data.tables.number_notation import unify_notations
from autotrain_gradio.data.tables.table_reader import read_sheet
from autotrain_gradio.data.tables.types import ReadOptions, Sheet
from autotrain_gradio.data.values.arrow_columns import as_text, common_types, in_types, is_text

EMPTY = frozenset({"table-empty", "table-header-only"})
"""Codes of errors that are warnings where other files have rows."""
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
    """Return whether there are tables."""
    if request.media is not None and request.needs_media:
        return Rejected(f"this task reads {request.media.name} files")
    entries = _entries(tree)
    if not entries:
        return Rejected(f"no table was found ({' '.join(TABLE_SUFFIXES)}); found: {tree.describe()}")
    sure = any(e.suffix not in UNSURE for e in entries)
    return Recognized(
        0.7 if sure else 0.4, f"{join_examples([e.path for e in entries])} {inflect(len(entries), 'holds')} rows"
    )


def _entries(tree: Tree) -> list[Entry]:
    """Return the files that are tables; texts and JSON only where there is nothing else."""
    found = tree.tables(TABLE_SUFFIXES)
    sure = [e for e in found if e.suffix not in UNSURE] or [e for e in found if e.suffix == ".json"]
    return sure or (found if len(found) == 1 else [e for e in found if "/" not in e.path])


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Concatenate the rows of all tables of a split."""
    entries = _entries(tree)
    raw = RawTables({}, file_names=[e.path for e in entries])
    splits: dict[str, list[pa.Table]] = {}
    known: dict[tuple[str, str, str], str] = {}
    errors: list[Finding] = []
    sheets: dict[int, Sheet] = {}
    names, found = split_names.of_entries(entries, tree, request.spec)
    raw.findings += found
    for number, entry in enumerate(entries):
        split = names[entry.path]
        twin = known.setdefault((entry.folder, entry.stem.lower(), split), entry.path)
        if twin != entry.path:
            raw.findings.append(same_table(entry.path, twin))
            continue

        def report(message: str, fraction: float, before: int = number) -> None:
            progress(message, (before + fraction) / len(entries))

        try:
            sheet = parse_table(tree.root, entry.path, request, tree.parsed, report)
        except DataError as error:
            errors += error.findings
            continue
        sheets[number] = sheet
    candidates = [Candidate(s.name, names[s.name], s.table.column_names, s.table.num_rows) for s in sheets.values()]
    apart, found = not_joined(candidates, request)
    raw.findings += found
    sheets = {number: sheet for number, sheet in sheets.items() if sheet.name not in apart}
    for sheet in sheets.values():
        raw.findings += [*sheet.findings, *_total_row(sheet)]
        raw.skipped.update(sheet.skipped)
        raw.sheets.update([sheet.sheet] if sheet.sheet else [])
    raw.files_read += [sheet.name for sheet in sheets.values()]
    if errors and (not sheets or any(f.code not in EMPTY for f in errors)):
        raise DataError.from_findings(errors)
    raw.findings += [replace(f, level="warning") for f in errors]
    used = split_names.choose({names[sheet.name]: 1 for sheet in sheets.values()}, request.spec)
    trained = [sheet for sheet in sheets.values() if names[sheet.name] in {used.train, used.validation}]
    raw.findings += _differing({sheet.name: sheet.table.column_names for sheet in trained})
    raw.notation, found = unify_notations(list(sheets.values()))
    raw.findings += found
    for number, sheet in sheets.items():
        add_rows(splits, names[sheet.name], locate_rows(sheet, number, raw, request), request)
    others = [f.path for f in tree.files if f.path not in raw.file_names]
    if others and tree.only is None:
        message = f"Other files were skipped: {join_examples(others)}."
        raw.findings.append(Finding("info", "other-files", message))
    raw.splits = concat_splits(splits)
    return raw


def parse_table(
    root: Path, name: str, request: Request, parsed: dict[str, Sheet], progress: Progress = ignore_progress
) -> Sheet:
    """Parse a file as a table, unless an earlier step has put it into `parsed`. name: its path relative to the root."""
    if name not in parsed:
        options = ReadOptions.of(request.spec)
        parsed[name] = read_sheet(root / name, name, request.limits, progress, options)
    return parsed[name]


def locate_rows(sheet: Sheet, file: int, raw: RawTables, request: Request) -> pa.Table:
    """Return the rows with their location numbers, and note what the schema declares. file: its number."""
    read_features(sheet.table.schema, raw, request)
    return sheet.table.append_column(LOCATION, pa.array(location_numbers(file, sheet.number)))


def add_rows(splits: dict[str, list[pa.Table]], split: str, table: pa.Table, request: Request) -> None:
    """Add rows to their split: the one of the whole table, or that of each row in a column such as `split`."""
    mapped = {n for v in request.spec.columns.values() for n in ([v] if isinstance(v, str) else v)}
    named = [n for n in table.column_names if n.strip().lower() in SPLIT_COLUMNS and n not in mapped]
    for name in named if not split else ():
        cells = pc.fill_null(pc.utf8_trim_whitespace(as_text(table.column(name))), "")
        names = pc.unique(cells).to_pylist()
        if any(names) and all(not n or split_names.is_split(n, request.spec) for n in names):
            table = table.drop_columns([name])  # the split of a row is not a feature
            for found in names:
                splits.setdefault(found, []).append(table.filter(pc.equal(cells, found)))
            return
    splits.setdefault(split, []).append(table)


def concat_splits(splits: dict[str, list[pa.Table]]) -> dict[str, pa.Table]:
    """Concatenate the tables of each split; a column has one type in all splits, of different types text."""
    types = common_types([table for tables in splits.values() for table in tables])
    return {
        name: pa.concat_tables([in_types(table, types) for table in tables], promote_options="default")
        for name, tables in splits.items()
    }


def same_table(path: str, other: str) -> Finding:
    """Return the finding about a table that is skipped because of another one of its name."""
    message = f"{path} has the name of {other} and was skipped: it probably holds the same rows in another format."
    return Finding("info", "same-table-twice", message, "Rename it if its rows are different.", path)


def _total_row(sheet: Sheet) -> list[Finding]:
    """Report a last row that looks like the totals of the rows above it."""
    for column in sheet.table.columns if sheet.table.num_rows > 2 else ():
        cell = column[-1].as_py() if is_text(column.type) else None
        if cell and TOTAL.match(cell) and pc.sum(pc.equal(column, cell)).as_py() == 1:
            message = f"The last row holds {cell.strip()[:40]!r}: it may be the total of the others."
            where = f"{sheet.name}, row {int(sheet.number[-1]):,}"
            return [Finding("warning", "total-row", message, "Remove it, or it is used as a training row.", where)]
    return []


def _differing(columns: Mapping[str, Sequence[str]]) -> list[Finding]:
    """Report columns that some of the files do not have. columns: of each file."""
    names = dict.fromkeys(name for of_file in columns.values() for name in of_file)
    lacking = {path: [repr(n) for n in names if n not in of_file] for path, of_file in columns.items()}
    shown = [f"{path} lacks {join_examples(missing)}" for path, missing in lacking.items() if missing]
    if not shown:
        return []
    message = f"The tables do not have the same columns: {join_examples(shown)}. Their cells are missing values there."
    return [Finding("warning", "columns-differ", message, "Give all files the same columns.")]
