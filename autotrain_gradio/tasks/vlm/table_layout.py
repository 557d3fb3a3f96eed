"""A table that names images, one in each row, as a text, as a list, or in its messages."""

from __future__ import annotations

from pathlib import Path

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.layouts import table_with_files
from autotrain_gradio.data.layouts.table import UNSURE, parse_table
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected
from autotrain_gradio.tasks.vlm.listed_images import with_single_images


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether a table names images, as `table_with_files.recognize`."""
    _prepare(tree, request)
    return table_with_files.recognize(tree, request)


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Make a row of each row of the tables, as `table_with_files.read`."""
    _prepare(tree, request)
    return table_with_files.read(tree, request, draft, progress)


def _prepare(tree: Tree, request: Request) -> None:
    """Put the tables with single images into `tree.parsed`, from where the layout takes them."""
    for entry in tree.tables(table_with_files.SUFFIXES):
        if entry.suffix in UNSURE or entry.path in tree.parsed:
            continue
        try:
            sheet = parse_table(tree.root, entry.path, request, tree.parsed)
        except UserError:
            continue  # the layout reports it
        tree.parsed[entry.path] = with_single_images(sheet, request)
