"""A folder of text files for each class, perhaps below a folder for each split."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.text_format import count_with_verb, inflect, join_examples, pluralize
from autotrain_gradio.data.files.encoding import decode
from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.layouts.class_folders import LABEL, classes_of, folder_findings
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected

SUFFIXES = (".txt", ".md")
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
    classes = {c for rows in plan.rows.values() for _, c in rows if c is not None}
    labelled = sum(label is not None for rows in plan.rows.values() for _, label in rows)
    if len(classes) < 2 and labelled < 2:
        return Rejected(f"{pluralize(len(files), 'text file')} lie in no folders that could name their classes")
    splits = [s for s in plan.rows if s]
    in_splits = f" in the splits {join_examples([repr(s) for s in splits])}" if splits else ""
    # README.md and notes beside tables lie in folders too: most of the files must be texts.
    most = labelled >= 0.5 * len(tree.files)
    return Recognized(
        0.75 if most else 0.2,
        f"{pluralize(len(classes), 'folder')} with texts{in_splits}: {join_examples(sorted(classes))}",
    )


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Make a row of each file; its class is the name of its folder."""
    assert request.class_column is not None  # recognize() has seen it
    plan = classes_of(tree.with_suffix(SUFFIXES), request, tree.splits)
    raw = RawTables({}, kinds={LABEL: request.class_column.kind.name})
    total = max(1, sum(len(rows) for rows in plan.rows.values()))
    guessed: list[str] = []
    large: list[str] = []
    done = 0
    for split, rows in plan.rows.items():
        texts: list[str | None] = []
        for entry, _ in rows:
            if entry.size > LARGEST:
                large.append(f"{entry.path} ({entry.size / 1e6:,.0f} MB)")
                texts.append(None)
            else:
                try:
                    data = (tree.root / entry.path).read_bytes()
                except OSError as error:
                    raise DataError(
                        f"The file cannot be read: {error.strerror}.",
                        "Check its permissions.",
                        entry.path,
                        "file-unreadable",
                    ) from None
                text, found = decode(data, entry.path)
                guessed += [entry.path for _ in found]
                texts.append(None if "\0" in text else text)
            done += 1
            progress(f"Reading {pluralize(total, 'text')}", done / total)
        paths = [entry.path for entry, _ in rows]
        raw.files_read += paths
        labels = pa.array([label for _, label in rows], pa.string())
        raw.splits[split] = pa.table(
            {TEXT: pa.array(texts, pa.string()), LABEL: labels, LOCATION: pa.array(paths, pa.string())}
        )
    if guessed:
        raw.findings.append(
            Finding(
                "info",
                "encoding-guessed",
                f"{count_with_verb(len(guessed), 'file', 'is')} not UTF-8 and "
                f"{inflect(len(guessed), 'was')} read as Western European text: {join_examples(guessed)}.",
                "Save them as UTF-8 if letters look wrong.",
            )
        )
    if large:
        raw.findings.append(
            Finding(
                "warning",
                "text-too-large",
                f"{count_with_verb(len(large), 'file', 'is')} too large for one text and "
                f"{inflect(len(large), 'was')} skipped: {join_examples(large)}.",
                "Split them into one text file for each row.",
            )
        )
    raw.findings += folder_findings(plan, tree, "text", SUFFIXES, (".doc", ".docx", ".pdf", ".rtf", ".odt", ".html"))
    if any(f.code == "texts-beside-folders" for f in raw.findings):
        raw.redundant_codes = frozenset({"label-missing"})
    return raw
