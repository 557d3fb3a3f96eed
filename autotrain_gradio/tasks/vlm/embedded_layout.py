"""Parquet or Arrow files that carry the images, one in each row or in a list (the column `images` of TRL)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.arrow_files import open_parquet
from autotrain_gradio.data.files.json_files import read_json, write_json
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts import embedded
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected
from autotrain_gradio.tasks.vlm.listed_images import first_of, media_lists, several_images

SUFFIX = ".parquet"


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are files with a column of images, or of lists of images."""
    listed = _listed(tree, request)
    if listed:
        entry, column = next(iter(listed.items()))
        return Recognized(0.9, f"{entry.path} holds the images in lists in the column '{column}'")
    return embedded.recognize(tree, request)


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Map the files into memory; a list of images becomes its only image."""
    listed = _listed(tree, request)
    if not listed:
        return embedded.read(tree, request, draft, progress)
    splits, findings = split_names.of_entries(list(listed), tree, request.spec)
    files = []
    for number, (entry, column) in enumerate(listed.items()):
        progress(f"Reading {entry.name}", number / len(listed))
        counts: list[int] = []
        change = partial(first_of, column=column, sizes=counts)
        path = embedded.to_arrow(entry, tree, draft, request.limits, change)
        note = path.with_suffix(".images.json")
        if counts:
            write_json(note, counts)
        counts = read_json(note) or []  # of an earlier check, whose Arrow file is used again
        findings += several_images(counts, entry.path, range(1, len(counts) + 1))
        files.append((splits[entry.path], entry.path, path))
    raw = embedded.join(files, request)
    raw.findings += findings
    raw.files_read = [e.path for e in listed if (tree.root / e.path).exists()]
    return raw


def _listed(tree: Tree, request: Request) -> dict[Entry, str]:
    """Return the Parquet files with lists of images, and the columns of these."""
    found = {}
    for entry in tree.tables((SUFFIX,)):
        try:
            with open_parquet(tree.root / entry.path, entry.path) as file:
                column = media_lists(file.schema_arrow, request)
        except DataError:
            continue  # the layout reports it
        if column is not None:
            found[entry] = column
    return found
