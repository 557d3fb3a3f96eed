"""Which of a task's formats the columns of the data have."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.declarations import Format
from autotrain_gradio.data.pipeline.column_mapping import SAMPLE_ROWS, Mapping, map_columns
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import RawTables

BY_NAME, BY_CELLS = 0.9, 0.6
"""Confidence in a format whose required columns were all found by their names, or partly by their cells."""


@dataclass
class FormatChoice:
    """The format that is used, and the mapping of its columns. reason: why; others: see `check.json`."""

    format: Format
    mapping: Mapping
    reason: str
    others: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of `check.json`."""
        return {
            "name": self.format.name,
            "title": self.format.title,
            "reason": self.reason,
            "others": self.others,
        }


def choose_format(table: pa.Table, raw: RawTables, request: Request) -> FormatChoice:
    """Return the format that the spec names, or the one that fits the columns best; declared order breaks ties.

    A format fits if all its required columns are found. Where none fits, the one that lacks the fewest is returned:
    the findings of its mapping say what is missing.
    """
    mappings = {f.name: map_columns(table, raw, request.with_format(f)) for f in request.formats}
    missing = {
        f.name: [c.title for c in f.columns if c.required and c.role not in mappings[f.name].roles]
        for f in request.formats
    }
    confidence = {f.name: _confidence(f, mappings[f.name], table, request) for f in request.formats}
    asked = request.spec.format
    if asked:
        chosen = next(f for f in request.formats if f.name == asked)
        reason = "it was chosen in the settings"
    else:
        chosen = max(
            request.formats,
            key=lambda f: (confidence[f.name], _has_given_columns(f, request), -len(missing[f.name])),
        )
        roles = mappings[chosen.name].roles
        columns = [name for c in chosen.columns if c.required for name in roles.get(c.role, [])]
        reason = f"the data has {'the column' if len(columns) == 1 else 'the columns'} {join_examples(columns)}"
    mapping = mappings[chosen.name]
    several = len(request.formats) > 1
    others = [
        {"name": f.name, "title": f.title, "missing": missing[f.name]} for f in request.formats if f is not chosen
    ]
    if several:
        mapping.findings += _unused_columns(chosen, request)
    if several and not asked and confidence[chosen.name] <= 0:
        reason = "no format fits; this one lacks the fewest columns"
        mapping.findings.append(_unclear(request, missing))
    return FormatChoice(chosen, mapping, reason if several else "", others)


def _confidence(format: Format, mapping: Mapping, table: pa.Table, request: Request) -> float:
    """Return how well a format fits: 0 where a required column is missing or its `recognize` rejects the cells."""
    required = {c.role for c in format.columns if c.required}
    if not required.issubset(mapping.roles) or not _has_given_columns(format, request):
        return 0.0
    if format.module:
        cells = {r: [table.column(n).slice(0, SAMPLE_ROWS) for n in names] for r, names in mapping.roles.items()}
        return float(importlib.import_module(format.module).recognize(cells, request))
    return BY_CELLS if required & mapping.guessed else BY_NAME


def _has_given_columns(format: Format, request: Request) -> bool:
    return set(request.spec.columns).issubset(c.role for c in format.columns)


def _unused_columns(chosen: Format, request: Request) -> list[Finding]:
    known = {c.role for c in chosen.columns}
    return [
        Finding(
            "warning",
            "column-of-other-format",
            f"The format '{chosen.title}' has no column '{role}': its setting is not used.",
            "Choose another format, or remove the setting.",
            f"data.columns.{role}",
        )
        for role in request.spec.columns
        if role not in known
    ]


def _unclear(request: Request, missing: dict[str, list[str]]) -> Finding:
    listed = [f"{f.title} (missing: {join_examples(missing[f.name]) or 'nothing'})" for f in request.formats]
    return Finding(
        "info",
        "format-unclear",
        f"The columns fit none of the formats of this task: {'; '.join(listed)}.",
        "Say which columns are which, or choose the format.",
        "data.format",
    )
