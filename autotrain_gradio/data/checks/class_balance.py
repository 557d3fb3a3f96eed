"""Enough classes, enough rows in each, and not too uneven."""

from __future__ import annotations

from collections import Counter

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.labels import Labels, quoted

LEAST_CLASSES = 2
LEAST_ROWS = 5
UNEVEN = 10
"""Ratio of the largest to the smallest class from which it is pointed out."""


def check(rows: Rows, request: Request) -> list[Finding]:
    """Errors for fewer than two or too many classes; warnings for few rows and for imbalance."""
    findings = []
    for role, cells in rows.cells.items():
        if cells.names is not None:
            findings += _check(role, cells.labels, rows, request)
    return findings


def _check(role: str, labels: Labels, rows: Rows, request: Request) -> list[Finding]:
    used = rows.indices()
    counts = Counter({n: c for n, c in zip(labels.names, rows.label_counts(labels), strict=True) if c})
    where = f"data.columns.{role.partition(':')[0]}"
    if labels.multi:
        return _several(counts, len(used), where, request)
    if not counts:
        return [rows.no_rows("See which rows were skipped, and why.")]
    if len(counts) < LEAST_CLASSES:
        name = next(iter(counts))
        return [
            Finding(
                "error",
                "one-class",
                f"There is only one class, {quoted(name)}, with {pluralize(counts[name], 'row')}.",
                "A classifier needs two classes at least: add rows of another one.",
                where,
            )
        ]
    if len(counts) > request.limits.classes:
        return [_too_many(counts, sum(counts.values()), where, request)]
    return [*_rare(counts), *_uneven(counts)]


def _too_many(counts: Counter[str], rows: int, where: str, request: Request) -> Finding:
    return Finding(
        "error",
        "too-many-classes",
        f"There are {len(counts):,} classes for {pluralize(rows, 'row')}; at most "
        f"{request.limits.classes:,} can be trained.",
        "The column of labels looks like identifiers. Choose another column, or merge labels.",
        where,
    )


def _several(counts: Counter[str], rows: int, where: str, request: Request) -> list[Finding]:
    """Check labels of a multi-label task."""
    if not counts:
        message = f"None of the {pluralize(rows, 'row')} has a label."
        return [Finding("error", "no-labels", message, "Choose another column of labels.", where)]
    if len(counts) > request.limits.classes:
        return [_too_many(counts, rows, where, request)]
    findings = _rare(counts)
    every = [n for n, c in counts.items() if c == rows]
    if every:
        findings.append(
            Finding(
                "warning",
                "label-everywhere",
                f"Every row has {pluralize(len(every), 'label')} that cannot be distinguished: "
                f"{join_examples([quoted(n) for n in every])}.",
                "Exclude it, or add rows without it.",
                "data.labels",
            )
        )
    return findings


def _rare(counts: Counter[str]) -> list[Finding]:
    findings = []
    single = sorted(n for n, c in counts.items() if c == 1)
    few = sorted(n for n, c in counts.items() if 1 < c < LEAST_ROWS)
    if single:
        findings.append(
            Finding(
                "warning",
                "class-with-one-row",
                f"{pluralize(len(single), 'class', 'classes')} with a single row cannot be validated: "
                f"{join_examples([quoted(n) for n in single])}.",
                f"Add rows: {LEAST_ROWS} of each class at least, better 50. Or exclude the label.",
                "data.labels",
            )
        )
    if few:
        shown = join_examples([f"{quoted(n)} ({counts[n]})" for n in few])
        findings.append(
            Finding(
                "warning",
                "few-rows",
                f"{pluralize(len(few), 'class', 'classes')} with fewer than {LEAST_ROWS} rows are hard "
                f"to learn: {shown}.",
                f"Add rows: {LEAST_ROWS} of each class at least, better 50.",
                "data.labels",
            )
        )
    return findings


def _uneven(counts: Counter[str]) -> list[Finding]:
    (largest, most), (smallest, least) = (
        counts.most_common(1)[0],
        min(counts.items(), key=lambda item: (item[1], item[0])),
    )
    if most <= UNEVEN * least:
        return []
    return [
        Finding(
            "warning",
            "imbalance",
            f"The classes are uneven: {quoted(largest)} has {pluralize(most, 'row')}, {quoted(smallest)} "
            f"{pluralize(least, 'row')} ({most / least:.0f} to 1).",
            "Add rows of the rare classes, or set class_weights to balanced. Look at F1 (macro), not at accuracy.",
            "params.class_weights",
        )
    ]
