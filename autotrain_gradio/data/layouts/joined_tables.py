"""Which tables of a folder are joined: not templates of submissions, and not tables with few of the columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.split_names import TABLES

SUBMISSION = re.compile(r"submission|submit", re.IGNORECASE)
"""Names of templates of answers: `sample_submission.csv`, `gender_submission.csv`."""
MOST = 5
"""Most tables that are offered by themselves."""


class Candidate(NamedTuple):
    """A table that could be joined with the others of its split."""

    path: str
    split: str
    columns: Sequence[str]
    rows: int

    def __str__(self) -> str:
        return f"{self.path} ({pluralize(self.rows, 'row')})"


def not_joined(candidates: Sequence[Candidate], request: Request) -> tuple[set[str], list[Finding]]:
    """Return the paths of tables that are not joined with the others of their split, and findings.

    The others are those with most rows and the tables that have at least half of its columns. Tables that the user
    chose (`data.options.tables`) are always joined.
    """
    apart: set[str] = set()
    findings: list[Finding] = []
    if request.spec.options.get(TABLES):
        return apart, findings
    everything = [c.path for c in candidates]
    for split in dict.fromkeys(c.split for c in candidates):
        found = [c for c in candidates if c.split == split]
        likely = [c for c in found if not SUBMISSION.search(c.path.rpartition("/")[2])] or found
        main = max(likely, key=lambda c: c.rows)
        joined = []
        for candidate in found:
            shared = len(set(main.columns) & set(candidate.columns))
            if candidate not in likely:
                why = "it is a template of answers by its name"
            elif 2 * shared < len(set(main.columns)):
                why = f"it has {shared} of the {pluralize(len(set(main.columns)), 'column')} of {main.path}"
            else:
                joined.append(candidate)
                continue
            apart.add(candidate.path)
            fix = Fix(
                f"Join {candidate.path}",
                {"options": {TABLES: [p for p in everything if p not in apart - {candidate.path}]}},
            )
            message = f"{candidate} is not used: {why}."
            findings.append(
                Finding("warning", "table-not-joined", message, "Remove it if it is not data.", candidate.path, fix)
            )
        if len({re.sub(r"\d", "", c.path) for c in joined}) > 1:
            message = f"{len(joined)} tables are joined: {join_examples([str(c) for c in joined])}."
            fix = Fix(f"Use only {main.path}", {"options": {TABLES: [main.path]}})
            findings.append(Finding("info", "tables-joined", message, where=f"data.options.{TABLES}", fix=fix))
    return apart, findings
