"""A folder that `datasets` wrote with `save_to_disk`, perhaps with a column of translations."""

from __future__ import annotations

from pathlib import Path

from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.layouts import saved_dataset
from autotrain_gradio.data.layouts.saved_dataset import recognize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables
from autotrain_gradio.tasks.seq2seq.layouts.translation_columns import expand

__all__ = ["read", "recognize"]


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Map the Arrow files of every split into memory; translations become a column for each language."""
    return expand(saved_dataset.read(tree, request, draft, progress))
