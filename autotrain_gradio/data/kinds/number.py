"""Cells that are numeric targets: every row needs one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import format_count, join_examples
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.kinds import charts
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Context, Guess, Rows, show_cell
from autotrain_gradio.data.values import dates, units
from autotrain_gradio.data.values.arrow_columns import INTEGER, NUMBER, as_text, is_text, pick, shown, value_type
from autotrain_gradio.data.values.numbers import EXACT, NEARLY_ALL, NOTATIONS, Numbers, parse, united
from autotrain_gradio.data.values.spellings import are_truth_values

BINS = 20
UNIT_SAMPLE = 1000
"""Cells that are checked for numbers with a unit."""


def guess(columns: dict[str, pa.ChunkedArray], role: Column, request: Request) -> Guess | None:
    """Return the only column of numbers that does not count the rows; for a role of several columns all of them.

    In a table of features most columns are numbers, so that none is recognized there.
    """
    if any(column.rest for column in request.columns):
        return None
    found = [name for name, cells in columns.items() if _holds_numbers(cells)]
    numeric = [name for name in found if not _counts_rows(columns[name])]
    if len(numeric) > 1 and role.many and not role.join:
        return Guess(numeric, "they are the columns of numbers")
    return Guess(numeric) if len(numeric) == 1 else None


def _holds_numbers(cells: pa.ChunkedArray) -> bool:
    """Whether cells are numbers, or nearly all texts that are written as numbers, perhaps with a unit."""
    if value_type(cells.type) in {INTEGER, NUMBER}:
        return True
    if not is_text(cells.type):
        return False
    found = parse(cells, unit=None, brackets=None)
    readable = np.count_nonzero(~np.isnan(found.values))
    return bool(readable and readable >= NEARLY_ALL * np.count_nonzero(~found.missing))


def _counts_rows(cells: pa.ChunkedArray) -> bool:
    """Whether cells are whole numbers that count the rows: each one more than that of the row before."""
    values = parse(cells).values
    return len(values) > 2 and bool((np.diff(values) == 1).all())


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Parse the numbers as float64; rows without a finite number are skipped and reported.

    `data.options.limits` is `values` to read <5 as 5; else rows of which only a limit is known are skipped.
    """
    limits = context.request.spec.options.get("limits") == "values"
    found = parse(cells, context.notation, unit=None, brackets=None, limits=limits)
    if other := _other_kind(cells, found, context):
        found.values[:], found.unreadable = np.nan, ~found.missing
    unreadable = np.flatnonzero(found.unreadable & context.needed)
    limited = np.zeros(len(unreadable), dtype=bool)
    if len(unreadable) and not other:
        limited = ~np.isnan(parse(pick(cells, unreadable), context.notation, found.unit, limits=True).values)
    problems = {
        "number-missing": np.flatnonzero(found.missing & context.needed),
        "number-not-finite": np.flatnonzero(found.infinite & context.needed),
        "number-limit": unreadable[limited],
        "number-unreadable": unreadable[~limited],
    }
    values = pa.array(found.values, mask=np.isnan(found.values))
    if other:
        return Cells(values, problems, findings=[other])
    about = {"unit": found.unit} if found.unit else {}
    return Cells(values, problems, findings=_findings(cells, found, problems, context), about=about)


REASONS = {
    "number-missing": ("{n} {has} no value", "Fill in the numbers to use these rows."),
    "number-limit": ("{n} {has} a limit in place of a value", "Replace <5 by a number, or read it as 5."),
    "number-not-finite": ("{n} {has} an infinite value", "Replace it by a number."),
    "number-unreadable": ("{n} {has} an invalid number", "Correct the cells, or choose another column."),
}
"""Reason why a row is skipped → what happened, and what to do."""


def _findings(cells: pa.ChunkedArray, found: Numbers, problems: dict[str, Any], context: Context) -> list[Finding]:
    where = f"column {context.column}"
    units_seen = united(as_text(pick(cells, problems["number-unreadable"][:UNIT_SAMPLE])))
    one_unit = ""
    if units_seen:
        examples = join_examples([repr(e[:40]) for e in units_seen])
        one_unit = f"Convert the numbers to one unit, the same in every row: there are {examples}."

    def missing(row: int) -> str:  # there may be a word such as n/a, or #DIV/0!
        text = as_text(pick(cells, [row]))[0].as_py()
        return f": {text.strip()!r}" if text and text.strip() else ""

    findings = []
    for code, rows in problems.items():
        text, hint = REASONS[code]
        hint = (code == "number-unreadable" and one_unit) or hint
        detail = missing if code == "number-missing" else show_cell(cells)
        skipped = context.skipped(code, text, rows, hint, detail)
        findings += [replace(f, fix=READ_LIMITS) for f in skipped] if code == "number-limit" else skipped
    used = found.values[~np.isnan(found.values) & context.needed]
    if not len(used):
        hint = one_unit or "Choose another column."
        return [*findings, *_notations(found, where), Finding("error", "no-numbers", NO_NUMBERS, hint, where)]
    if (used != used[0]).any():
        return findings + _notations(found, where)
    if abs(used[0]) > EXACT and len(pc.unique(pick(cells, np.flatnonzero(context.needed)).drop_null())) > 1:
        message = f"The numbers are all about {used[0]:.15g}, and differ only after the 15th digit, which a model "
        message += "cannot distinguish."
        hint = "Choose another column if they are identifiers; else subtract what they have in common."
        return [*findings, Finding("error", "numbers-too-alike", message, hint, where)]
    message = f"Every row has the same value, {used[0]:g}: there is nothing to predict."
    one_value = Finding("error", "one-value", message, "Choose another column.", where)
    return [*findings, *_notations(found, where), one_value]


READ_LIMITS = Fix("Read <5, >5 and 5+ as 5", {"options": {"limits": "values"}})


def _other_kind(cells: pa.ChunkedArray, found: Numbers, context: Context) -> Finding | None:
    """Report a column of boolean values or dates: they are not amounts to predict (1 for true, days since 1970)."""
    where = f"column {context.column}"
    rows = np.flatnonzero(found.unreadable)
    texts = pc.utf8_trim_whitespace(as_text(pick(cells, rows)))
    words = bool(len(rows)) and len(rows) >= NEARLY_ALL * np.count_nonzero(~found.missing)
    filled = pc.drop_null(cells)
    example = shown(filled[0].as_py()).strip() if len(filled) else ""
    if pa.types.is_boolean(cells.type) or (words and are_truth_values(texts)):
        message = f"This column holds boolean values such as {example!r}, not amounts."
        hint = "Choose a task of classification, which predicts classes. To predict amounts, write numbers."
        return Finding("error", "target-is-truth-value", message, hint, where)
    if dates.is_date(cells.type) or (words and dates.looks_like_dates(texts)):
        message = f"This column holds dates such as {example!r}, not amounts."
        hint = "Replace them by a number, such as the days since another date of the row."
        return Finding("error", "target-is-date", message, hint, where)
    return None


NO_NUMBERS = "This column holds no numbers."


def _notations(found: Numbers, where: str) -> list[Finding]:
    """Report numbers that are not written like 1234.5, and how they were parsed."""
    findings = []
    for notation in NOTATIONS:
        if count := getattr(found, notation.attribute):
            message = format_count(f"{{n}} {{has}} {notation.what}: {notation.example}.", count, "number")
            findings.append(Finding(notation.level, notation.code, message, notation.hint, where))
    if found.unit and not found.times:
        readable = int((~np.isnan(found.values)).sum())
        counts = units.format_unit_counts(found.united, readable - found.united, found.unit)
        message = f"Numbers were parsed without their unit: {counts}."
        hint = "The predictions are in this unit, too."
        findings.append(Finding("info", "unit-taken-off", message, hint, where))
    return findings


def _edges(values: np.ndarray) -> np.ndarray:
    """Return the edges of the histogram: fewer bins where the numbers are too close to each other."""
    low, high = float(values.min()), float(values.max())
    # Halved, so that the distance between the largest numbers that there are is one too.
    edges = np.unique(np.linspace(low / 2, high / 2, BINS + 1) * 2)
    return edges if len(edges) > 1 else np.array([low, np.nextafter(low, np.inf)])


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Draw a histogram of the numbers, and their range."""
    values = rows.cells[role].values.to_numpy(zero_copy_only=False)
    every = values[rows.indices()]
    if not len(every):
        return []
    distinct = np.unique(every)
    if len(distinct) <= BINS:  # such as grades: each has a bar
        edges = np.concatenate([[-np.inf], (distinct[:-1] + distinct[1:]) / 2, [np.inf]])
        labels = [f"{value:.6g}" for value in distinct]
    else:
        edges = _edges(every)
        labels = [f"{a:.4g} to {b:.4g}" for a, b in zip(edges, edges[1:], strict=False)]
    low, middle, high = (float(q) for q in np.quantile(every, (0, 0.5, 1)))
    note = f"Smallest {low:.6g}, median {middle:.6g}, largest {high:.6g}, mean {float(every.mean()):.6g}."
    unit = rows.cells[role].about.get("unit", "")
    title = f"{context.column} ({unit})" if unit else context.column
    return [charts.histogram(title, charts.by_split(rows, values), edges, labels, note=note)]
