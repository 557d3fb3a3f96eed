"""Cells that are questions: texts."""

from __future__ import annotations

import pyarrow as pa

from autotrain_gradio.core.panels import Panel
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.kinds.text import inspect
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Context, Guess, Rows
from autotrain_gradio.data.values.arrow_columns import is_text
from autotrain_gradio.tasks.extractive_question_answering import context_column

__all__ = ["guess", "inspect", "profile"]

MARKS = ("?", "\uff1f", "\u061f", "\u037e", "\u055e", "\u1367")
"""Question marks, of other scripts too."""


def guess(columns: dict[str, pa.ChunkedArray], role: Column, request: Request) -> Guess | None:
    """Return the only column of which most texts end with a question mark."""
    found = [n for n, c in columns.items() if is_text(c.type) and _asks(c)]
    return Guess(found, "most of its texts end with a question mark") if len(found) == 1 else None


def _asks(column: pa.ChunkedArray) -> bool:
    texts = [v for v in column.to_pylist() if v and v.strip()]
    return sum(v.rstrip().endswith(MARKS) for v in texts) > len(texts) / 2


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Draw how many words the questions have."""
    return context_column.profile(rows, role, context)
