"""Which of a task's formats the columns of the data have."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.text_format import inflect, join_examples, pluralize
from autotrain_gradio.data.declarations import Format
from autotrain_gradio.data.pipeline.column_mapping import SAMPLE_ROWS, Mapping, map_columns
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import RawTables

BY_NAME, BY_CELLS = 0.9, 0.6
"""Confidence in a format whose required columns were all found by their names, or partly by their cells."""


@dataclass
class FormatChoice:
    """The format that is used, the mapping of its columns, and the entry of `check.json` about it."""

    format: Format
    mapping: Mapping
    entry: dict[str, Any]


def choose_format(table: pa.Table, raw: RawTables, request: Request) -> FormatChoice:
    """Return the format that the spec names, or the one that fits the columns best; declared order breaks ties.

    A format fits if all its required columns are found. Where none fits, the one that lacks the fewest is returned:
    the findings of its mapping say what is missing.
    """
    formats, asked, several = request.formats, request.spec.format, len(request.formats) > 1
    mappings = {f.name: map_columns(table, raw, request.with_format(f)) for f in formats}
    missing = {
        f.name: [c.title for c in f.columns if c.required and c.role not in mappings[f.name].roles] for f in formats
    }
    unused = {f.name: [r for r in request.spec.columns if r not in {c.role for c in f.columns}] for f in formats}
    confidence = {
        f.name: 0.0 if missing[f.name] or unused[f.name] else _confidence(f, mappings[f.name], table, request)
        for f in formats
    }
    if asked:
        chosen, reason = next(f for f in formats if f.name == asked), "it was chosen in the settings"
    else:
        chosen = max(formats, key=lambda f: (confidence[f.name], not unused[f.name], -len(missing[f.name])))
        roles = mappings[chosen.name].roles
        columns = [name for c in chosen.columns if c.required for name in roles.get(c.role, [])]
        reason = f"the data has {pluralize(len(columns), 'column')} of it: {join_examples(columns)}"
    mapping = mappings[chosen.name]
    if several:
        for role in unused[chosen.name]:
            message = f"The format '{chosen.title}' has no column '{role}': its setting is not used."
            hint, where = "Choose another format, or remove the setting.", f"data.columns.{role}"
            mapping.findings.append(Finding("warning", "column-of-other-format", message, hint, where))
    if several and not asked and confidence[chosen.name] <= 0:
        reason = "no format fits; this one lacks the fewest columns"
        lacking = "; ".join(f"{f.title} (missing: {join_examples(missing[f.name]) or 'nothing'})" for f in formats)
        message = f"The columns fit none of the formats of this task: {lacking}."
        hint = "Select the column of each role, or choose the format."
        mapping.findings.append(Finding("info", "format-unclear", message, hint, "data.format"))
    if several and not asked:
        mapping.findings += _alternatives(chosen, formats, mappings, confidence)
    others = [{"name": f.name, "title": f.title, "missing": missing[f.name]} for f in formats if f is not chosen]
    entry = {"name": chosen.name, "title": chosen.title, "reason": reason if several else "", "others": others}
    return FormatChoice(chosen, mapping, entry)


def _alternatives(
    chosen: Format, formats: tuple[Format, ...], mappings: dict[str, Mapping], confidence: dict[str, float]
) -> list[Finding]:
    """Report formats whose columns were all found by name, and of which some are not used in the chosen format."""
    used = {name for names in mappings[chosen.name].roles.values() for name in names}
    found = []
    for format in formats:
        roles = mappings[format.name].roles
        names = [name for c in format.columns if c.required for name in roles.get(c.role, [])]
        ignored = [repr(name) for name in names if name not in used]
        fits = confidence[chosen.name] >= confidence[format.name] > 0 and not mappings[format.name].guessed
        if format is not chosen and fits and ignored:
            message = f"The data also fits the format '{format.title}' ({join_examples(names)}). It was read as "
            message += f"'{chosen.title}': {join_examples(ignored)} {inflect(len(ignored), 'is')} not used."
            fix = Fix(f"Use '{format.title}'", {"format": format.name})
            found.append(Finding("info", "format-alternative", message, "", "data.format", fix))
    return found


def _confidence(format: Format, mapping: Mapping, table: pa.Table, request: Request) -> float:
    """Return how well a format fits whose required columns are there: 0 where its `recognize` rejects the cells."""
    if format.module:
        cells = {r: [table.column(n).slice(0, SAMPLE_ROWS) for n in names] for r, names in mapping.roles.items()}
        return float(importlib.import_module(format.module).recognize(cells, request))
    return BY_CELLS if any(c.required and c.role in mapping.guessed for c in format.columns) else BY_NAME
