"""Texts that are very long, or say hardly anything."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from autotrain_gradio.data.columns import pick
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows, counted
from autotrain_gradio.errors import Finding

LONG = 20_000
"""Characters from which a text is told to be very long: some ten pages."""


SHORT = 40
"""Bytes beyond which a text is not looked through for a letter."""


def check(rows: Rows, request: Request) -> list[Finding]:
    """Tell of very long texts, of which a model reads the beginning only, and of those without a letter or digit."""
    findings = []
    used = rows.indices()
    for role, cells in rows.cells.items():
        if role not in rows.kinds or rows.kinds[role].name != "text":
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
                    f"{counted(len(long), 'text')} {'has' if len(long) == 1 else 'have'} more than {LONG:,} characters "
                    f"(the longest {int(lengths.max()):,}): {rows.examples(long)}.",
                    "A model reads the beginning only. Cut long texts into paragraphs if the end matters.",
                    f"data.columns.{role}",
                )
            )
        short = used[sizes <= SHORT]
        said = pc.match_substring_regex(pick(cells.values, short), r"[\pL\pN]")
        signs = short[~np.asarray(said.combine_chunks())]
        if len(signs):
            findings.append(
                Finding(
                    "info",
                    "text-without-words",
                    f"{counted(len(signs), 'text')} {'has' if len(signs) == 1 else 'have'} no letter and no digit: "
                    f"{rows.examples(signs)}.",
                    "Remove them if they say nothing.",
                    f"data.columns.{role}",
                )
            )
    return findings
