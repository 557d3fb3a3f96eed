"""Target texts. The panels of the source texts show them, too."""

from __future__ import annotations

import pyarrow as pa

from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.kinds import text
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Context, Guess
from autotrain_gradio.data.values.arrow_columns import is_text
from autotrain_gradio.tasks.seq2seq.kinds.source_text import is_language_column, with_column_name


def guess(columns: dict[str, pa.ChunkedArray], role: Column, request: Request) -> Guess | None:
    """Return the first column that is named after a language, else the only other column of text."""
    texts = [name for name, cells in columns.items() if is_text(cells.type)]
    named = [name for name in texts if is_language_column(name, columns[name])]
    if named:
        return Guess(named[:1])  # the check of languages reports the direction
    if len(texts) == 1:
        return Guess(texts, "it is the only other column of texts")
    return text.guess(columns, role, request)


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Take the texts as they are; rows without text are skipped and reported."""
    return with_column_name(text.inspect(cells, context), context)
