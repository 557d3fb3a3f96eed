"""Cells that are texts: of one column, or of several that are joined."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.data.columns import as_text, blank
from autotrain_gradio.data.contents import of_texts
from autotrain_gradio.data.kinds.text_panels import gallery, profile
from autotrain_gradio.data.rows import Cells, Context, counted
from autotrain_gradio.errors import DataError, Finding

__all__ = ["combine", "gallery", "inspect", "profile"]

SEPARATOR = "\n"


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Take the texts as they are; rows with none are left out and told."""
    return _cells(as_text(cells, context.names), context)


def combine(columns: dict[str, pa.ChunkedArray], context: Context) -> Cells:
    """Join the texts of several columns, in the order in which they are named; empty ones are skipped.

    Between them stands `data.options.text_separator`, a line break where it is not given.
    """
    separator = context.request.spec.options.get("text_separator", SEPARATOR)
    if not isinstance(separator, str):
        raise DataError(
            f"The separator of the texts is no text but {separator!r}.",
            'Write it in quotes: text_separator: " ".',
            "data.options.text_separator",
            "invalid-setting",
        )
    joined: pa.ChunkedArray | None = None
    for column in columns.values():
        text = as_text(column)
        text = pc.if_else(pa.array(blank(text)), None, text)
        # Not all at once with null_handling="skip": that leaves out rows in which every part is null.
        joined = (
            text if joined is None else pc.coalesce(pc.binary_join_element_wise(joined, text, separator), joined, text)
        )
    return _cells(joined, context)


def _cells(texts: pa.ChunkedArray, context: Context) -> Cells:
    empty = np.flatnonzero(blank(texts) & context.needed)
    result = Cells(texts, {"text-empty": empty}, {"digest": of_texts(texts)})
    if len(empty):
        one = len(empty) == 1
        result.findings.append(
            Finding(
                "warning",
                "text-empty",
                f"{counted(len(empty), 'row')} {'has' if one else 'have'} no text and "
                f"{'is' if one else 'are'} left out: {context.examples(empty)}.",
                "Fill in the texts if these rows shall count.",
                f"column {context.column}",
            )
        )
    return result
