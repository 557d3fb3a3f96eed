"""The kind `text-or-tokens`: a text, or a list of tokens, in each cell. Tokens are joined to a text."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.kinds import text as plain_text
from autotrain_gradio.data.kinds.text_panels import profile
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Context, Guess
from autotrain_gradio.data.values.arrow_columns import as_text, blank, is_list, is_text
from autotrain_gradio.data.values.content_ids import of_texts
from autotrain_gradio.tasks.token_classification import annotation_cells
from autotrain_gradio.tasks.token_classification.cell_lists import Truncated, flat, parse_list
from autotrain_gradio.tasks.token_classification.words import join_tokens

__all__ = ["guess", "inspect", "profile"]

KEYS = ("text", "token", "word", "form", "orth")
"""Keys of tokens that are objects."""
SHARE = 0.5
"""Share of the texts that must be lists, so that a column of texts counts as one of lists."""
TOKENS = "tokens"
"""Fact: per row the spans of its tokens in the text, or None where the cell is a text."""


def guess(columns: dict[str, pa.ChunkedArray], role: Column, request: Request) -> Guess | None:
    """Return the column of lists of tokens, else that of sentences."""
    lists = [n for n, c in columns.items() if _is_list_column(c) and annotation_cells.form_of(c.to_pylist()) != "spans"]
    lists = [n for n in lists if not annotation_cells.are_tags(columns[n].to_pylist())]
    if len(lists) == 1:
        return Guess(lists, "it is the only column of lists of tokens")
    return plain_text.guess(columns, role, request)


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Join the tokens of each cell to a text; texts are taken as they are. Empty rows are skipped and reported."""
    if not _is_list_column(cells):
        return plain_text.inspect(cells, context)
    texts: list[str | None] = []
    tokens: list[Any] = []
    wrong, cut, empty_tokens = list[int](), list[int](), list[int]()
    for row, cell in enumerate(cells.to_pylist()):
        if not context.needed[row] or cell is None or cell == "":
            texts.append(None)
            tokens.append(None)
            continue
        try:
            names = _names(parse_list(cell, bare=False) if isinstance(cell, str) else cell)
        except Truncated:
            names = None
            cut.append(row)
        else:
            if names is None:
                wrong.append(row)
        text, spans = join_tokens(names or [])
        if names and "" in names and text:
            empty_tokens.append(row)
        texts.append(text)
        tokens.append(spans)
    values = pa.chunked_array([pa.array(texts, pa.string())])
    refused = np.zeros(len(texts), dtype=bool)
    refused[wrong + cut] = True
    empty = np.flatnonzero(blank(values) & context.needed & ~refused)
    problems = {"text-empty": empty, "tokens-unreadable": np.array(wrong, int), "tokens-truncated": np.array(cut, int)}
    found = Cells(values, problems, {"digest": of_texts(values), TOKENS: tokens})
    found.findings += context.skipped("text-empty", "{n} {has} no tokens", empty, "Fill in the tokens to use them.")
    hint = 'Write a list of texts in each cell: ["The", "first", "token"].'
    found.findings += context.skipped("tokens-unreadable", "{n} {has} no list of tokens", wrong, hint)
    hint = (
        "Write all tokens: NumPy replaces those of long lists by '...' where it prints them. Save JSON lines instead."
    )
    found.findings += context.skipped("tokens-truncated", "{n} {has} a list of tokens with '...' inside", cut, hint)
    text, where = "{n} {has} empty tokens, which are not part of the text", f"column {context.column}"
    found.findings += context.findings("info", "tokens-empty", text, empty_tokens, where=where)
    return found


def _is_list_column(cells: pa.ChunkedArray) -> bool:
    """Whether the cells are lists, or most of them texts that write lists."""
    if is_list(cells.type):
        return True
    if not is_text(cells.type):
        return False
    texts = [v for v in as_text(cells.slice(0, 200)).to_pylist() if v and v.strip()]
    return sum(_writes_list(t) for t in texts) > SHARE * len(texts)


def _writes_list(text: str) -> bool:
    try:
        return parse_list(text, bare=False) is not None
    except Truncated:
        return True


def _names(value: list[Any] | None) -> list[str] | None:
    """Return tokens as texts without surrounding whitespace; None: they are not a list of texts."""
    if value is None:
        return None
    items = [next((v[k] for k in KEYS if k in v), v) if isinstance(v, dict) else v for v in value]
    plain = flat(items)
    return None if plain is None else [_token(v) for v in plain]


@lru_cache(maxsize=100_000)
def _token(value: Any) -> str:
    return "" if value is None else " ".join(str(value).split())
