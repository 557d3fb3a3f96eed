"""Map the columns of the data to the roles of the task."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from autotrain_gradio.core.errors import Finding, Fix, did_you_mean
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, ROW, Guess, RawTables
from autotrain_gradio.data.values.arrow_columns import shown, value_type

SAMPLE_ROWS = 1000
"""Rows of the sample from which columns are detected."""


@dataclass
class Mapping:
    """Role → columns; `columns` describes the columns of the data: `{name, kind, examples}`.

    guessed: roles whose columns were recognized by their cells, not by their names.
    """

    roles: dict[str, list[str]] = field(default_factory=dict)
    columns: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    guessed: set[str] = field(default_factory=set)


def describe(table: pa.Table, raw: RawTables) -> list[dict[str, Any]]:
    """Return `{name, kind, examples}` of every column; kinds of values: text, integer, number, boolean, other."""
    found = []
    own = {LOCATION, ROW} if raw.arrow else {LOCATION}
    for name in table.column_names:
        if name in own:
            continue
        column = table.column(name).slice(0, SAMPLE_ROWS)
        kind = raw.kinds.get(name) or value_type(column.type)
        found.append({"name": name, "kind": kind, "examples": _examples(column, kind, raw.names.get(name))})
    return found


def _examples(column: pa.ChunkedArray, kind: str, names: list[str] | None) -> list[str]:
    examples: list[str] = []
    if pa.types.is_struct(column.type):
        fields = [column.type.field(i).name for i in range(column.type.num_fields)]
        if "path" not in fields:
            return examples
        values = [cell["path"] for cell in _paths(column.slice(0, 20))]
    elif pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return examples
    else:
        values = column.slice(0, 200).to_pylist()
    for value in values:
        if names is not None and isinstance(value, int) and 0 <= value < len(names):
            value = names[value]
        text = "" if value is None else shown(value)
        text = text if len(text) <= 60 else f"{text[:57]}…"
        if text and text not in examples:
            examples.append(text)
        if len(examples) == 3:
            break
    return examples


def _paths(column: pa.ChunkedArray) -> list[dict[str, Any]]:
    paths: list[dict[str, Any]] = []
    for chunk in column.chunks:
        paths += [{"path": p} for p in chunk.field("path").to_pylist()]
    return paths


def map_columns(table: pa.Table, raw: RawTables, request: Request) -> Mapping:
    """Map each role: as the spec says, else by column name, else by the cells."""
    mapping = Mapping(columns=describe(table, raw))
    names = [c["name"] for c in mapping.columns]
    taken: set[str] = set()
    for role in request.columns:
        given = request.spec.columns.get(role.role)
        if given:
            asked = [given] if isinstance(given, str) else list(given)
            missing = [n for n in asked if n not in names]
            if missing:
                mapping.findings.append(
                    Finding(
                        "error",
                        "column-missing",
                        f"The data has no column '{missing[0]}'. Columns: {join_examples(names, limit=20)}.",
                        did_you_mean(missing[0], names) if names else "",
                        f"data.columns.{role.role}",
                    )
                )
            elif unfit := [c for c in mapping.columns if c["name"] in asked and not _fits(role, c, request)]:
                mapping.findings.append(
                    Finding(
                        "error",
                        "column-wrong-kind",
                        f"The column '{unfit[0]['name']}' holds {unfit[0]['kind']} and cannot be {role.named}.",
                        f"Choose another one of "
                        f"{join_examples([n for n in names if n not in asked], limit=20) or 'none'}.",
                        f"data.columns.{role.role}",
                    )
                )
            else:
                mapping.roles[role.role] = asked
                taken.update(asked)
    for role in request.columns:
        if role.role in request.spec.columns:
            continue
        free = [c for c in mapping.columns if c["name"] not in taken and _fits(role, c, request)]
        if role.rest:
            continue
        found = _by_name(role, free)
        if not found and (found := _by_cells(role, [c["name"] for c in free], mapping, table, raw, request)):
            mapping.guessed.add(role.role)
        if found:
            mapping.roles[role.role] = found
            taken.update(found)
        elif role.required:
            mapping.findings.append(_unclear(role, free, mapping, request))
    _map_rest(mapping, request, taken)
    mapping.findings += _targets_used_as_inputs(mapping, request)
    return mapping


def _targets_used_as_inputs(mapping: Mapping, request: Request) -> list[Finding]:
    """Report columns that are both target and input."""
    declared = {c.role: c for c in request.columns}
    targets = {n for role, names in mapping.roles.items() if declared[role].is_target for n in names}
    return [
        Finding(
            "error",
            "column-twice-used",
            f"The column '{name}' is both a target and an input: the model would see the answer.",
            "Choose another column for one of them.",
            f"data.columns.{role}",
        )
        for role, names in mapping.roles.items()
        if declared[role].is_input
        for name in names
        if name in targets
    ]


def _map_rest(mapping: Mapping, request: Request, taken: set[str]) -> None:
    """Map the columns that no role plays to the role that takes the rest."""
    for role in request.columns:
        if not role.rest or role.role in request.spec.columns:
            continue
        free = [c["name"] for c in mapping.columns if c["name"] not in taken and _fits(role, c, request)]
        if free:
            mapping.roles[role.role] = free
            taken.update(free)
        elif role.required and not any(f.level == "error" for f in mapping.findings):
            mapping.findings.append(
                Finding(
                    "error",
                    "no-columns-left",
                    f"No column is left for {role.named}. Columns: "
                    f"{join_examples([c['name'] for c in mapping.columns], limit=20)}.",
                    "Add input columns, or use fewer columns for the other roles.",
                    f"data.columns.{role.role}",
                )
            )


def _fits(role: Column, column: dict[str, Any], request: Request) -> bool:
    """Return whether a column can play a role at all: files cannot be labels, and vice versa."""
    if role.kind.suffixes:
        return bool(column["kind"] == role.kind.name)
    return column["kind"] not in {c.kind.name for f in request.formats for c in f.columns if c.kind.suffixes}


def _by_name(role: Column, free: list[dict[str, Any]]) -> list[str]:
    known = {c["name"].strip().lower(): c["name"] for c in free}
    for name in (*role.names, role.role):
        if name in known:
            return [known[name]]
    return []


def _by_cells(
    role: Column, free: list[str], mapping: Mapping, table: pa.Table, raw: RawTables, request: Request
) -> list[str]:
    """Return the columns whose cells are of the role's kind: as the layout declares, else as the kind recognizes."""
    declared = [n for n in free if raw.kinds.get(n) == role.kind.name]
    if len(declared) == 1 or (declared and role.many and not role.join):
        return declared
    recognize = None if role.kind.suffixes else getattr(role.kind.load(), "guess", None)
    first_rows = {n: table.column(n).slice(0, SAMPLE_ROWS) for n in free}
    found: Guess | None = recognize(first_rows, role, request) if recognize else None
    if found is None:
        return []
    if found.reason:
        mapping.findings.append(_guessed(role, found))
    return found.names


def _guessed(role: Column, guess: Guess) -> Finding:
    return Finding(
        "info",
        "column-guessed",
        f"'{guess.names[0]}' was taken as {role.named}: {guess.reason}.",
        "Choose another column if that is wrong.",
        f"data.columns.{role.role}",
    )


def _unclear(role: Column, free: list[dict[str, Any]], mapping: Mapping, request: Request) -> Finding:
    names = [c["name"] for c in free]
    every = [c["name"] for c in mapping.columns]
    rest = any(c.rest for c in request.columns)
    message = f"No column was recognized as {role.named}."
    if rest and len(names) > 1:
        message = f"Say which column holds {role.named}: any of them could."
    elif names != every:  # where all are possible, the hint lists them
        message += f" Columns: {join_examples(every, limit=20) or 'none'}."
    # In a table of features the target is usually the last column.
    likely = names[-1] if names and (len(names) == 1 or rest) else None
    value: str | list[str] | None = [likely] if likely and role.many and not role.join else likely
    fix = Fix(f"Use '{likely}'", {"columns": {role.role: value}}) if likely else None
    if names:
        hint = f"Choose it among {join_examples(names, limit=20)}."
    else:
        hint = f"Add a column for it, named '{role.names[0] if role.names else role.role}' for instance."
    return Finding(
        "error",
        "column-unclear",
        message,
        hint,
        f"data.columns.{role.role}",
        fix,
    )
