"""Enough classes, enough rows in each, and not too uneven."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.labels import Labels, quoted

TRAIN = "train"
LEAST_ROWS = 5
UNEVEN = 10
"""Ratio of the largest to the smallest class from which it is pointed out."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Report fewer than two or too many classes as errors, few rows of a class and imbalance as warnings.

    Classes are counted among the training rows, before some of them are held out for validation.
    """
    for role, cells in rows.cells.items():
        if cells.names is not None:
            yield from _check(f"data.columns.{role.partition(':')[0]}", cells.labels, rows, request.limits.classes)


def _check(where: str, labels: Labels, rows: Rows, limit: int) -> Iterator[Finding]:
    counts, total = _counts(labels, rows, TRAIN), rows.count(TRAIN)
    others = _counts(labels, rows, "validation").keys() - counts.keys()
    if not counts:
        message = f"None of the {pluralize(total, 'training row')} has a label."
        yield Finding("error", "no-labels", message, "Choose another column of labels.", where)
    elif len(counts) > limit:
        message = f"There are {len(counts):,} classes for {pluralize(total, 'training row')}; at most {limit:,} can be "
        hint = "The column of labels looks like identifiers. Choose another column, or merge labels."
        yield Finding("error", "too-many-classes", f"{message}trained.", hint, where)
    elif labels.multi:
        yield from _rare(counts)
        everywhere = [quoted(n) for n, c in counts.items() if c == total]
        if everywhere:
            message = f"Every row has {pluralize(len(everywhere), 'label')} that cannot be distinguished: "
            message += f"{join_examples(everywhere)}."
            yield Finding("warning", "label-everywhere", message, "Exclude it, or add rows without it.", "data.labels")
    elif len(counts) == 1:
        name, count = counts.popitem()
        message = f"There is only one class to learn, {quoted(name)}, with {pluralize(count, 'training row')}."
        if others:
            message += f" Only validation rows have {join_examples(sorted(quoted(n) for n in others))}."
        hint = "A classifier needs two classes: add training rows of another one."
        yield Finding("error", "one-class", message, hint, where)
    else:
        yield from _rare(counts)
        yield from _uneven(counts)


def _counts(labels: Labels, rows: Rows, split: str) -> Counter[str]:
    """Return the number of rows of each class that a split has."""
    return Counter({n: c for n, c in zip(labels.names, rows.label_counts(labels, split), strict=True) if c})


def _rare(counts: Counter[str]) -> Iterator[Finding]:
    advice = f"Add rows: {LEAST_ROWS} of each class at least, better 50."
    single = sorted(quoted(n) for n, c in counts.items() if c == 1)
    if single:
        message = f"{pluralize(len(single), 'class', 'classes')} with a single row cannot be validated: "
        hint = f"{advice} Or exclude the label."
        yield Finding("warning", "class-with-one-row", f"{message}{join_examples(single)}.", hint, "data.labels")
    few = sorted(f"{quoted(n)} ({c})" for n, c in counts.items() if 1 < c < LEAST_ROWS)
    if few:
        message = f"{pluralize(len(few), 'class', 'classes')} with fewer than {LEAST_ROWS} rows are hard to learn: "
        yield Finding("warning", "few-rows", f"{message}{join_examples(few)}.", advice, "data.labels")


def _uneven(counts: Counter[str]) -> Iterator[Finding]:
    largest, most = counts.most_common(1)[0]
    smallest, least = min(counts.items(), key=lambda item: (item[1], item[0]))
    if most > UNEVEN * least:
        message = f"The classes are uneven: {quoted(largest)} has {pluralize(most, 'row')}, {quoted(smallest)} "
        message += f"{pluralize(least, 'row')} ({most / least:.0f} to 1)."
        hint = "Add rows of the rare classes, or set class_weights to balanced. Look at F1 (macro), not at accuracy."
        yield Finding("warning", "imbalance", message, hint, "params.class_weights")
