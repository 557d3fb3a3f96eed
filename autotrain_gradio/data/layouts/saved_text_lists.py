"""Saved datasets of texts with several positives or negatives in a row: a row for each, as of tables."""

from __future__ import annotations

from pathlib import Path

from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.layouts import saved_dataset
from autotrain_gradio.data.layouts.saved_dataset import recognize
from autotrain_gradio.data.layouts.text_lists import expand
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables

__all__ = ["read", "recognize"]


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Read the rows, with a row for each of several positives or negatives."""
    return expand(saved_dataset.read(tree, request, draft, progress), request)
