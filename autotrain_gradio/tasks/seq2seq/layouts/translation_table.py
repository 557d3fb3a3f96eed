"""Tables with a column of texts for each side, or with one column of translations."""

from __future__ import annotations

from pathlib import Path

from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.layouts import table
from autotrain_gradio.data.layouts.table import recognize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables
from autotrain_gradio.tasks.seq2seq.layouts.translation_columns import expand

__all__ = ["read", "recognize"]


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Concatenate the rows of all tables of a split; translations become a column for each language."""
    return expand(table.read(tree, request, draft, progress))
