"""The same content twice: with two labels, in training and validation, or simply twice."""

from __future__ import annotations

from typing import Any

import numpy as np

from autotrain_gradio.core.errors import Finding, Level
from autotrain_gradio.core.text_format import count_with_verb, inflect, join_examples, pluralize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import ROW_NOUN, Rows
from autotrain_gradio.data.values.labels import short

SHOWN = 5


def check(rows: Rows, request: Request) -> list[Finding]:
    """Compare the content of all rows that are used. Runs before the split: `validation` rows were given."""
    known = rows.content()
    if known is None:
        return []
    noun, content = known
    used = rows.indices()
    used = used[content[used] >= 0]
    order = used[np.argsort(content[used], kind="stable")]
    _, begins, sizes = np.unique(content[order], return_index=True, return_counts=True)
    begins, sizes = begins[sizes > 1], sizes[sizes > 1]
    if not len(sizes):
        return []
    # From here on: the rows that occur more than once, group by group, in the order of the data.
    group = np.repeat(np.arange(len(sizes)), sizes)
    members = order[np.repeat(begins - np.concatenate(([0], np.cumsum(sizes)[:-1])), sizes) + np.arange(len(group))]
    twice = _Groups(rows, members, np.concatenate(([0], np.cumsum(sizes))))
    findings = []
    classes = rows.classes()
    mixed = np.zeros(0, dtype=np.int64)
    if classes is not None:
        mixed = twice.that_differ(classes[1].labels.signatures(members))
        if len(mixed):
            findings.append(_mixed(twice, mixed, noun, classes[1].values))
    leaked = twice.that_differ(rows.validation[members].astype(np.int64))
    if len(leaked):
        findings.append(_leaked(twice, leaked, noun))
    spare = int(sizes.sum()) - len(sizes)
    if len(mixed) < len(sizes):
        kept = not rows.having("group") and (rows.content_groups() >= 0).any()
        findings.append(
            Finding(
                "info",
                "duplicates",
                f"{pluralize(spare, f'duplicate {noun}')}"
                f": {join_examples([twice.format(g) for g in range(min(SHOWN, len(sizes)))], len(sizes))}."
                + (" Duplicates stay in the same split." if kept else ""),
            )
        )
    return findings


class _Groups:
    """Groups of rows with the same content; group g is `members[bounds[g]:bounds[g + 1]]`."""

    def __init__(self, rows: Rows, members: Any, bounds: Any) -> None:
        self.rows, self.members, self.bounds = rows, members, bounds

    def of(self, number: int) -> list[int]:
        """Return the rows of a group in the order of the data."""
        return sorted(self.members[self.bounds[number] : self.bounds[number + 1]].tolist())

    def that_differ(self, values: Any) -> Any:
        """Return the groups whose rows do not all have the same value."""
        lowest, highest = (f.reduceat(values, self.bounds[:-1]) for f in (np.minimum, np.maximum))
        found = np.flatnonzero(lowest != highest)
        first = np.minimum.reduceat(self.members, self.bounds[:-1])
        return found[np.argsort(first[found], kind="stable")]

    def format(self, number: int, values: Any = None) -> str:
        """Return the locations of the first rows of a group, with their values."""
        rows = self.of(number)
        if values is not None:  # one row of each value is more informative than three of the same
            first = {values[i]: i for i in reversed(rows)}
            rows = sorted(rows, key=lambda i: (first[values[i]] != i, i))
        return _together([(self.rows.locations[i], _value(values, i)) for i in rows[:3]])


def _together(places: list[tuple[str, str]]) -> str:
    """Join places with their values; rows of one table name it once: `t.csv, rows 8 = 102`."""
    parts = [(*place.rpartition(", row "), value) for place, value in places]
    if len(parts) > 1 and parts[0][1] and len({(file, word) for file, word, _, _ in parts}) == 1:
        return f"{parts[0][0]}, rows " + " = ".join(row + value for _, _, row, value in parts)
    return " = ".join(place + value for place, value in places)


def _value(values: Any, row: int) -> str:
    if values is None:
        return ""
    value = values[row]
    return f" ({', '.join(map(short, value)) if isinstance(value, tuple) else short(value)})"


def _mixed(twice: _Groups, mixed: Any, noun: str, labels: Any) -> Finding:
    shown = [twice.format(g, labels) for g in mixed[:SHOWN].tolist()]
    where = twice.rows.locations[twice.of(int(mixed[0]))[0]]
    many = count_with_verb(len(mixed), noun, "occurs")
    if noun == ROW_NOUN:
        text = f"{many} more than once with different targets"
        hint = "If this is intended, more feature columns may distinguish them."
    elif labels.multi:
        text, hint = (
            f"{many} more than once with different labels",
            "Correct the wrong ones: a model cannot learn both.",
        )
    else:
        text, hint = f"{many} in two classes", "Remove the wrong one: a model cannot learn both."
    level: Level = "info" if noun == ROW_NOUN else "warning"
    return Finding(level, "same-in-two-classes", f"{text}: {join_examples(shown, len(mixed))}.", hint, where)


def _leaked(twice: _Groups, leaked: Any, noun: str) -> Finding:
    shown = [twice.format(g) for g in leaked[:SHOWN].tolist()]
    validation = twice.rows.validation[twice.members].astype(np.int64)
    measured = int(np.add.reduceat(validation, twice.bounds[:-1])[leaked].sum())
    return Finding(
        "warning",
        "same-in-train-and-validation",
        f"{pluralize(measured, f'validation {noun}')} {inflect(measured, 'is')} also in the training rows: "
        f"{join_examples(shown, len(leaked))}. The results will look better than they are.",
        "Remove them from one of the two.",
        twice.rows.locations[twice.of(int(leaked[0]))[0]],
    )
