"""Texts that are very long, nearly empty, or not texts at all: numbers, identifiers."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.arrow_columns import is_true, pick

LONG = 20_000
"""Characters from which a text is reported as very long: about ten pages."""
SHORT = 40
"""Characters up to which a text is searched for a letter, and may be a number or an identifier."""
WITHOUT_SPACES = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Scripts without spaces between words, in which a sentence looks like a single word."""
FEW = 10
"""Minimum number of texts for findings about all of them."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Report very long texts, of which a model reads the beginning only, texts without a letter or digit, and columns
    of numbers or identifiers.
    """
    used = rows.indices()
    for role, cells in rows.cells.items():
        if role not in rows.columns or not rows.columns[role].kind.texts:
            continue
        where = f"data.columns.{role}"
        lengths = pc.fill_null(pc.utf8_length(cells.values), 0).to_numpy()
        long, short = used[lengths[used] > LONG], used[lengths[used] <= SHORT]
        text = f"{{n}} {{has}} more than {LONG:,} characters (the longest {lengths[long].max(initial=0):,})"
        hint = "A model truncates them. Split long texts into paragraphs if the end matters."
        yield from rows.findings("info", "text-very-long", text, long, hint, noun="text", where=where)
        bare = short[~is_true(pc.match_substring_regex(pick(cells.values, short), r"[\pL\pN]"))]
        text, hint = "{n} {has} no letter and no digit", "Remove them if they carry no information."
        yield from rows.findings("info", "text-without-words", text, bare, hint, noun="text", where=where)
        if len(short) == len(used) >= FEW:
            yield from _not_texts(pick(cells.values, used), where)


def _not_texts(texts: pa.ChunkedArray, where: str) -> Iterator[Finding]:
    """Report short texts that are all numbers, or all single words with digits of which each is another."""

    def all_are(pattern: str) -> bool:
        return bool(pc.all(pc.match_substring_regex(texts, pattern)).as_py())

    if not all_are(r"\pN"):
        return
    if all_are(rf"^\s*[^\s{WITHOUT_SPACES}]+\s*$") and pc.count_distinct(texts).as_py() == len(texts):
        message = "The texts look like identifiers: each is a single word with digits, and no two are the same."
        hint = "A model cannot generalize from them to new rows. Choose the column that holds the texts."
        yield Finding("warning", "text-identifiers", message, hint, where)
    elif all_are(r"^\PL*([eE][+-]?\pN+)?\PL*$"):
        hint = "Choose the column that holds the texts, or use one of the tasks for tables."
        yield Finding("warning", "text-numbers", "The texts are numbers: none has a letter.", hint, where)
