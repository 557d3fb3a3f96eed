"""Tables that name the files of images and masks."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.layouts import table_with_files
from autotrain_gradio.data.layouts.file_names import Resolver
from autotrain_gradio.data.layouts.table import parse_table
from autotrain_gradio.data.layouts.table_with_files import SUFFIXES, path_cells
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected
from autotrain_gradio.tasks.image_segmentation import class_files

SAMPLE_ROWS = 200
"""Rows from which columns of file names are detected."""
CONFIDENCE = 0.9
"""Higher than that of folders of images and masks, which the table describes."""


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether a table names image files in two columns."""
    found = table_with_files.recognize(tree, request)
    if isinstance(found, Rejected):
        return found
    resolver, names = Resolver(tree, request.files.suffixes), list[str]()
    for entry in tree.tables(SUFFIXES):
        try:
            table = parse_table(tree.root, entry.path, request, tree.parsed).table
        except DataError:
            continue  # the layout of tables reports it
        names = [n for n in table.column_names if _names_files(table.column(n), entry.folder, resolver)]
        if len(names) > 1:
            shown = join_examples([f"'{n}'" for n in names])
            return Recognized(CONFIDENCE, f"{entry.path} names images and masks in the columns {shown}")
    return Rejected(f"{found.reason}, and no column names their masks")


def _names_files(column: pa.ChunkedArray, folder: str, resolver: Resolver) -> bool:
    cells = [v for v in column.slice(0, SAMPLE_ROWS).to_pylist() if v is not None]
    return bool(cells) and sum(resolver.find(v, folder) is not None for v in cells) >= len(cells) / 2


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row of each row of the tables; cells of all columns that name files become relative paths."""
    raw = table_with_files.read(tree, request, draft, progress)
    resolver = Resolver(tree, request.files.suffixes)
    missing: list[str] = []
    for split, table in raw.splits.items():
        places = [str(where).partition(", row ")[0] for where in table.column(LOCATION).to_pylist()]
        folders = {p: p.rpartition("/")[0] for p in set(places)}
        for name in [n for n in table.column_names if n != LOCATION and not pa.types.is_struct(table.column(n).type)]:
            column = table.column(name)
            if name not in raw.kinds and not any(_names_files(column, f, resolver) for f in folders.values()):
                continue
            paths: list[str | None] = []
            for value, place in zip(column.to_pylist(), places, strict=True):
                found = None if value is None else resolver.find(value, folders[place])
                found = found or (resolver.find_moved(value, folders[place]) if isinstance(value, str) else None)
                if found is None and value is not None:
                    missing.append(f"{place}: {value}")
                paths.append(found)
            table = table.set_column(table.column_names.index(name), name, path_cells(paths))
            raw.kinds[name] = request.files.name
        raw.splits[split] = table
    text, hint = "{n} in the tables {does} not exist", "Add the files, or correct their names."
    raw.findings += report_examples("warning", "mask-file-missing", text, missing, "file", hint)
    declare_classes(raw, tree, request)
    return raw


def declare_classes(raw: RawTables, tree: Tree, request: Request) -> None:
    """Let every column of images know the classes that a file names: which one holds masks is decided later."""
    table, path, findings = class_files.find(tree, request)
    if table:
        raw.findings += findings
        raw.files_read.append(path)
        raw.features |= {n: {"class_table": table} for n, kind in raw.kinds.items() if kind == request.files.name}
