"""Files with one input per row; the cells are parsed like those of the training data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import DataError, Finding, UserError, similar_names
from autotrain_gradio.core.inputs import KINDS, ROWS_OF, Input
from autotrain_gradio.core.predictions import with_panels
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import count_with_verb, join_examples
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.files.encoding import decode
from autotrain_gradio.data.files.json_files import read_json
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Context, ignore_progress
from autotrain_gradio.data.tables.table_reader import read_again
from autotrain_gradio.data.tables.types import ReadOptions, Sheet
from autotrain_gradio.data.values.arrow_columns import is_text
from autotrain_gradio.data.values.spellings import visible

TEXT_FILE = ".txt"
"""Suffix of files with one text per line."""


def predict(
    predictor: Any, inputs: Sequence[Mapping[str, Any]], directory: Path, resolved: Any
) -> list[dict[str, Any]]:
    """Return a prediction with panels for each input, and for each row of an input that is a file of rows.

    Predictions of rows have `row` (row number as in a spreadsheet) and `input` (name → value); the first one of a file
    has `warnings`, if there are any.

    predictor: the task's. resolved: has `spec`, `params` and `task` of the run.

    Raises:
        UserError: a file cannot be read, or a row of it has no value.
    """
    given: list[dict[str, Any]] = []
    about: list[dict[str, Any]] = []
    for item in inputs:
        if ROWS_OF not in item:
            given.append(dict(item))
            about.append({})
            continue
        rows, warnings = read_inputs(Path(item[ROWS_OF]), directory, resolved)
        given += [row for _, row in rows]
        about += [{"row": number, "input": row} for number, row in rows]
        if warnings:
            about[-len(rows)]["warnings"] = warnings
    return [with_panels({**p, **a}) for p, a in zip(predictor(given), about, strict=True)]


def read_inputs(path: Path, directory: Path, resolved: Any) -> tuple[list[tuple[int, dict[str, Any]]], list[str]]:
    """Return (row number, task's input) for each row of a file, and the warnings of reading it.

    Raises:
        DataError: the file or a row of it cannot be used.
    """
    if not path.is_file():
        raise DataError(f"The file '{path.name}' does not exist.", "Check the path.", str(path), "no-file")
    wanted = [i for i in resolved.task.inputs if getattr(KINDS.get(i.kind).load(), "ROWS_FROM_FILE", False)]
    if not wanted or len(wanted) < len([i for i in resolved.task.inputs if not i.setting]):
        raise UserError(f"{resolved.task.title} cannot predict the rows of a file.", where=path.name, code="usage")
    manifest = read_json(directory / "data" / "manifest.json") or {}
    options = ReadOptions.of(resolved.spec.data, _trained(manifest, *manifest.get("columns", {})))
    sheet = _read(path, replace(options, sheet=str(manifest.get("sheet") or "") or None, decimal_mark=""))
    errors = [f for f in sheet.findings if f.level == "error"]
    if errors:
        raise DataError.from_findings(errors)
    if not sheet.table.num_rows:
        raise DataError(f"{path.name} has no rows.", "Write one row for each input.", path.name, "empty-table")
    warnings = [str(f) for f in sheet.findings]
    columns, used = {}, set(_trained(manifest, *manifest.get("columns", {})))
    for declared in wanted:
        names, warning = _columns(declared, sheet, manifest, alone=len(wanted) == 1)
        warnings += [warning] if warning else []
        columns[declared.name] = _values(declared, names, sheet, directory, resolved)
        used.update(names)
    others = [name for name in sheet.table.column_names if name not in used]
    if others:
        inputs = " and ".join(f"'{i.name}'" for i in wanted)
        verb = count_with_verb(len(others), "column", "is")
        warnings.append(f"{path.name}: {verb} not used for the input {inputs}: {join_examples(others, limit=10)}.")
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    numbers = [int(n) for n in sheet.number]
    return list(zip(numbers, rows, strict=True)), warnings


def _read(path: Path, options: ReadOptions) -> Sheet:
    if path.suffix.lower() != TEXT_FILE:
        return read_again(path, path.name, options, Limits.from_env())
    text, findings = decode(path.read_bytes(), path.name, options.encoding)
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    table = pa.table({"line": pa.array([line for _, line in lines], pa.string())})
    return Sheet(path.name, table, np.array([n for n, _ in lines], dtype=np.int64), findings)


def _values(declared: Input, names: Sequence[str], sheet: Sheet, directory: Path, resolved: Any) -> list[Any]:
    """Return the values of an input, parsed by the kind of the column that the training used for its role."""
    role = next((c for c in resolved.task.columns if c.role == declared.name), None)
    cells = {n: sheet.table.column(n) for n in names}
    if role is None:
        return [v for n in names for v in cells[n].to_pylist()]
    context = Context(
        request=Request.of(resolved),
        draft=directory,
        root=directory,
        column=", ".join(names),
        title=role.title,
        locations=[f"row {int(n):,}" for n in sheet.number],
        needed=np.ones(sheet.table.num_rows, dtype=bool),
        progress=ignore_progress,
    )
    found = _inspect(role, cells, context)
    refused = sorted({int(i) for indices in found.dropped_rows().values() for i in indices})
    if refused:
        where = [f"{context.locations[i]}" for i in refused[:5]]
        name = sheet.name
        raise DataError(
            f"{count_with_verb(len(refused), f'row of {name}', 'has', f'rows of {name}')} no valid value in the "
            f"column '{context.column}': {join_examples(where, len(refused))}.",
            "Fill in these cells, or remove the rows.",
            sheet.name,
            "invalid-input",
        )
    errors: list[Finding] = [f for f in found.findings if f.level == "error"]
    if errors:
        raise DataError.from_findings(errors)
    values = found.values
    return list(values.to_pylist() if hasattr(values, "to_pylist") else values)


def _inspect(role: Column, cells: Mapping[str, pa.ChunkedArray], context: Context) -> Any:
    kind = role.kind.load()
    if len(cells) > 1:
        return kind.combine(dict(cells), context)
    return kind.inspect(next(iter(cells.values())), context)


def _trained(manifest: Mapping[str, Any], *roles: str) -> list[str]:
    """Return the columns that the training used for these roles."""
    found = [manifest.get("columns", {}).get(role) or [] for role in roles]
    return [name for names in found for name in ([names] if isinstance(names, str) else names)]


def _columns(declared: Input, sheet: Sheet, manifest: Mapping[str, Any], *, alone: bool) -> tuple[list[str], str]:
    """Return the columns of an input, and a warning if they are not those of the training data.

    Another column than that of the training is used only if there is no choice: the only one of a file, or, if the
    column of the training is unknown, the only one with text. A text file has no column names.

    alone: the task has no other input.

    Raises:
        DataError: there is no such column.
    """
    known = sheet.table.column_names
    same = {visible(name): name for name in known}
    trained = [n if n in known else same.get(visible(n), n) for n in _trained(manifest, declared.name)]
    missing = [c for c in trained if c not in known]
    if trained and not missing:
        return trained, ""
    texts = [c for c in known if is_text(sheet.table.schema.field(c).type)]
    used = f"the training used {_quoted(trained)}" if trained else "the column of the training data is unknown"
    if alone and len(texts) == 1 and len(missing) == len(trained) and (len(known) == 1 or not trained):
        if sheet.name.lower().endswith(TEXT_FILE):
            return texts, ""
        column = "only column" if len(known) == 1 else "only column with text"
        return texts, f"{sheet.name}: the input '{declared.name}' is read from the {column}, '{texts[0]}'; {used}."
    lacks = f"no column for the input '{declared.name}'"
    if len(missing) < len(trained):
        lacks = f"not all columns for the input '{declared.name}' ({_quoted(missing)} missing)"
    similar = similar_names(missing or [declared.name], known)
    rename = similar or f"Rename the column with the values to '{trained[0] if trained else declared.name}'."
    raise DataError(
        f"{sheet.name} has {lacks}: {used}, and the file has the columns {join_examples(known, limit=20)}.",
        rename if len(trained) < 2 or similar else f"Write a file with the columns {_quoted(trained)}.",
        sheet.name,
        "missing-column",
    )


def _quoted(names: Sequence[str]) -> str:
    """Return names in quotes, separated by commas."""
    return ", ".join(f"'{name}'" for name in names)
