"""The layout `mood-lines`: files that end in `.mood`, one sentence a line, its mood before the colon.

Behind a `#`, words may be highlighted, each with what it is about: `#sunny=weather`.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected

KINDS = {"sentence": "sentence", "mood": "label", "highlights": "highlights"}


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Say whether there are files of ours."""
    found = tree.with_suffix((".mood",))
    return Recognized(0.9, f"{len(found)} .mood files") if found else Rejected("there is no file that ends in .mood")


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Make a row of each line."""
    columns: dict[str, list[str | None]] = {"mood": [], "sentence": [], "highlights": [], LOCATION: []}
    files = [entry.path for entry in tree.with_suffix((".mood",))]
    for path in files:
        for number, line in enumerate((tree.root / path).read_text(encoding="utf-8").splitlines(), 1):
            mood, colon, sentence = line.partition(":")
            columns["mood"].append(mood.strip() if colon else None)
            sentence, _, highlights = (sentence if colon else line).partition("#")
            columns["sentence"].append(sentence.strip())
            columns["highlights"].append(highlights.strip() or None)
            columns[LOCATION].append(f"{path}, line {number}")
    return RawTables({"": pa.table(columns)}, kinds=KINDS, files_read=files)
