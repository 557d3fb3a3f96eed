"""Cells that are names of classes: text, whole numbers or truth values."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pyarrow as pa

from autotrain_gradio import panels
from autotrain_gradio.data.rows import Cells, Context, Rows, counted, listed
from autotrain_gradio.data.tree import natural
from autotrain_gradio.errors import Finding, did_you_mean
from autotrain_gradio.panels import Panel

SHOWN = 40
"""Classes in the plot; the others are counted."""


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Read the classes and apply the spec's mapping of labels.

    Values become text: whole numbers without a point, surrounding spaces as they are (a check points at
    them). `names` are the classes that remain: in the order of the data's own list where it has one,
    else sorted, numbers by their size.
    """
    mapping = context.request.spec.labels
    count = len(cells)
    values: list[str | None] = [None] * count
    problems: list[str | None] = [None] * count
    raw: Counter[str] = Counter()
    odd: list[str] = []
    broken: list[str] = []
    own = context.names
    for i, value in enumerate(cells.to_pylist()):
        if not context.needed[i]:
            continue
        if own is not None and isinstance(value, int):
            if 0 <= value < len(own):
                value = own[value]
            elif value < 0:
                value = None
            else:
                problems[i] = "label-number-unknown"
                odd.append(f"{context.where[i]}: {value}")
                continue
        label = _text(value)
        if label is None:
            problems[i] = "label-missing"
            continue
        if label == "":
            problems[i] = "label-not-a-name"
            broken.append(f"{context.where[i]}: {str(value)[:40]}")
            continue
        raw[label] += 1
        target = mapping.get(label, label)
        if target is None:
            problems[i] = "label-left-out"
        else:
            values[i] = target
    found = Counter(v for v in values if v is not None)
    result = Cells(values, problems, names=_order(found, own, mapping), raw=raw)
    missing = [context.where[i] for i, p in enumerate(problems) if p == "label-missing"]
    if missing:
        result.findings.append(
            Finding(
                "warning",
                "label-missing",
                f"{counted(len(missing), 'row')} {'has' if len(missing) == 1 else 'have'} no label and "
                f"{'is' if len(missing) == 1 else 'are'} left out: {listed(missing)}.",
                "Fill in the labels if these rows shall count.",
                f"column {context.column}",
            )
        )
    if odd:
        assert own is not None  # only then a number can be unknown
        result.findings.append(
            Finding(
                "error",
                "label-number-unknown",
                f"{counted(len(odd), 'row')} have a class number outside 0 to {len(own) - 1}: {listed(odd)}.",
                "Correct the numbers, or the list of classes in the data's schema.",
                f"column {context.column}",
            )
        )
    if broken:
        result.findings.append(
            Finding(
                "error",
                "label-not-a-name",
                f"{counted(len(broken), 'row')} have a list or something else in place of one label: {listed(broken)}.",
                "Choose a column with one class for each row.",
                f"column {context.column}",
            )
        )
    if any(isinstance(v, float) and math.isfinite(v) and not v.is_integer() for v in cells.slice(0, 1000).to_pylist()):
        result.findings.append(
            Finding(
                "error",
                "label-is-measurement",
                f"The column '{context.column}' holds measurements such as {raw.most_common(1)[0][0]}, not classes.",
                "Choose another column, or replace the numbers by a few names (small, large).",
                f"column {context.column}",
            )
        )
    for name in mapping:
        if name not in raw:
            result.findings.append(
                Finding(
                    "warning",
                    "label-mapping-unused",
                    f"No row has the label '{name}' that data.labels names.",
                    did_you_mean(name, raw),
                    "data.labels",
                )
            )
    return result


def _text(value: Any) -> str | None:
    """Return the label as text, None for a missing one, '' for something that cannot be a label."""
    if value is None:
        return None
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, bool | int):
        return str(value)
    return ""


def _order(found: Counter[str], own: list[str] | None, mapping: dict[str, str | None]) -> list[str]:
    if own is not None:
        known = [mapping.get(n, n) for n in own]
        ordered = list(dict.fromkeys(n for n in known if n is not None and n in found))
        return ordered + sorted((n for n in found if n not in ordered), key=natural)
    return sorted(found, key=natural)


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Plot the rows of each class, training and validation stacked; the largest classes first."""
    cells = rows.cells[role]
    names = cells.names or []
    counts = {split: Counter(cells.values[i] for i in rows.used(split)) for split in ("train", "validation")}
    order = sorted(names, key=lambda n: -sum(c[n] for c in counts.values()))
    shown = order[:SHOWN]
    series = {split: [float(c[n]) for n in shown] for split, c in counts.items() if c or split == "train"}
    note = f"The {SHOWN} largest of {len(names):,} classes." if len(names) > SHOWN else ""
    return [panels.bars("Rows in each class", shown, series, unit="rows", note=note)]
