"""Charts of a column, training and validation stacked, and the rows that are shown as examples of each class."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import inflect, pluralize
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.arrow_columns import encode, pick


def by_split(rows: Rows, values: Any) -> dict[str, Any]:
    """Return split → the values (numpy, one a row) of the rows that are used."""
    return {split: values[rows.indices(split)] for split in ("train", "validation")}


def _series(counts: Mapping[str, Any], shown: Any) -> dict[str, list[float]]:
    """Return the counts of some bars; a validation split without rows is skipped."""
    return {n: c[shown].astype(float).tolist() for n, c in counts.items() if n != "validation" or c.sum()}


def histogram(
    title: str, values: Mapping[str, Any], edges: Any, labels: Sequence[str], *, unit: str = "rows", note: str = ""
) -> Panel:
    """Draw a histogram without the empty bars at its ends.

    values: series → its numbers. labels: of the bars, one fewer than edges; NaN is in none of them.
    """
    counts = {name: np.histogram(numbers, edges)[0] for name, numbers in values.items()}
    filled = np.flatnonzero(sum(counts.values()))
    shown = slice(filled[0], filled[-1] + 1) if len(filled) else slice(0, 0)
    return panels.bars(title, labels[shown], _series(counts, shown), unit=unit, note=note)


def largest(
    title: str, names: Sequence[str], counts: Mapping[str, Any], most: int, *, unit: str = "rows", noun: str = ""
) -> Panel:
    """Draw the largest groups of rows. counts: split → rows of each group (numpy). noun: what the note calls them."""
    shown = np.argsort(-sum(counts.values()), kind="stable")[:most]
    note = f"The {most} largest of {len(names):,}{f' {noun}' if noun else ''}." if len(names) > most else ""
    return panels.bars(title, [names[k] for k in shown], _series(counts, shown), unit=unit, note=note)


def groups(title: str, rows: Rows, role: str, most: int, *, unit: str = "rows", weights: Any = None) -> list[Panel]:
    """Draw the largest groups that a column names. weights: per row what is added up instead of rows (numpy)."""
    used = rows.indices()
    names, codes = encode(pick(rows.cells[role].values, used))
    if not len(names):
        return []
    amounts = np.ones(len(used)) if weights is None else weights[used]
    counts = {}
    for split, chosen in (("train", ~rows.validation[used]), ("validation", rows.validation[used])):
        named = chosen & (codes >= 0)
        counts[split] = np.bincount(codes[named], amounts[named], len(names)).round(2)
    return [largest(title, names.to_pylist(), counts, most, unit=unit)]


def examples(rows: Rows, per_class: int, most: int) -> tuple[list[tuple[str, int]], str]:
    """Choose rows of each class, the same ones each time; without classes, of all rows.

    Returns (class, row) of at most `most` classes, and how many more classes there are, as text. Of a row with several
    labels the rarest one counts.
    """
    found, used = rows.classes(), rows.indices()
    if found is None:
        return [("", row) for row in choose("", used, per_class)], ""
    labels = found[1].labels
    strata = labels.strata(used)
    names = [(k, labels.names[k]) for k in np.unique(strata[strata >= 0]).tolist()]
    chosen = [(name, row) for k, name in names[:most] for row in choose(name, used[strata == k], per_class)]
    more = len(names) - most
    text = f"{pluralize(more, 'more class', 'more classes')} {inflect(more, 'is')} not shown"
    return chosen, text if more > 0 else ""


def choose(name: str, rows: Any, count: int) -> list[int]:
    """Return some of these rows (numpy), the same ones each time for this name."""
    return sorted(random.Random(name).sample(rows.tolist(), min(count, len(rows))))
