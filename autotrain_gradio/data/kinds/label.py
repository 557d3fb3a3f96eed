"""Cells that are class names: text, integers or booleans."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import Finding, did_you_mean
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.files.tree import natural
from autotrain_gradio.data.kinds import charts
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Context, Guess, Rows
from autotrain_gradio.data.values.arrow_columns import OTHER, encode, value_type
from autotrain_gradio.data.values.labels import Labels, canonical, canonical_mapping, quoted

SHOWN = 40
"""Maximum number of classes in the plot."""
NUMBER = re.compile(r"[+-]?\d*[.,]?\d+(?:[eE][+-]?\d+)?")
FRACTION = re.compile(r"[+-]?\d*[.,]\d+(?:[eE][+-]?\d+)?")


def guess(columns: dict[str, pa.ChunkedArray], role: Column, request: Request) -> Guess | None:
    """Return the column whose values repeat, if there is only one."""
    repeated = [n for n, c in columns.items() if value_type(c.type) != OTHER and _repeats(c)]
    return Guess(repeated, "it is the only column whose values repeat") if len(repeated) == 1 else None


def _repeats(column: pa.ChunkedArray) -> bool:
    values = [v for v in column.to_pylist() if v is not None]
    return len(values) > 3 and 1 < len({str(v) for v in values}) <= len(values) / 2


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Parse the class names and apply the spec's mapping of labels.

    Values become text: whole numbers without a point, surrounding spaces as they are (a check points at
    them). `names` are the classes that remain: in the order of the data's own list where it has one,
    else sorted, numbers by their size.
    """
    written, found, codes = _distinct(cells, context)
    names, number = mapped([v if _is_label(v) else None for v in found], context)
    reasons = [_reason(value, k) for value, k in zip(found, number.tolist(), strict=True)]
    reasons.append("label-missing")  # the last place: the code of a missing cell is -1
    problems: dict[str, Any] = {}
    for reason in dict.fromkeys(r for r in reasons if r):
        rows = np.flatnonzero(np.array([r == reason for r in reasons])[codes] & context.needed)
        if len(rows):
            problems[reason] = rows
    labels = Labels(names, np.where(context.needed, np.append(number, -1)[codes], -1))
    result = Cells(labels, problems)
    counts = np.bincount(codes[context.needed & (codes >= 0)], minlength=len(found))
    for value, count in zip(found, counts.tolist(), strict=True):
        if count and _is_label(value):
            result.raw[value] += count
    result.findings = _findings(found, codes, problems, context) + merged_numbers(written, context)
    return result


class NotAName(str):
    """The text of a cell that cannot be a label."""


def _is_label(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, NotAName)


def _distinct(cells: pa.ChunkedArray, context: Context) -> tuple[list[Any], list[Any], Any]:
    """Return the distinct values as written and as labels, and the number of each row's value.

    A label is text, None (missing), `NotAName` or int (an unknown number).

    A row's number is -1 for a missing cell.
    """
    nested = pa.types.is_nested(cells.type) or pa.types.is_binary(cells.type)
    if nested:
        cells = pa.chunked_array([[None if v is None else str(v)[:40] for v in cells.to_pylist()]], pa.string())
    values, codes = encode(cells)
    written = values.to_pylist()
    return written, [NotAName(v) if nested else _read(v, context.names) for v in written], codes


def _read(value: Any, own: list[str] | None) -> Any:
    if own is not None and isinstance(value, int):
        return own[value] if 0 <= value < len(own) else None if value < 0 else value
    text = as_label(value)
    return NotAName(str(value)[:40]) if text == "" else text


def mapped(texts: Sequence[str | None], context: Context) -> tuple[list[str], Any]:
    """Apply the spec's mapping of labels; return the classes, and the number of each text's class (numpy; -1: none)."""
    mapping = canonical_mapping(context.request.spec.labels)
    targets = [None if t is None else mapping.get(t, t) for t in texts]
    names = _order({t for t in targets if t is not None}, context.names, mapping)
    place: dict[str | None, int] = {name: k for k, name in enumerate(names)}
    return names, np.array([place.get(t, -1) for t in targets], dtype=np.int64)


def _reason(value: Any, number: int) -> str:
    """Return the code of the reason why rows with a value have no class; empty: they have one."""
    if number >= 0:
        return ""
    if value is None:
        return "label-missing"
    if isinstance(value, int):
        return "label-number-unknown"
    return "label-not-a-name" if isinstance(value, NotAName) else "label-left-out"


def _findings(found: list[Any], codes: Any, problems: dict[str, Any], context: Context) -> list[Finding]:
    findings, where = list[Finding](), f"column {context.column}"
    findings += missing_labels(problems.get("label-missing", ()), context)
    for code, text, hint in (
        (
            "label-number-unknown",
            f"{{n}} {{has}} a class number outside 0 to {len(context.names or []) - 1}",
            "Correct the numbers, or the list of classes in the data's schema.",
        ),
        (
            "label-not-a-name",
            "{n} {has} a list or something else in place of one label",
            "Choose a column with one class for each row.",
        ),
    ):
        rows = problems.get(code, ())
        findings += context.findings("error", code, text, rows, hint, lambda i: f": {found[codes[i]]}", where=where)
    measurement = next((v for v in found if isinstance(v, str) and FRACTION.fullmatch(v)), None)
    used = int(np.count_nonzero(context.needed & (codes >= 0)))
    if measurement is not None and len(set(found)) > max(2, used / 2) and all(map(_is_number, found)):
        message = f"The column '{context.column}' holds measurements such as {measurement}, not classes."
        hint = "Choose another column, or replace the numbers by a few names (small, large)."
        findings.append(Finding("error", "label-is-measurement", message, hint, where))
    return findings


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, str) and NUMBER.fullmatch(value) is not None)


def merged_numbers(written: Iterable[Any], context: Context) -> list[Finding]:
    """Report numbers that are written in two ways and count as one class. written: the distinct cells."""
    forms: dict[str, list[str]] = {}
    for text in written:
        if isinstance(text, str) and text.strip():
            forms.setdefault(canonical(text), []).append(text)
    shown = [" = ".join(quoted(t) for t in texts) for texts in forms.values() if len(texts) > 1]
    if not shown:
        return []
    message = f"Labels that are the same number count as one class: {join_examples(shown)}."
    return [Finding("info", "label-same-number", message, "", f"column {context.column}")]


def missing_labels(rows: Any, context: Context) -> list[Finding]:
    """Report rows without a label, if there are any."""
    return context.skipped("label-missing", "{n} {has} no label", rows, "Fill in the labels to use these rows.")


def unused_mapping(mapping: Mapping[str, str | None], raw: Collection[str]) -> list[Finding]:
    """Report labels that the spec renames and no row has; raw: the labels of all class columns."""
    return [
        Finding(
            "warning",
            "label-mapping-unused",
            f"No row has the label '{name}' that data.labels names.",
            did_you_mean(name, raw),
            "data.labels",
        )
        for name in mapping
        if name not in raw
    ]


def as_label(value: Any) -> str | None:
    """Return the label as text, None for a missing one, '' for something that cannot be a label."""
    if value is None:
        return None
    if isinstance(value, str):
        return canonical(value) if value.strip() else None
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if value.is_integer():
            return str(int(value))
        return str(value)
    if isinstance(value, bool | int):
        return str(value)
    return ""


def _order(found: Collection[str], own: list[str] | None, mapping: Mapping[str, str | None]) -> list[str]:
    """Return the classes in their order: of the data's own list where it has one, else sorted."""
    known = dict.fromkeys(mapping.get(n, n) for n in own or [])
    ordered = [n for n in known if n is not None and n in found]
    return ordered + sorted((n for n in found if n not in known), key=natural)


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Plot the rows of each class, training and validation stacked; the largest classes first."""
    labels = rows.cells[role].labels
    counts = {split: np.array(rows.label_counts(labels, split)) for split in ("train", "validation")}
    return [charts.largest("Rows in each class", labels.names, counts, SHOWN, noun="classes")]
