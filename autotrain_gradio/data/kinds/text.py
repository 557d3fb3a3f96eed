"""Cells that are texts: of one column, or of several that are joined."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.kinds.text_panels import gallery, profile
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Context, Guess
from autotrain_gradio.data.values.arrow_columns import as_text, blank, is_list, is_text, matches
from autotrain_gradio.data.values.content_ids import of_texts

__all__ = ["combine", "gallery", "guess", "inspect", "profile"]

SEPARATOR = "\n"
SENTENCE = 3.0
"""Average number of words from which a column is recognized as one of sentences."""
JSON = r"""^\s*(\{\s*["'][^"']*["']\s*:(?s:.*)\}|\[\s*["'{](?s:.*)["'}]\s*\])\s*$"""
"""Pattern of a JSON object, or of a list of strings or objects, in a cell."""


def guess(columns: dict[str, pa.ChunkedArray], role: Column, request: Request) -> Guess | None:
    """Return the column with the longest texts, if there is one of sentences."""
    words = {n: _mean_words(c) for n, c in columns.items() if is_text(c.type) or pa.types.is_dictionary(c.type)}
    known = sorted((n for n in words if words[n] >= SENTENCE), key=lambda n: -words[n])
    if not known:
        return None
    reason = (
        "it is the only column of sentences" if len(known) == 1 else f"its texts are longer than those of {known[1]}"
    )
    return Guess(known[:1], reason)


def _mean_words(column: pa.ChunkedArray) -> float:
    texts = [v for v in column.to_pylist() if isinstance(v, str) and v.strip()]
    return sum(len(t.split()) for t in texts) / len(texts) if texts else 0.0


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Take the texts as they are; rows without text are skipped and reported."""
    result = _cells(as_text(cells, context.names), context)
    result.findings += nested_cells(context.column, cells)
    return result


def combine(columns: dict[str, pa.ChunkedArray], context: Context) -> Cells:
    """Join the texts of several columns, in the order in which they are named; empty ones are skipped.

    The separator is `data.options.text_separator`, by default a line break.
    """
    separator = text_option(context, "text_separator", "separator of the texts", " ")
    separator = SEPARATOR if separator is None else separator
    joined: pa.ChunkedArray | None = None
    findings = []
    for name, column in columns.items():
        findings += nested_cells(name, column)
        text = as_text(column)
        text = pc.if_else(pa.array(blank(text)), None, text)
        # Not all at once with null_handling="skip": that drops rows in which every value is null.
        joined = (
            text if joined is None else pc.coalesce(pc.binary_join_element_wise(joined, text, separator), joined, text)
        )
    result = _cells(joined, context)
    result.findings += findings
    return result


def text_option(context: Context, name: str, noun: str, example: str) -> str | None:
    """Return the option of the data that must be a text; None: it is not given. noun, example: for the message.

    Raises:
        DataError: it is not a text.
    """
    option = context.request.spec.options.get(name)
    if option is None or isinstance(option, str):
        return option
    message, hint = f"The {noun} must be a text (got {option!r}).", f'Write it in quotes: {name}: "{example}".'
    raise DataError(message, hint, f"data.options.{name}", "invalid-setting")


def nested_cells(column: str, cells: pa.ChunkedArray) -> list[Finding]:
    """Refuse a column whose cells are objects or lists: a model would learn from their punctuation."""
    if pa.types.is_struct(cells.type):
        keys = [cells.type.field(i).name for i in range(cells.type.num_fields)]
        what = f"objects with the keys {join_examples(keys)}"
        hint = (
            f"Save the text alone in a column of its own, for instance that of the key '{keys[0]}', or choose another."
        )
    elif is_list(cells.type):
        what = "lists"
        hint = "Save each row's text as one string, or choose another column. Labels may be lists."
    else:
        return []
    message = f"The cells of the column '{column}' are {what}, not texts."
    return [Finding("error", "text-nested", message, hint, f"column {column}")]


def _cells(texts: pa.ChunkedArray, context: Context) -> Cells:
    empty = np.flatnonzero(blank(texts) & context.needed)
    result = Cells(texts, {"text-empty": empty}, {"digest": of_texts(texts)})
    nested = np.flatnonzero(matches(texts, JSON) & context.needed)
    text = "{n} {looks} like JSON objects or lists and will be used with all braces and keys"
    hint, where = "Save only the text, if it is a value inside.", f"column {context.column}"
    result.findings += context.findings("warning", "text-json", text, nested, hint, noun="text", where=where)
    hint = "Fill in the texts to use these rows."
    result.findings += context.skipped("text-empty", "{n} {has} no text", empty, hint)
    return result
