"""Cells that are class names: text, integers or booleans."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import Finding, did_you_mean
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import count_with_verb, join_examples
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.files.tree import natural
from autotrain_gradio.data.kinds import charts
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Context, Guess, Rows
from autotrain_gradio.data.values.arrow_columns import OTHER, encode, value_type
from autotrain_gradio.data.values.labels import Labels

SHOWN = 40
"""Maximum number of classes in the plot."""


def guess(columns: dict[str, pa.ChunkedArray], role: Column, request: Request) -> Guess | None:
    """Return the column whose values repeat, if there is only one."""
    repeated = [n for n, c in columns.items() if value_type(c.type) != OTHER and _repeats(c)]
    return Guess(repeated, "it is the only column whose values repeat") if len(repeated) == 1 else None


def _repeats(column: pa.ChunkedArray) -> bool:
    values = [v for v in column.to_pylist() if v is not None]
    return len(values) > 3 and 1 < len({str(v) for v in values}) <= len(values) / 2


def inspect(cells: pa.ChunkedArray, context: Context, encoded: tuple[pa.Array, Any] | None = None) -> Cells:
    """Parse the class names and apply the spec's mapping of labels.

    Values become text: whole numbers without a point, surrounding spaces as they are (a check points at
    them). `names` are the classes that remain: in the order of the data's own list where it has one,
    else sorted, numbers by their size.

    encoded: result of `arrow_columns.encode` for the cells, if it is known.
    """
    found, codes = distinct(cells, context, encoded)
    names, number = _named(found, context)
    if not context.needed.all():
        codes = np.where(context.needed, codes, -2)
    problems: dict[str, Any] = {}
    per_row = number[codes]  # the last two places: -1 for a missing cell, -2 for a row that is not needed
    marked = np.flatnonzero(per_row < -1)
    for code, mark in _NO_CLASS.items():
        problems[code] = marked[per_row[marked] == mark]
    result = Cells(Labels(names, np.maximum(per_row, -1)), {c: rows for c, rows in problems.items() if len(rows)})
    result.raw = raw_counts(found, codes)
    result.findings = _findings(found, codes, problems, result.raw, context)
    return result


_NO_CLASS = {"label-missing": -2, "label-number-unknown": -3, "label-not-a-name": -4, "label-left-out": -5}
"""Reason why a row has no class → its code among the class numbers; -1 is a row that is not needed."""


def distinct(
    cells: pa.ChunkedArray, context: Context, encoded: tuple[pa.Array, Any] | None = None
) -> tuple[list[Any], Any]:
    """Return the distinct values as text (None: missing, '': no label, int: an unknown number), and each row's number.

    A row's number is -1 for a missing cell.
    """
    if pa.types.is_nested(cells.type) or pa.types.is_binary(cells.type):
        number: dict[str, int] = {}
        texts = [None if v is None else str(v)[:40] for v in cells.to_pylist()]
        codes = np.array([-1 if t is None else number.setdefault(t, len(number)) for t in texts], dtype=np.int32)
        return [NotAName(t) for t in number], codes
    values, codes = encoded or encode(cells)
    return [_read(v, context.names) for v in values.to_pylist()], codes


class NotAName(str):
    """The text of a cell that cannot be a label."""


def _read(value: Any, own: list[str] | None) -> Any:
    if own is not None and isinstance(value, int):
        return own[value] if 0 <= value < len(own) else None if value < 0 else value
    text = as_label(value)
    return NotAName(str(value)[:40]) if text == "" else text


def _named(found: list[Any], context: Context) -> tuple[list[str], Any]:
    """Return the classes, and the class number of each distinct value; two more entries are for codes -1 and -2."""
    mapping = context.request.spec.labels
    texts = [v if isinstance(v, str) and not isinstance(v, NotAName) else None for v in found]
    targets = [None if t is None else mapping.get(t, t) for t in texts]
    names = order(Counter(t for t in targets if t is not None), context.names, mapping)
    place = {name: k for k, name in enumerate(names)}
    number = np.full(len(found) + 2, -1, dtype=np.int32)
    number[-1] = _NO_CLASS["label-missing"]
    for k, (value, text, target) in enumerate(zip(found, texts, targets, strict=True)):
        if target is not None:
            number[k] = place[target]
        elif text is not None:
            number[k] = _NO_CLASS["label-left-out"]
        elif value is None:
            number[k] = _NO_CLASS["label-missing"]
        else:
            number[k] = _NO_CLASS["label-not-a-name" if isinstance(value, NotAName) else "label-number-unknown"]
    return names, number


def raw_counts(found: list[Any], codes: Any) -> Counter[str]:
    """Return label as written in the data → number of rows."""
    counts = np.bincount(codes + 2, minlength=len(found) + 2)[2:]  # -1 and -2: missing, or not needed
    raw: Counter[str] = Counter()
    for value, count in zip(found, counts.tolist(), strict=True):
        if count and isinstance(value, str) and not isinstance(value, NotAName):
            raw[value] += count
    return raw


def _findings(
    found: list[Any], codes: Any, problems: dict[str, Any], raw: Counter[str], context: Context
) -> list[Finding]:
    findings = []
    missing, unknown, broken = (problems[c] for c in ("label-missing", "label-number-unknown", "label-not-a-name"))

    def shown(rows: Any) -> str:
        return join_examples([f"{context.locations[int(i)]}: {found[codes[i]]}" for i in rows[:5]], len(rows))

    if len(missing):
        findings.append(missing_labels(missing, context))
    if len(unknown):
        assert context.names is not None  # only then a number can be unknown
        findings.append(
            Finding(
                "error",
                "label-number-unknown",
                f"{count_with_verb(len(unknown), 'row', 'has')} a class number outside 0 to "
                f"{len(context.names) - 1}: {shown(unknown)}.",
                "Correct the numbers, or the list of classes in the data's schema.",
                f"column {context.column}",
            )
        )
    if len(broken):
        findings.append(
            Finding(
                "error",
                "label-not-a-name",
                f"{count_with_verb(len(broken), 'row', 'has')} a list or something else in place of one label: "
                f"{shown(broken)}.",
                "Choose a column with one class for each row.",
                f"column {context.column}",
            )
        )
    if any(_is_measurement(v) for v in found[:1000]):
        findings.append(
            Finding(
                "error",
                "label-is-measurement",
                f"The column '{context.column}' holds measurements such as "
                f"{next(v for v in found if _is_measurement(v))}, not classes.",
                "Choose another column, or replace the numbers by a few names (small, large).",
                f"column {context.column}",
            )
        )
    return findings


def _is_measurement(value: Any) -> bool:
    return isinstance(value, Measurement)


class Measurement(str):
    """A label that was a number with a fraction."""


def missing_labels(rows: Any, context: Context) -> Finding:
    """Report rows without a label."""
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
        return value if value.strip() else None
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if value.is_integer():
            return str(int(value))
        return Measurement(value) if math.isfinite(value) else str(value)
    if isinstance(value, bool | int):
        return str(value)
    return ""


def order(found: Counter[str], own: list[str] | None, mapping: Mapping[str, str | None]) -> list[str]:
    """Return the classes in their order: of the data's own list where it has one, else sorted."""
    if own is not None:
        known = [mapping.get(n, n) for n in own]
        ordered = list(dict.fromkeys(n for n in known if n is not None and n in found))
        return ordered + sorted((n for n in found if n not in ordered), key=natural)
    return sorted(found, key=natural)


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Plot the rows of each class, training and validation stacked; the largest classes first."""
    labels = rows.cells[role].labels
    counts = {split: np.array(rows.label_counts(labels, split)) for split in ("train", "validation")}
    return [charts.largest("Rows in each class", labels.names, counts, SHOWN, noun="classes")]
