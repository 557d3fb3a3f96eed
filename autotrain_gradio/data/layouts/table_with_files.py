"""A table whose rows name files: CSV, TSV, JSON lines, or Parquet."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from autotrain_gradio.core.errors import DataError, Finding, UserError
from autotrain_gradio.core.text_format import count_with_verb, inflect, join_examples, pluralize
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected
from autotrain_gradio.data.tables.small_table import SUFFIXES, Table, column_array, looks_like_url, read_table

LOOKED_AT = 200
"""Rows from which the column of file names is detected."""
PREFERRED = ("metadata", "validated")
"""Of several tables without a split, these are meant; `validated` is that of Common Voice, beside rejected clips."""
SPLIT_COLUMNS = ("split", "subset", "partition", "fold", "set")


class Resolver:
    """Finds the files that cells name: beside the table, from the root, by the end of their path."""

    def __init__(self, tree: Tree, suffixes: Iterable[str]) -> None:
        self._known = tree.by_path
        self._suffixes = tuple(suffixes)
        self._root = str(tree.root)
        self._ends: dict[str, list[str]] = {}
        self._stems: dict[str, list[str]] = {}
        for entry in tree.files:
            if entry.suffix in self._suffixes:
                self._ends.setdefault(entry.name.lower(), []).append(entry.path)
                self._stems.setdefault(entry.stem.lower(), []).append(entry.path)

    def find(self, value: Any, folder: str) -> str | None:
        """Return the relative path of the file that a cell of a table in `folder` names, or None."""
        if not isinstance(value, str | int):
            return None
        text = str(value).strip()
        for name in dict.fromkeys((text, text.replace("\\", "/"))):
            if not name or looks_like_url(name):
                return None
            if name.startswith("/"):
                if not name.startswith(f"{self._root}/"):
                    return None
                name = name[len(self._root) + 1 :]
            for base in dict.fromkeys((folder, "")):
                path = os.path.normpath(f"{base}/{name}" if base else name)
                if path in self._known:
                    return path
        bare = text.replace("\\", "/").lower()
        if ".." in bare.split("/"):
            return None
        name = bare.rpartition("/")[2]
        by_end = [p for p in self._ends.get(name, ()) if f"/{p.lower()}".endswith(f"/{bare.lstrip('./')}")]
        if len(by_end) == 1:
            return by_end[0]
        stems = [p for p in self._stems.get(name, ()) if f"/{os.path.splitext(p.lower())[0]}".endswith(f"/{bare}")]
        return stems[0] if len(stems) == 1 else None

    def elsewhere(self, value: Any, folder: str) -> str | None:
        """Find the file that an absolute path of another computer means, by as many of its last folders as are here.

        Only where exactly one file fits; None for all other cells.
        """
        if not isinstance(value, str) or looks_like_url(value):
            return None
        name = value.strip().replace("\\", "/")
        if not name.startswith("/") and name[1:3] != ":/":
            return None
        parts = [p for p in name.split("/") if p not in {"", "."}]
        if ".." in parts:
            return None
        for k in range(1 if name[1:3] == ":/" else 0, len(parts)):
            found = self.find("/".join(parts[k:]), folder)
            if found:
                return found
        return None

    def outside(self, value: Any, folder: str) -> bool:
        """Return whether a cell names a place outside the folder of the data."""
        if not isinstance(value, str) or looks_like_url(value):
            return False
        name = value.strip().replace("\\", "/")
        if name.startswith("/") or (len(name) > 2 and name[1:3] == ":/"):
            return not name.startswith(f"{self._root}/")
        return os.path.normpath(f"{folder}/{name}" if folder else name).startswith("..")


@dataclass
class _Found:
    """A table that references files, its column of paths, and its split.

    share: share of the checked cells that reference a file. names: number of them that have an extension.
    """

    entry: Entry
    table: Table
    column: str
    share: float
    split: str = ""
    names: int = 0


@dataclass
class _Search:
    found: list[_Found] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    instead: list[str] = field(default_factory=list)
    errors: list[UserError] = field(default_factory=list)


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether a table names files of the wanted kind."""
    if request.media is None:
        return Rejected("this task reads no files")
    if not tree.tables(SUFFIXES):
        return Rejected(f"no table was found ({' '.join(SUFFIXES)})")
    search = _search(tree, request)
    if not search.found:
        if search.errors:
            return Rejected(str(search.errors[0]))
        return Rejected(f"no column of {join_examples(search.others)} names {request.media.name} files")
    names = [f"{f.entry.path} (column '{f.column}')" for f in search.found]
    sure = max(f.share for f in search.found)
    return Recognized(
        0.8 if sure >= 0.5 else 0.3,
        f"{join_examples(names)} {inflect(len(names), 'names')} the {request.media.name} files",
    )


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Make a row of each row of the tables; cells of files become relative paths."""
    assert request.media is not None  # recognize() has seen it
    search = _search(tree, request)
    resolver = Resolver(tree, request.media.suffixes)
    raw = RawTables({})
    parts: dict[str, list[pa.Table]] = {}
    column = search.found[0].column
    for found in search.found:
        table = found.table
        raw.files_read.append(found.entry.path)
        raw.findings += table.findings
        cells = _files(found, resolver, raw, request.media.name)
        columns: dict[str, Any] = {n: column_array(v) for n, v in table.columns.items() if n != found.column}
        # All tables call the files alike, so that their rows fit together.
        columns = {column: cells, **columns}
        raw.kinds[column] = request.media.name
        paths = cells.field("path").to_pylist()
        where = [f"{table.name}, row {n}" + (f": {p}" if p else "") for n, p in zip(table.number, paths, strict=True)]
        columns[LOCATION] = pa.array(where, pa.string())
        for split, rows in _split_rows(found, request).items():
            part = pa.table(columns)
            parts.setdefault(split, []).append(part if rows is None else part.take(rows))
    for split, tables in parts.items():
        try:
            raw.splits[split] = pa.concat_tables(tables, promote_options="permissive")
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            texts = [_all_text(t, column) for t in tables]
            raw.splits[split] = pa.concat_tables(texts, promote_options="permissive")
    _same_types(raw, column)
    if search.others:
        raw.findings.append(
            Finding("info", "other-tables", f"Tables that name no files were skipped: {join_examples(search.others)}.")
        )
    if search.instead:
        raw.findings.append(
            Finding(
                "info",
                "tables-not-used",
                f"Beside {join_examples([f.entry.path for f in search.found])} other tables were not used: "
                f"{join_examples(search.instead)}.",
                "Name the table itself as the place of the data, if another one is meant.",
            )
        )
    for error in search.errors:
        raw.findings += error.findings
    return raw


def _same_types(raw: RawTables, column: str) -> None:
    """Make the splits fit together: a column that is numbers in one and text in another becomes text."""
    types: dict[str, set[pa.DataType]] = {}
    for table in raw.splits.values():
        for f in table.schema:
            if not pa.types.is_null(f.type):
                types.setdefault(f.name, set()).add(f.type)
    if any(len(t) > 1 for t in types.values()):
        raw.splits = {n: _all_text(t, column) for n, t in raw.splits.items()}


def _all_text(table: pa.Table, column: str) -> pa.Table:
    columns = {}
    for name in table.column_names:
        values = table.column(name)
        if name != column and not pa.types.is_string(values.type):
            values = pa.array([None if v is None else str(v) for v in values.to_pylist()], pa.string())
        columns[name] = values
    return pa.table(columns)


def _search(tree: Tree, request: Request) -> _Search:
    assert request.media is not None  # both callers have seen it
    search = _Search()
    resolver = Resolver(tree, request.media.suffixes)
    for entry in tree.tables(SUFFIXES):
        try:
            table = read_table(tree.root / entry.path, entry.path)
        except DataError as error:
            if entry.suffix in {".txt", ".json"}:
                search.others.append(entry.path)  # a README or some settings, not a table
            else:
                search.errors.append(error)
            continue
        found = _column_of_files(entry, table, resolver, request)
        if found is None:
            search.others.append(entry.path)
        else:
            found.split = split_names.of_entry(entry, tree, request.spec)
            search.found.append(found)
    _prefer(search)
    return search


def _prefer(search: _Search) -> None:
    """Of tables without a split, `metadata.*` is meant; of several in one folder the first kind of file."""
    whole = [f for f in search.found if not f.split]
    preferred = [f for f in whole if f.entry.stem.lower() in PREFERRED]
    if preferred and len(whole) > len(preferred):
        dropped = [f for f in whole if f not in preferred]
        search.found = [f for f in search.found if f not in dropped]
        search.instead += [f.entry.path for f in dropped]
    kept: dict[tuple[str, str, str], _Found] = {}
    for f in search.found:
        # train.csv and train.jsonl in one folder are the same rows twice.
        key = (f.entry.folder, f.entry.stem.lower(), f.split)
        if key in kept:
            search.others.append(f.entry.path)
        else:
            kept[key] = f
    search.found = list(kept.values())


def _column_of_files(entry: Entry, table: Table, resolver: Resolver, request: Request) -> _Found | None:
    if any(_like_file(c, request) and resolver.find(c, entry.folder) for c in table.first):
        bare = table.without_header()
        bare.findings.append(
            Finding(
                "info",
                "no-header",
                "The table has no header: its first line names a file, and is read as a row.",
                where=entry.path,
            )
        )
        table = bare
    best = _best_column(entry, table, resolver, request)
    return best


def _best_column(entry: Entry, table: Table, resolver: Resolver, request: Request) -> _Found | None:
    role = next(c for c in request.columns if c.kind == request.media)
    asked = request.spec.columns.get(role.role)
    best: _Found | None = None
    for name, values in table.columns.items():
        if asked is not None:
            if name == asked or name in asked:
                return _Found(entry, table, name, 1.0)
            if not set([asked] if isinstance(asked, str) else asked).isdisjoint(table.columns):
                continue
        sample = [v for v in values[:LOOKED_AT] if v is not None]
        hits = sum((resolver.find(v, entry.folder) or resolver.elsewhere(v, entry.folder)) is not None for v in sample)
        share = hits / len(sample) if sample else 0.0
        named = name.strip().lower() in role.names and any(
            isinstance(v, str) and _like_file(v, request) for v in sample
        )
        if (hits and (share > 0.1 or named)) or named:
            found = _Found(entry, table, name, share)
            found.names = sum(_like_file(str(v), request) for v in sample)
            # A number may be the name of a file without its extension; a column of whole names is surer.
            if best is None or (found.share, found.names) > (best.share, best.names):
                best = found
    return best


def _like_file(value: str, request: Request) -> bool:
    assert request.media is not None  # the caller has seen it
    return value.strip().lower().endswith(request.media.suffixes)


def _split_rows(found: _Found, request: Request) -> dict[str, list[int] | None]:
    """Return split → rows, None for all: the table's own split, or that of a column such as `split`."""
    if found.split:
        return {found.split: None}
    for name, values in found.table.columns.items():
        if name.strip().lower() in SPLIT_COLUMNS and name not in request.spec.columns.values():
            texts = [str(v).strip() if v is not None else "" for v in values]
            if all(not t or split_names.is_split(t, request.spec) for t in texts) and any(texts):
                rows: dict[str, list[int] | None] = {}
                for i, text in enumerate(texts):
                    part = rows.setdefault(text, [])
                    if part is not None:
                        part.append(i)
                return rows
    return {"": None}


def _files(found: _Found, resolver: Resolver, raw: RawTables, kind: str) -> pa.StructArray:
    """Return the cells as structs `{bytes, path}`; a file that is not there keeps the name it was given."""
    table, folder = found.table, found.entry.folder
    paths: list[str | None] = []
    urls, added, elsewhere = [], [], []
    for value, number in zip(table.columns[found.column], table.number, strict=True):
        path = resolver.find(value, folder)
        if path is None and (path := resolver.elsewhere(value, folder)) is not None:
            elsewhere.append(f"row {number}: {value} → {path}")
        elif path is None and value is not None:
            text = str(value).strip()
            if looks_like_url(text):
                urls.append(f"row {number}")
                text = ""
            # Of a place outside nothing but its name is kept; the inspection refuses to open it.
            path = (
                f"../{os.path.basename(text)}"
                if resolver.outside(value, folder)
                else os.path.normpath(f"{folder}/{text}" if folder else text)
            )
        elif path is not None and not path.lower().endswith(
            os.path.basename(str(value).strip().replace("\\", "/")).lower()
        ):
            added.append(f"row {number}: {path}")
        paths.append(path or None)
    if urls:
        raw.findings.append(
            Finding(
                "error",
                "web-address",
                f"{pluralize(len(urls), 'row')} name an address on the web: {join_examples(urls)}.",
                "Download the files and pack them with the table.",
                table.name,
            )
        )
    raw.findings += found_elsewhere(elsewhere, table.name)
    if added:
        raw.findings.append(
            Finding(
                "info",
                "extension-added",
                f"{pluralize(len(added), 'name')} without an extension "
                f"{inflect(len(added), 'was')} completed: {join_examples(added)}.",
                where=table.name,
            )
        )
    return pa.StructArray.from_arrays(
        [pa.nulls(len(paths), pa.binary()), pa.array(paths, pa.string())], ["bytes", "path"]
    )


def found_elsewhere(files: list[str], where: str = "") -> list[Finding]:
    """Report files that were found by the end of their paths. files: each as "path → found"."""
    if not files:
        return []
    return [
        Finding(
            "info",
            "files-elsewhere",
            f"{count_with_verb(len(files), 'path', 'comes')} from another computer; the files were found by the end of "
            f"the path: {join_examples(files)}.",
            "Check that these are the right files.",
            where,
        )
    ]
