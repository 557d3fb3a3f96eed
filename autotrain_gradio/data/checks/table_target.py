"""Target columns that are not classes: amounts, or identifiers."""

from __future__ import annotations

from collections.abc import Iterator

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.text_format import inflect, join_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.numbers import ERRORS

NUMBERS = 20
"""Different numbers from which it is asked whether they are classes."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Suggest regression where the classes are many numbers; refuse classes that have one row each."""
    for role, cells in rows.cells.items():
        if cells.names is not None and not cells.labels.multi:
            names = [n for n, c in zip(cells.labels.names, rows.label_counts(cells.labels), strict=True) if c]
            yield from _check(role, names, rows.count())


def _check(role: str, names: list[str], used: int) -> Iterator[Finding]:
    role, _, column = role.partition(":")
    where = f"data.columns.{role}"
    failed = [n for n in names if n.strip().lower() in ERRORS]
    if failed:
        message = f"{join_examples([repr(n) for n in failed])} {inflect(len(failed), 'is')} not a class but the error "
        hint = "Correct the formulas and export the table again, or exclude these rows."
        fix = Fix("Exclude these rows", {"labels": dict.fromkeys(failed)})
        yield Finding("warning", "failed-formulas", f"{message}value of a spreadsheet formula.", hint, where, fix)
    values = _numbers(names) if len(names) >= NUMBERS else []
    if values:
        message = f"The {len(names):,} classes{f' of {column!r}' if column else ''} are numbers, from {values[0]:g} to "
        message += f"{values[-1]:g}. Classes have no order: 3 is as far from 4 as from 90."
        hint = "If they are amounts, such as prices or ages, choose table regression."
        yield Finding("warning", "classes-are-numbers", message, hint, where)
    if len(names) >= max(3, used):
        message = f"Each of the {used:,} rows has a class of its own ('{names[0]}', '{names[1]}', …): nothing to learn."
        hint = "The column looks like identifiers. Choose another column."
        yield Finding("error", "classes-of-one-row", message, hint, where)


def _numbers(names: list[str]) -> list[float]:
    """Return the names as sorted numbers; [] if one is not a number."""
    try:
        return sorted(map(float, names))
    except ValueError:
        return []
