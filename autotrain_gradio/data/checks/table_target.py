"""Target columns that are not classes: amounts, or identifiers."""

from __future__ import annotations

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.text_format import inflect, join_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.numbers import ERRORS

NUMBERS = 20
"""Different numbers from which it is asked whether they are classes."""


def check(rows: Rows, request: Request) -> list[Finding]:
    """Suggest regression where the classes are many numbers; refuse classes that have one row each."""
    used, findings = rows.indices(), list[Finding]()
    for role, cells in rows.cells.items():
        if cells.names is None or cells.labels.multi:
            continue
        counts = rows.label_counts(cells.labels)
        names = [n for n, c in zip(cells.labels.names, counts, strict=True) if c]
        where = f"data.columns.{role.partition(':')[0]}"
        findings += _failed(names, where)
        findings += _numbers(names, role, where)
        findings += _single(names, len(used), where)
    return findings


def _numbers(names: list[str], role: str, where: str) -> list[Finding]:
    if len(names) < NUMBERS:
        return []
    try:
        values = sorted(float(n) for n in names)
    except ValueError:
        return []
    column = role.partition(":")[2]
    return [
        Finding(
            "warning",
            "classes-are-numbers",
            f"The {len(names):,} classes{f' of {column!r}' if column else ''} are numbers, from {values[0]:g} to "
            f"{values[-1]:g}. As classes, 3 is as far from 4 as from 90.",
            "If their size counts, as that of prices or ages does, choose table regression.",
            where,
        )
    ]


def _failed(names: list[str], where: str) -> list[Finding]:
    failed = [n for n in names if n.strip().lower() in ERRORS]
    if not failed:
        return []
    return [
        Finding(
            "warning",
            "failed-formulas",
            f"{join_examples([repr(n) for n in failed])} {inflect(len(failed), 'is')} not a class but the error "
            "value of a spreadsheet formula.",
            "Correct the formulas and export the table again, or exclude these rows.",
            where,
            Fix("Exclude these rows", {"labels": dict.fromkeys(failed)}),
        )
    ]


def _single(names: list[str], used: int, where: str) -> list[Finding]:
    if len(names) < 3 or len(names) < used:
        return []
    return [
        Finding(
            "error",
            "classes-of-one-row",
            f"Each of the {used:,} rows has a class of its own ('{names[0]}', '{names[1]}', …): nothing to learn.",
            "The column looks like identifiers. Choose another column.",
            where,
        )
    ]
