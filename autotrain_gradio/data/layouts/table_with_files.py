"""A table whose rows name files: CSV, TSV, JSON lines, Excel or Parquet."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import DataError, Finding, Fix, UserError
from autotrain_gradio.core.file_types import ARCHIVE_SUFFIXES, EXCEL_SUFFIXES, REFUSED_ARCHIVE_SUFFIXES, TEXT_SUFFIXES
from autotrain_gradio.core.text_format import count_with_verb, inflect, join_examples
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.arrow_files import as_media, open_parquet
from autotrain_gradio.data.files.tree import Entry, Tree, inside
from autotrain_gradio.data.layouts.embedded import BATCH, media_field, media_role
from autotrain_gradio.data.layouts.file_names import Resolver, found_elsewhere, is_absolute, looks_like_url
from autotrain_gradio.data.layouts.joined_tables import Candidate, not_joined
from autotrain_gradio.data.layouts.table import UNSURE, add_rows, concat_splits, parse_table, same_table
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected
from autotrain_gradio.data.tables.number_notation import unify_notations
from autotrain_gradio.data.tables.types import Sheet, concat_tables

SUFFIXES = (*TEXT_SUFFIXES, *EXCEL_SUFFIXES, ".parquet")
MOST_COMPARED = 5
"""Names of missing files that are compared with those that exist."""
SAMPLE_ROWS = 200
"""Rows from which the column of file names is detected."""
PREFERRED = ("metadata", "validated")
"""Of several tables without a split, these are meant; `validated` is that of Common Voice, beside rejected clips."""


@dataclass
class _FileTable:
    """A table that references files, its column of paths, and its split.

    share: share of the checked cells that reference a file. names: number of them that have an extension.
    """

    entry: Entry
    sheet: Sheet
    column: str
    share: float
    names: int = 0
    split: str = ""


@dataclass
class _Search:
    """Tables that name files, paths of other tables, and findings."""

    found: list[_FileTable] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether a table names files of the wanted kind."""
    if not tree.tables(SUFFIXES):
        return Rejected(f"no table was found ({' '.join(SUFFIXES)})")
    search = _search(tree, request)
    if not search.found:
        if search.findings:
            return Rejected(str(search.findings[0]))
        return Rejected(f"no column of {join_examples(search.others)} names {request.files.name} files")
    names = [f"{f.entry.path} (column '{f.column}')" for f in search.found]
    reason = f"{join_examples(names)} {inflect(len(names), 'names')} the {request.files.name} files"
    sure = any(f.entry.suffix not in UNSURE for f in search.found)  # a text may be the transcript beside its audio
    confidence = (0.8 if sure else 0.7) if max(f.share for f in search.found) >= 0.5 else 0.3
    return Recognized(confidence, reason, sum(round(f.share * f.sheet.table.num_rows) for f in search.found))


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Make a row of each row of the tables; cells of files become relative paths."""
    search = _search(tree, request)
    resolver = Resolver(tree, request.files.suffixes)
    name = search.found[0].column  # all tables call the files alike, so that their rows fit together
    raw = RawTables({}, kinds={name: request.files.name}, files_read=[f.entry.path for f in search.found])
    splits: dict[str, list[pa.Table]] = {}
    raw.notation, findings = unify_notations([f.sheet for f in search.found])
    raw.findings += findings
    for found in search.found:
        sheet = found.sheet
        raw.findings += sheet.findings
        raw.skipped.update(sheet.skipped)
        paths = _resolve_paths(found, resolver, tree, raw)
        table = sheet.table.drop_columns([found.column])
        where = [f"{sheet.name}, row {n}" + (f": {p}" if p else "") for n, p in zip(sheet.number, paths, strict=True)]
        table = table.add_column(0, name, path_cells(paths)).append_column(LOCATION, pa.array(where, pa.string()))
        add_rows(splits, found.split, table, request)
    raw.splits = concat_splits(splits)
    if search.others:
        message = f"Tables that name no files were skipped: {join_examples(search.others)}."
        raw.findings.append(Finding("info", "other-tables", message))
    raw.findings += search.findings
    return raw


def path_cells(paths: Sequence[str | None]) -> pa.StructArray:
    """Return paths as cells of media, `{bytes, path}`."""
    return pa.StructArray.from_arrays(
        [pa.nulls(len(paths), pa.binary()), pa.array(paths, pa.string())], ["bytes", "path"]
    )


def _search(tree: Tree, request: Request) -> _Search:
    search = _Search()
    resolver = Resolver(tree, request.files.suffixes)
    known: dict[tuple[str, str, str], str] = {}
    entries = tree.tables(SUFFIXES)
    splits, findings = split_names.of_entries(entries, tree, request.spec)
    media = {f.stem.lower() for f in tree.with_suffix(request.files.suffixes)}
    for entry in entries:
        if entry.suffix in UNSURE and entry.stem.lower() in media and tree.chosen is None and tree.only is None:
            search.others.append(entry.path)  # 1.txt belongs to 1.wav: of thousands none is parsed as a table
            continue
        try:
            sheet = parse_table(tree.root, entry.path, request, tree.parsed)
        except DataError as error:
            if entry.suffix in UNSURE:
                search.others.append(entry.path)  # a README or some settings, not a table
            else:
                search.findings += error.findings
            continue
        found = _detect_column(entry, sheet, resolver, request)
        if found is None:
            search.others.append(entry.path)
            continue
        found.split = splits[entry.path]
        twin = known.setdefault((entry.folder, entry.stem.lower(), found.split), entry.path)
        if twin == entry.path:
            search.found.append(found)
        else:
            search.findings.append(same_table(entry.path, twin))
    if search.found:
        search.findings += findings
    preferred = [f for f in search.found if f.split or f.entry.stem.lower() in PREFERRED]
    unused = [f.entry.path for f in search.found if f not in preferred]
    if unused and any(not f.split for f in preferred):
        search.found = preferred
        message = (
            f"Beside {join_examples([f.entry.path for f in preferred])} other tables were not used: "
            f"{join_examples(unused)}."
        )
        hint = "Set the path of the data to another table to use that one."
        fix = Fix(f"Use {unused[0]} instead", {"options": {split_names.TABLES: unused[:1]}})
        search.findings.append(Finding("info", "tables-not-used", message, hint, fix=fix))
    candidates = [
        Candidate(f.entry.path, f.split, f.sheet.table.column_names, f.sheet.table.num_rows) for f in search.found
    ]
    apart, findings = not_joined(candidates, request)
    search.found = [f for f in search.found if f.entry.path not in apart]
    search.findings += findings
    return search


def _detect_column(entry: Entry, sheet: Sheet, resolver: Resolver, request: Request) -> _FileTable | None:
    """Return the table with its column of files: the mapped one, or the one with the most cells that name a file."""
    suffixes = request.files.suffixes
    if any(_has_suffix(cell, suffixes) and resolver.find(cell, entry.folder) for cell in sheet.first):
        sheet = _without_header(sheet)
    role, asked = media_role(request)
    mapped = next((n for n in sheet.table.column_names if n in asked), None)
    if mapped is not None:
        return _FileTable(entry, sheet, mapped, 1.0)
    found = []
    for name, column in zip(sheet.table.column_names, sheet.table.columns, strict=True):
        cells = [v for v in column.slice(0, SAMPLE_ROWS).to_pylist() if v is not None]
        zeros = name.strip().lower() in role.names
        hits = sum(_find(v, entry.folder, resolver, zeros=zeros) is not None for v in cells)
        names = sum(_has_suffix(v, suffixes) for v in cells)
        share = hits / max(1, len(cells))
        if share > 0.1 or (names and name.strip().lower() in role.names):
            found.append(_FileTable(entry, sheet, name, share, names))
    # A number may be the name of a file without its extension; a column of whole names is surer.
    return max(found, key=lambda f: (f.share, f.names), default=None)


def _has_suffix(value: Any, suffixes: tuple[str, ...]) -> bool:
    """Return whether a cell ends like the name of a file with one of these extensions."""
    return str(value).strip().lower().endswith(suffixes)


def _without_header(sheet: Sheet) -> Sheet:
    """Return a table whose first line is a row, with columns named by their number."""
    names = [f"column {k}" for k in range(1, len(sheet.first) + 1)]
    first = pa.table([pa.array([cell or None], pa.string()) for cell in sheet.first], names)
    message = "The table has no header: its first line names a file, and was parsed as a row."
    findings = [*sheet.findings, Finding("info", "no-header", message, where=sheet.name)]
    table = concat_tables([first, sheet.table.rename_columns(names)])
    return replace(sheet, table=table, number=np.append(1, sheet.number), findings=findings, first=[])


def _find(value: Any, folder: str, resolver: Resolver, *, zeros: bool = False) -> str | None:
    """Return the file that a cell names: by its path, by an absolute path of another computer, or by a similar name."""
    found = resolver.find(value, folder)
    if found is None and isinstance(value, str) and is_absolute(value):
        return resolver.find_moved(value, folder)
    return found or resolver.find_alike(value, zeros=zeros)


def _resolve_paths(table: _FileTable, resolver: Resolver, tree: Tree, raw: RawTables) -> list[str | None]:
    """Return the path of the file of each row; one that does not exist keeps the name it was given."""
    name, folder = table.sheet.name, table.entry.folder
    paths: list[str | None] = []
    urls, completed, missing = [], [], []
    moved, alike = list[str](), list[str]()
    for value, number in zip(table.sheet.table.column(table.column).to_pylist(), table.sheet.number, strict=True):
        text = "" if value is None else str(value).strip()
        path = _find(value, folder, resolver, zeros=True)
        if path is not None:
            if resolver.find(value, folder) is None:
                (moved if is_absolute(text) else alike).append(f"row {number}: {value} → {path}")
            elif not path.lower().endswith(os.path.basename(text.replace("\\", "/")).lower()):
                completed.append(f"row {number}: {path}")
        elif looks_like_url(text):
            urls.append(f"row {number}")
        elif text and resolver.outside(text, folder):
            path = f"../{os.path.basename(text)}"  # the inspection refuses to open it
        elif text:
            path = os.path.normpath(os.path.join(folder, text))
            missing.append((number, path))
        paths.append(path)
    hint = "Download the files and pack them with the table."
    raw.findings += report_examples(
        "error", "web-address", "{n} {names} an address on the web", urls, "row", hint, name
    )
    raw.findings += found_elsewhere(moved, name)
    text = "{n} without an extension {was} completed"
    raw.findings += report_examples("info", "extension-added", text, completed, "name", where=name)
    text, hint = "{n} {was} matched with a file of a slightly different name", "Check that these are the right files."
    raw.findings += report_examples("info", "names-matched", text, alike, "name", hint, name)
    raw.findings += _missing_files(missing, resolver, tree, name)
    return paths


def _missing_files(missing: list[tuple[int, str]], resolver: Resolver, tree: Tree, where: str) -> list[Finding]:
    """Name the archives that may hold files that do not exist, and names that may be meant."""
    archives = [f.path for f in tree.files if f.name.lower().endswith(ARCHIVE_SUFFIXES + REFUSED_ARCHIVE_SUFFIXES)]
    if missing and archives:
        message = (
            f"{count_with_verb(len(missing), 'file', 'is')} not there, and archives beside the table are not opened: "
        )
        hint = "Unpack the archive where it lies. Or pack the table and the files in one zip."
        return [Finding("error", "archive-beside", f"{message}{join_examples(archives)}.", hint, where)]
    near = [(number, path, resolver.nearest(os.path.basename(path))) for number, path in missing[:MOST_COMPARED]]
    shown = [f"row {number}: {path}: did you mean {meant}?" for number, path, meant in near if meant]
    return report_examples(
        "info", "names-near", "{n} that {does} not exist {is} like that of a file", shown, "name", where=where
    )


def referenced_files(path: Path, request: Request, parsed: dict[str, Sheet]) -> frozenset[str] | None:
    """Return the files of the data if its path is one file: the file itself, and the files that its cells reference.

    path: a file. Its cells hold paths relative to its folder, or absolute paths below it. parsed: as in `Tree`.

    Returns paths relative to the file's folder; None if that folder must be listed: a cell references a file outside
    of it, a missing one or one without its extension, or the file is not a table.
    """
    own = frozenset({path.name})
    if request.media is None:
        return own
    if path.suffix.lower() not in SUFFIXES:
        return None
    try:
        if path.suffix.lower() == ".parquet" and _holds_media(path, request):
            return own
        sheet = parse_table(path.parent, path.name, request, parsed)
    except (UserError, OSError):
        return own  # the layout that reads its rows reports the error
    suffixes, (_, asked) = request.files.suffixes, media_role(request)
    named: set[str] = set()
    for number, (name, column) in enumerate(zip(sheet.table.column_names, sheet.table.columns, strict=True)):
        # The first line may be a row, not a header.
        cells = [c for c in sheet.first[number : number + 1] if _has_suffix(c, suffixes)] + column.to_pylist()
        if name not in asked and not any(_has_suffix(cell, suffixes) for cell in cells):
            continue
        for cell in cells:
            text = "" if cell is None else str(cell).strip()
            if text and not looks_like_url(text):
                found = os.path.normpath(text.removeprefix(f"{path.parent}/").replace("\\", "/"))
                if not inside(found) or not (path.parent / found).is_file():
                    return None
                named.add(found)
    return own | named if named else None


def _holds_media(path: Path, request: Request) -> bool:
    """Return whether one of the first rows of a Parquet file has media inside."""
    with open_parquet(path, path.name) as file:
        name = media_field(file.schema_arrow, request)
        batch = next(file.iter_batches(BATCH, columns=[name]), None) if name else None
    cells = as_media(pa.chunked_array([batch.column(0)])) if batch is not None else None
    return cells is not None and cells.chunk(0).field("bytes").null_count < len(cells)
