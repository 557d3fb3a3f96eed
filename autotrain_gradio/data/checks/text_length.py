"""Texts that are very long, nearly empty, or not texts at all: numbers, identifiers."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import count_with_verb
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.arrow_columns import is_true, pick

LONG = 20_000
"""Characters from which a text is reported as very long: about ten pages."""


SHORT = 40
"""Bytes beyond which a text is not searched for a letter."""
FEW = 10
"""Minimum number of texts for findings about all of them."""


def check(rows: Rows, request: Request) -> list[Finding]:
    """Tell of very long texts, of which a model reads the beginning only, of those without a letter or digit, and of
    columns that hold numbers or identifiers.
    """
    findings = []
    used = rows.indices()
    for role, cells in rows.cells.items():
        if role not in rows.columns or not rows.columns[role].kind.texts:
            continue
        sizes = pc.fill_null(pc.binary_length(cells.values), 0).to_numpy()
        sizes = sizes if len(used) == len(sizes) else sizes[used]
        long = used[sizes > LONG]  # in bytes, which are as many as the characters or more
        lengths = pc.utf8_length(pick(cells.values, long)).to_numpy()
        long, lengths = long[lengths > LONG], lengths[lengths > LONG]
        if len(long):
            findings.append(
                Finding(
                    "info",
                    "text-very-long",
                    f"{count_with_verb(len(long), 'text', 'has')} more than "
                    f"{LONG:,} characters "
                    f"(the longest {int(lengths.max()):,}): {rows.examples(long)}.",
                    "A model reads the beginning only. Cut long texts into paragraphs if the end matters.",
                    f"data.columns.{role}",
                )
            )
        short = used[sizes <= SHORT]
        signs = short[~is_true(pc.match_substring_regex(pick(cells.values, short), r"[\pL\pN]"))]
        if len(signs):
            findings.append(
                Finding(
                    "info",
                    "text-without-words",
                    f"{count_with_verb(len(signs), 'text', 'has')} no letter and no digit: {rows.examples(signs)}.",
                    "Remove them if they carry no information.",
                    f"data.columns.{role}",
                )
            )
        if len(short) == len(used) >= FEW:
            findings += _no_texts(pick(cells.values, used), f"data.columns.{role}")
    return findings


def _no_texts(texts: pa.ChunkedArray, where: str) -> list[Finding]:
    """Tell of short texts that are all numbers, or all single words with digits of which each is another."""

    def all_are(pattern: str) -> bool:
        return bool(pc.all(pc.match_substring_regex(texts, pattern)).as_py())

    if not all_are(r"\pN"):
        return []
    if all_are(r"^\s*\S+\s*$") and pc.count_distinct(texts).as_py() == len(texts):
        text = "The texts look like identifiers: each is a single word with digits, and no two are the same."
        hint = "A model learns nothing from them that holds for new rows. Choose the column that holds the texts."
        return [Finding("warning", "text-identifiers", text, hint, where)]
    if not all_are(r"^\PL*([eE][+-]?\pN+)?\PL*$"):
        return []
    text = "The texts are numbers: none has a letter."
    hint = "Choose the column that holds the texts, or take numbers to one of the tasks for tables."
    return [Finding("warning", "text-numbers", text, hint, where)]
