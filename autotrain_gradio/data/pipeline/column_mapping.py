"""Map the columns of the data to the roles of the task."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.errors import Finding, Fix, did_you_mean
from autotrain_gradio.core.text_format import inflect, join_examples
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, ROW, Guess, RawTables
from autotrain_gradio.data.values.arrow_columns import shown, value_type

SAMPLE_ROWS = 1000
"""Rows of the sample from which columns are detected."""
OTHERS = 5
"""Most other columns that are offered."""


@dataclass
class Mapping:
    """Role → columns; `columns` describes the columns of the data: `{name, kind, examples}`.

    guessed: roles whose columns were recognized by their cells, not by their names.
    """

    roles: dict[str, list[str]] = field(default_factory=dict)
    columns: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    guessed: set[str] = field(default_factory=set)

    @property
    def names(self) -> list[str]:
        """Names of the columns of the data."""
        return [column["name"] for column in self.columns]


def describe(table: pa.Table, raw: RawTables) -> list[dict[str, Any]]:
    """Return `{name, kind, examples}` of every column; kinds of values: text, integer, number, boolean, other."""
    found = []
    for name in table.column_names:
        if name != LOCATION and not (raw.arrow and name == ROW):
            column = table.column(name).slice(0, SAMPLE_ROWS)
            kind = raw.kinds.get(name) or value_type(column.type)
            found.append({"name": name, "kind": kind, "examples": _examples(column, raw.names.get(name))})
    return found


def _examples(column: pa.ChunkedArray, names: list[str] | None) -> list[str]:
    """Return up to three distinct values as text; of media their paths, without copying their bytes."""
    if pa.types.is_struct(column.type):
        if column.type.get_field_index("path") < 0:
            return []
        values = pc.struct_field(column.slice(0, 20), "path").to_pylist()
    elif pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return []
    else:
        values = column.slice(0, 200).to_pylist()
    if names is not None:
        values = [names[v] if isinstance(v, int) and 0 <= v < len(names) else v for v in values]
    texts = ("" if value is None else shown(value) for value in values)
    distinct = dict.fromkeys(text if len(text) <= 60 else f"{text[:57]}…" for text in texts if text)
    return list(distinct)[:3]


def map_columns(table: pa.Table, raw: RawTables, request: Request) -> Mapping:
    """Map each role: as the spec says, else by column name, else by the cells; last the role that takes the rest."""
    mapping = Mapping(columns=describe(table, raw))
    given = [role for role in request.columns if role.role in request.spec.columns]
    others = [role for role in request.columns if role not in given]
    for role in given:
        _map_given(role, mapping, request)
    for role in sorted(others, key=lambda role: role.rest):
        taken = {name for names in mapping.roles.values() for name in names}
        free = [c["name"] for c in mapping.columns if c["name"] not in taken and _fits(role, c, request)]
        found = free if role.rest else _by_name(role, free, mapping, table, raw, request)
        found = found or _by_cells(role, free, mapping, table, raw, request)
        if found:
            mapping.roles[role.role] = found
        elif role.required and not role.rest:
            mapping.findings.append(_unclear(role, free, mapping, request))
        elif role.required and not any(f.level == "error" for f in mapping.findings):
            message = f"No column is left for {role.named}. Columns: {_listed(mapping.names)}."
            hint = "Add input columns, or use fewer columns for the other roles."
            mapping.findings.append(Finding("error", "no-columns-left", message, hint, f"data.columns.{role.role}"))
    targets = {n for role in request.columns if role.is_target for n in mapping.roles.get(role.role, [])}
    for role in request.columns:
        for name in mapping.roles.get(role.role, []):
            if role.is_input and name in targets:
                message = f"The column '{name}' is both a target and an input: the model would see the target."
                hint, where = "Choose another column for one of them.", f"data.columns.{role.role}"
                mapping.findings.append(Finding("error", "column-twice-used", message, hint, where))
    return mapping


def _map_given(role: Column, mapping: Mapping, request: Request) -> None:
    """Map a role to the columns that the spec names, or report why that is not possible."""
    given = request.spec.columns[role.role]
    asked = [given] if isinstance(given, str) else list(given or [])
    names, where = mapping.names, f"data.columns.{role.role}"
    missing = [n for n in asked if n not in names]
    unfit = [c for c in mapping.columns if c["name"] in asked and not _fits(role, c, request)]
    if missing:
        message = f"The data has no column '{missing[0]}'. Columns: {_listed(names)}."
        hint = did_you_mean(missing[0], names)
        mapping.findings.append(Finding("error", "column-missing", message, hint, where))
    elif unfit:
        message = f"The column '{unfit[0]['name']}' holds {unfit[0]['kind']} and cannot be {role.named}."
        hint = f"Choose another one of {_listed([n for n in names if n not in asked])}."
        mapping.findings.append(Finding("error", "column-wrong-kind", message, hint, where))
    elif asked:
        mapping.roles[role.role] = asked


def _listed(names: list[str]) -> str:
    return join_examples(names, limit=20) or "none"


def _fits(role: Column, column: dict[str, Any], request: Request) -> bool:
    """Return whether a column can play a role at all: files cannot be labels, and vice versa."""
    if role.kind.suffixes:
        return bool(column["kind"] == role.kind.name)
    return column["kind"] not in {c.kind.name for f in request.formats for c in f.columns if c.kind.suffixes}


def _by_name(
    role: Column, free: list[str], mapping: Mapping, table: pa.Table, raw: RawTables, request: Request
) -> list[str]:
    """Return the column with a usual name of the role; of a target among features also the one that a split lacks.

    In a table of features a usual name may be that of a feature: unless the column is first or last, another column
    that a split lacks is used instead, or a warning offers the other columns.
    """
    known = {name.strip().lower(): name for name in free}
    named = next(([known[name]] for name in (*role.names, role.role) if name in known), [])
    if not role.is_target or not any(c.rest for c in request.columns):
        return named
    columns = [c["name"] for c in mapping.columns]
    certain = {role.role, *role.names[:1]}
    if any(name.strip().lower() in certain or name in (columns[0], columns[-1]) for name in named):
        return named
    absent, lacking = _absent(free, raw)
    if absent is not None and absent not in named:
        mapping.findings.append(_guessed(role, [absent], f"the split '{lacking}' does not have it"))
        return [absent]
    if named and absent is None:
        finding = _guessed(role, named[:1], "by its name, but others could be it, too")
        others = _others(role, [n for n in free if n not in named], table, request)
        mapping.findings.append(replace(finding, level="warning", alternatives=others))
    return named


def _others(role: Column, free: list[str], table: pa.Table, request: Request) -> tuple[Fix, ...]:
    """Offer the columns whose cells could play a role as well, the last and the first column before others."""
    guess = getattr(role.kind.load(), "guess", None)
    order = dict.fromkeys((*free[-1:], *free))
    cells = {name: table.column(name).slice(0, SAMPLE_ROWS) for name in order}
    alone = replace(request, columns=(role,))  # a column is judged as if it were the only one
    likely = [name for name in order if guess is None or guess({name: cells[name]}, role, alone)]
    return tuple(
        Fix(
            f"Use '{name}'",
            {"columns": {role.role: [name] if role.many and not role.join else name}},
            f"'{name}' could be {role.named}, too.",
        )
        for name in (likely or list(order))[:OTHERS]
    )


def _absent(free: list[str], raw: RawTables) -> tuple[str | None, str]:
    """Return the one column that a split lacks, and the split: data to predict comes without the target."""
    for split, table in raw.splits.items():
        absent = [name for name in free if name not in table.column_names]
        if len(absent) == 1 and split:
            return absent[0], split
    return None, ""


def _guessed(role: Column, names: list[str], why: str) -> Finding:
    shown = join_examples([f"'{name}'" for name in names], limit=10)
    message = f"{shown} {inflect(len(names), 'was')} taken as {role.named}: {why}."
    hint = "Choose another column if that is wrong." if len(names) == 1 else "Choose other columns if that is wrong."
    return Finding("info", "column-guessed", message, hint, f"data.columns.{role.role}")


def _by_cells(
    role: Column, free: list[str], mapping: Mapping, table: pa.Table, raw: RawTables, request: Request
) -> list[str]:
    """Return the columns whose cells are of the role's kind: as the layout declares, else as the kind recognizes."""
    found = [n for n in free if raw.kinds.get(n) == role.kind.name]
    if len(found) != 1 and not (role.many and not role.join):
        found = []
    guess = None if found or role.kind.suffixes else getattr(role.kind.load(), "guess", None)
    if guess is not None:
        guessed: Guess | None = guess({n: table.column(n).slice(0, SAMPLE_ROWS) for n in free}, role, request)
        found = guessed.names if guessed else []
        if guessed and guessed.reason:
            mapping.findings.append(_guessed(role, found, guessed.reason))
    if found:
        mapping.guessed.add(role.role)
    return found


def _unclear(role: Column, names: list[str], mapping: Mapping, request: Request) -> Finding:
    """Report a role without a column. names: of the columns that could play it."""
    rest = any(c.rest for c in request.columns)
    message = f"No column was recognized as {role.named}."
    if rest and len(names) > 1:
        message = f"Select the column that holds {role.named}: any of them could."
    elif names != mapping.names:  # where all are possible, the hint lists them
        message += f" Columns: {_listed(mapping.names)}."
    hint = f"Choose it among {_listed(names)}."
    if not names:
        hint = f"Add a column for it, named '{role.names[0] if role.names else role.role}' for instance."
    fix = None
    if len(names) == 1 or (names and rest):
        likely = names[-1]  # in a table of features the target is usually the last column
        value = [likely] if role.many and not role.join else likely
        fix = Fix(f"Use '{likely}'", {"columns": {role.role: value}})
    return Finding("error", "column-unclear", message, hint, f"data.columns.{role.role}", fix)
