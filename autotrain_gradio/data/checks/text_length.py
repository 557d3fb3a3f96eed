"""Texts that are very long, or say hardly anything."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows, counted
from autotrain_gradio.errors import Finding

LONG = 20_000
"""Characters from which a text is told to be very long: some ten pages."""


def check(rows: Rows, request: Request) -> list[Finding]:
    """Tell of very long texts, of which a model reads the beginning only, and of those without a letter or digit."""
    findings = []
    used = rows.indices()
    for role, cells in rows.cells.items():
        if role not in rows.kinds or rows.kinds[role].name != "text":
            continue
        lengths = pc.fill_null(pc.utf8_length(cells.values), 0).to_numpy()
        long = used[lengths[used] > LONG]
        if len(long):
            findings.append(
                Finding(
                    "info",
                    "text-very-long",
                    f"{counted(len(long), 'text')} {'has' if len(long) == 1 else 'have'} more than {LONG:,} characters "
                    f"(the longest {int(lengths[long].max()):,}): {rows.examples(long)}.",
                    "A model reads the beginning only. Cut long texts into paragraphs if the end matters.",
                    f"data.columns.{role}",
                )
            )
        said = pc.fill_null(pc.match_substring_regex(cells.values, r"[\pL\pN]"), True)
        signs = used[~np.asarray(said.combine_chunks())[used]]
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
