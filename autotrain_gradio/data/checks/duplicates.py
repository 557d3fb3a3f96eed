"""Duplicate rows: with two targets, in training and validation, or simply twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from autotrain_gradio.core.errors import Finding, Level
from autotrain_gradio.core.text_format import format_count, inflect, join_examples, pluralize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import ROW_NOUN, Cells, Rows
from autotrain_gradio.data.values.labels import quoted, short

SHOWN = 5


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Compare the content of all rows that are used. Runs before the split: `validation` rows were given."""
    known, used = rows.content, rows.indices()
    if known is None:
        return
    noun, content = known
    table = pd.DataFrame({"content": content[used], "validation": rows.validation[used]}, index=used)
    table = table[(table.content >= 0) & table.content.duplicated(keep=False)]
    if table.empty:
        return
    targets, ids = _targets(rows, table.index.to_numpy(), noun)
    differ = table.assign(target=ids).groupby("content", sort=False).nunique() > 1
    mixed, leaked = (differ.index[differ[column]] for column in ("target", "validation"))

    def show(contents: Any, cells: Sequence[Cells] = ()) -> str:
        groups = [table.index[table.content == c].tolist() for c in contents[:SHOWN]]
        return join_examples([_show(rows, group, cells) for group in groups], len(contents))

    def first_row(contents: Any) -> str:
        return str(rows.locations[table.index[table.content == contents[0]][0]])

    if len(mixed) and targets:
        target = targets[0]
        level: Level = "info" if noun == ROW_NOUN else "warning"
        code, hint = "same-in-two-classes", "Remove the wrong ones: a model cannot learn both."
        if target.is_numeric:
            code, text = "same-input-other-number", "{n} {occurs} more than once with different values"
            hint = "Keep one of them, or their mean, which is about what a model learns."
        elif target.names is None and any(rows.kinds[role].suffixes for role in rows.having("input")):
            code, text = "same-audio-other-text", "{n} {has} different texts"
        elif target.names is None:
            code, text = "same-input-other-target", "{n} {has} different targets"
            hint = "Remove the wrong ones. If all are right, keep them: the model learns the usual one."
        elif noun == ROW_NOUN:
            text = "{n} {occurs} more than once with different targets"
            hint = "If this is intended, more feature columns may distinguish them."
        elif target.labels.multi:
            text = "{n} {occurs} more than once with different labels"
        else:
            text = "{n} {occurs} in two classes"
        message = f"{format_count(text, len(mixed), noun)}: {show(mixed, targets)}."
        yield Finding(level, code, message, hint, first_row(mixed))
    if len(leaked):
        count = int(table.validation[table.content.isin(leaked)].sum())
        message = f"{pluralize(count, f'validation {noun}')} {inflect(count, 'is')} also in the training rows: "
        message += f"{show(leaked)}. The results will look better than they are."
        hint = "Remove them from one of the two."
        yield Finding("warning", "same-in-train-and-validation", message, hint, first_row(leaked))
    equal = table.content[~table.content.isin(mixed)]
    if len(equal):
        contents = equal.unique()
        kept = not rows.having("group") and (rows.content_groups() >= 0).any()
        message = f"{pluralize(len(equal) - len(contents), f'duplicate {noun}')}: {show(contents)}."
        message += " Duplicates stay in the same split." if kept else ""
        yield Finding("info", "duplicates", message)


def _targets(rows: Rows, members: Any, noun: str) -> tuple[list[Cells], Any]:
    """Return the first target column of classes or texts, and for each of these rows a number of its value.

    Else all columns of numbers, unless rows of a table are compared: there equal rows are often coincidences.
    """
    if classes := rows.classes():
        return [classes[1]], classes[1].labels.signatures(members)
    for role in rows.having("target"):
        ids = rows.cells[role].content()
        if ids is not None:
            return [rows.cells[role]], np.where(ids[members] < 0, -1 - members, ids[members])  # -1: as no other row
    numbers = [rows.cells[role] for role in rows.having("target") if rows.cells[role].is_numeric]
    if not numbers or noun == ROW_NOUN:
        return [], 0
    values = pd.DataFrame({i: np.asarray(cells.values)[members] for i, cells in enumerate(numbers)})
    return numbers, values.groupby(list(values), sort=False, dropna=False).ngroup().to_numpy()


def _show(rows: Rows, group: list[int], targets: Sequence[Cells]) -> str:
    """Return the locations of the first rows of a group, with their targets; rows of one table name it once."""
    values = dict.fromkeys(group, "")
    if targets:
        values = {i: f" ({', '.join(_value(target, i) for target in targets)})" for i in group}
        # One row of each value is more informative than three of the same.
        first = {values[i]: i for i in reversed(group)}
        group = sorted(group, key=lambda i: first[values[i]] != i)
    places = [rows.locations[i].rpartition(", row ") for i in group[:3]]
    if len({(file, word) for file, word, _ in places}) == 1 and places[0][1]:
        shown = f"{places[0][0]}, rows " + " = ".join(p[2] + values[i] for p, i in zip(places, group, strict=False))
    else:
        shown = " = ".join(rows.locations[i] + values[i] for i in group[:3])
    return f"{shown} and {len(group) - 3:,} more" if len(group) > 3 else shown


def _value(target: Cells, row: int) -> str:
    """Return the target of a row for a message: a class, several, a number, or a text in quotation marks."""
    value = target.values[row]
    if target.is_numeric:
        return f"{value.as_py():g}"
    if target.names is None:
        return quoted(" ".join(str(value).split()))
    return ", ".join(map(short, value)) if isinstance(value, tuple) else short(value)
