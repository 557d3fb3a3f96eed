"""A folder of text files for each class, perhaps below a folder for each split."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pyarrow as pa

from autotrain_gradio.core.text_format import count_with_verb, format_bytes, pluralize
from autotrain_gradio.data.files.encoding import decode_together
from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.layouts.class_folders import LABEL, classes_of, report_files
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected

SUFFIXES = (".txt", ".md")
DOCUMENTS = (".doc", ".docx", ".pdf", ".rtf", ".odt", ".html")
TEXT = "text"
LARGEST = 10_000_000
"""Maximum size in bytes of the text of one row."""


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether texts lie in folders that can be classes."""
    if request.class_column is None or not any(c.kind.texts for c in request.columns):
        return Rejected("this task does not sort texts into classes")
    if tree.only is not None:
        return Rejected("one file was named, not a folder")
    files = tree.with_suffix(SUFFIXES)
    if not files:
        return Rejected(f"no text file was found ({' '.join(SUFFIXES)})")
    plan = classes_of(files, request, tree.splits)
    labelled = len(plan.labels)
    if labelled < 2:
        return Rejected(f"{count_with_verb(len(files), 'text file', 'lies')} in no folders that could name classes")
    # README.md and notes beside tables lie in folders too: most of the files must be texts.
    return Recognized(0.75 if labelled >= 0.5 * len(tree.files) else 0.2, plan.describe(TEXT))


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Make a row of each file; its class is the name of its folder."""
    assert request.class_column is not None  # recognize() has seen it
    files = tree.with_suffix(SUFFIXES)
    plan = classes_of(files, request, tree.splits)
    raw = RawTables({}, kinds={LABEL: request.class_column.kind.name})
    contents: list[bytes] = []
    large: list[str] = []
    for rows in plan.rows.values():
        for entry, _ in rows:
            progress(f"Reading {pluralize(len(files), 'text')}", (len(raw.files_read) + 1) / len(files))
            raw.files_read.append(entry.path)
            if entry.size > LARGEST:
                large.append(f"{entry.path} ({format_bytes(entry.size)})")
            contents.append(b"\0" if entry.size > LARGEST else tree.read(entry.path))
    decoded, found = decode_together(contents, raw.files_read, request.spec.encoding)
    raw.findings += found
    texts = iter(decoded)
    for split, rows in plan.rows.items():
        columns = {
            TEXT: [None if "\0" in text else text for text in islice(texts, len(rows))],
            LABEL: [label for _, label in rows],
            LOCATION: [entry.path for entry, _ in rows],
        }
        raw.splits[split] = pa.table({name: pa.array(cells, pa.string()) for name, cells in columns.items()})
    text, hint = "{n} {is} too large for one text and {was} skipped", "Split them into one text file for each row."
    raw.findings += report_examples("warning", "text-too-large", text, large, "file", hint)
    report_files(raw, plan, tree, TEXT, "texts-beside-folders", SUFFIXES, DOCUMENTS)
    return raw
