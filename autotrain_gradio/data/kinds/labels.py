"""Cells that are names of classes: one a row, or several, as lists, in one text with a delimiter, or a column each."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import DataError, Finding, Fix
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import count_with_verb, join_examples, pluralize
from autotrain_gradio.data.kinds import label
from autotrain_gradio.data.rows import Cells, Context, Rows
from autotrain_gradio.data.values.arrow_columns import encode, is_list, is_text
from autotrain_gradio.data.values.labels import Labels
from autotrain_gradio.data.values.numbers import parse

guess = label.guess
DELIMITERS = (",", ";", "|")
LONGEST = 60
"""Characters of a label beyond which a text with commas counts as a sentence."""
MOST = 24
"""Maximum number of labels in the co-occurrence plot."""


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Read one label a row, or several where the data has lists, or texts with a delimiter between labels.

    `data.options.label_delimiter` is the delimiter between labels ("": texts are never split). Rows with a missing
    cell are skipped; an empty list is kept: no label applies.
    """
    delimiter = _delimiter_option(context)
    if is_list(cells.type):
        return _lists(cells, context)
    if is_text(cells.type) or pa.types.is_dictionary(cells.type):
        values, codes = encode(cells)
        texts = [None if v is None else str(v) for v in values.to_pylist()]
        filled = [t for t in texts if t is not None and t.strip()]
        if filled and delimiter is None and all(_parse_list(t) is not None for t in filled):
            return _several([_parse_list(t) if t and t.strip() else None for t in texts], codes, context)
        if filled and delimiter:
            return _several([_split(t, delimiter) for t in texts], codes, context)
        found = _detect_delimiter(filled) if filled and delimiter is None else None
        if found is not None:
            result = _several([_split(t, found) for t in texts], codes, context)
            result.findings.append(_guessed(found, filled, context))
            return result
        return label.inspect(cells, context, (values, codes))
    return label.inspect(cells, context)


def combine(columns: dict[str, pa.ChunkedArray], context: Context) -> Cells:
    """Make labels of several columns of 0 and 1: a row has the labels whose columns are 1."""
    marks = np.zeros((len(columns), len(context.needed)), dtype=bool)
    missing = np.zeros(len(context.needed), dtype=bool)
    findings = []
    for k, (name, column) in enumerate(columns.items()):
        marks[k], empty, invalid = _marks(column)
        missing |= empty
        invalid = np.flatnonzero(invalid & context.needed)
        if len(invalid):
            shown = context.cell_examples(column, invalid)
            findings.append(
                Finding(
                    "error",
                    "label-not-a-mark",
                    f"The column '{name}' must hold 0 or 1 (whether the label applies), but "
                    f"{count_with_verb(len(invalid), 'row', 'has')} something else: "
                    f"{join_examples(shown, len(invalid))}.",
                    "Use 0 and 1 (or false and true), or choose one column with the names of the labels.",
                    f"column {name}",
                )
            )
    lost = np.flatnonzero(missing & context.needed)
    if len(lost):
        findings.append(label.missing_labels(lost, context))
    marks &= context.needed & ~missing
    rows, numbers = np.nonzero(marks.T)
    raw = Counter({n: int(c) for n, c in zip(columns, marks.sum(axis=1), strict=True)})
    offsets = np.concatenate(([0], np.cumsum(marks.sum(axis=0))))
    names, numbers, offsets = _mapped(list(columns), numbers.astype(np.int64), offsets, context)
    result = Cells(Labels(names, numbers, offsets), {"label-missing": lost}, findings=findings, raw=raw)
    return result


_YES, _NO = ("true", "yes", "t", "y"), ("false", "no", "f", "n")


def _marks(column: pa.ChunkedArray) -> tuple[Any, Any, Any]:
    """Return per row whether the label applies, whether the cell is missing, and whether it is invalid."""
    found = parse(column)
    values = found.values
    if is_text(column.type) and found.unreadable.any():
        words, codes = encode(column)
        texts = [str(w).strip().lower() for w in words.to_pylist()]
        meaning = np.array([1.0 if w in _YES else 0.0 if w in _NO else np.nan for w in texts] + [np.nan])[codes]
        values = np.where(found.unreadable, meaning, values)
    invalid = (np.isnan(values) & ~found.missing) | (~np.isnan(values) & (values != 0) & (values != 1))
    return values == 1, found.missing, invalid


def _delimiter_option(context: Context) -> str | None:
    delimiter = context.request.spec.options.get("label_delimiter")
    if delimiter is not None and not isinstance(delimiter, str):
        raise DataError(
            f"The delimiter of labels must be a text, not {delimiter!r}.",
            'Write it in quotes: label_delimiter: ",".',
            "data.options.label_delimiter",
            "invalid-setting",
        )
    return delimiter


def _parse_list(text: str) -> list[Any] | None:
    """Return the list that a text such as `['a', 'b']` writes, or None."""
    text = text.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(value, list) and all(isinstance(v, str | int | float | bool) for v in value):
            return value
    if "'" not in text and '"' not in text:  # [a, b]
        return [t.strip() for t in text[1:-1].split(",") if t.strip()]
    return None


def _split(text: str | None, delimiter: str) -> list[Any] | None:
    if text is None or not text.strip():
        return None
    return list(dict.fromkeys(t.strip() for t in text.split(delimiter) if t.strip()))


def _detect_delimiter(texts: Sequence[str]) -> str | None:
    """Return the delimiter that the labels of several rows are evidently written with, or None.

    The parts must be fewer than the texts, short, and turn up again in other texts: in 'San Jose, CA' they do not.
    """
    for delimiter in DELIMITERS:
        split = [_split(t, delimiter) or [] for t in texts]
        several = [parts for parts in split if len(parts) > 1]
        if len(several) < 2 or any(len(part) > LONGEST for parts in several for part in parts):
            continue
        seen = Counter(part for parts in split for part in parts)
        again = Counter(seen[part] > 1 for parts in several for part in set(parts))
        if len(seen) <= len(texts) and again[True] >= 9 * again[False]:
            return delimiter
    return None


def _guessed(delimiter: str, texts: Sequence[str], context: Context) -> Finding:
    example = next(t for t in texts if delimiter in t)
    return Finding(
        "info",
        "labels-split",
        f"The column '{context.column}' holds several labels a row, with '{delimiter}' between them: {example[:80]!r} "
        f"was read as {pluralize(len(_split(example, delimiter) or []), 'label')}.",
        "If each text is one label, do not split them.",
        "data.options.label_delimiter",
        Fix("Do not split labels", {"options": {"label_delimiter": ""}}),
    )


def _lists(cells: pa.ChunkedArray, context: Context) -> Cells:
    number: dict[tuple[Any, ...], int] = {}
    codes = np.full(len(cells), -1, dtype=np.int32)
    start = 0
    for chunk in cells.chunks:
        for i, value in enumerate(chunk.to_pylist()):
            if value is not None:
                key = tuple(v if isinstance(v, str | int | float | bool) else repr(v) for v in value if v is not None)
                codes[start + i] = number.setdefault(key, len(number))
        start += len(chunk)
    return _several([list(key) for key in number], codes, context)


def _several(sets: Sequence[list[Any] | None], codes: Any, context: Context) -> Cells:
    """Make labels of the distinct sets of labels, and of the number of its set that each row has (-1: none)."""
    own = context.names
    unknown: set[int] = set()

    def text(value: Any) -> str | None:
        if own is not None and isinstance(value, int) and not isinstance(value, bool):
            if 0 <= value < len(own):
                return own[value]
            unknown.add(value)
            return None
        return label.as_label(value) or None

    read: list[list[str] | None] = [
        None if s is None else list(dict.fromkeys(t for v in s if (t := text(v)) is not None)) for s in sets
    ]
    number: dict[str, int] = {}
    flat = [np.array([number.setdefault(t, len(number)) for t in s or []], dtype=np.int64) for s in read]
    sizes = np.array([len(f) for f in flat] + [0], dtype=np.int64)
    none = np.array([s is None for s in read] + [True])
    codes = np.where(context.needed, codes, -1)
    missing = np.flatnonzero(none[codes] & context.needed)
    lengths = sizes[codes]
    joined = np.concatenate(flat) if flat else np.zeros(0, dtype=np.int64)
    begins = np.concatenate(([0], np.cumsum(sizes[:-1])))[codes]
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    numbers = joined[np.repeat(begins - offsets[:-1], lengths) + np.arange(int(offsets[-1]))]
    names = list(number)
    raw = Counter(dict(zip(names, np.bincount(numbers, minlength=len(names)).tolist(), strict=True)))
    names, numbers, offsets = _mapped(names, numbers, offsets, context)
    result = Cells(Labels(names, numbers, offsets), {"label-missing": missing}, raw=raw)
    if len(missing):
        result.findings.append(label.missing_labels(missing, context))
    if unknown:
        assert own is not None  # only then a number can be unknown
        result.findings.append(
            Finding(
                "error",
                "label-number-unknown",
                f"There are class numbers outside 0 to {len(own) - 1}: "
                f"{join_examples([str(v) for v in sorted(unknown)])}.",
                "Correct the numbers, or the list of classes in the data's schema.",
                f"column {context.column}",
            )
        )
    return result


def _mapped(names: list[str], numbers: Any, offsets: Any, context: Context) -> tuple[list[str], Any, Any]:
    """Apply the spec's mapping of labels: each at most once a row, labels mapped to None not at all."""
    mapping = context.request.spec.labels
    targets = [mapping.get(n, n) for n in names]
    ordered = label.order(Counter(t for t in targets if t is not None), context.names, mapping)
    place = {name: k for k, name in enumerate(ordered)}
    number = np.array([-1 if t is None else place[t] for t in targets], dtype=np.int64)
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    numbers = number[numbers]
    kept = numbers >= 0
    pairs = np.unique(rows[kept] * max(1, len(ordered)) + numbers[kept])  # sorted: by row, then by label
    rows, numbers = np.divmod(pairs, max(1, len(ordered)))
    return ordered, numbers, np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=len(offsets) - 1))))


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Plot the rows of each label; with several a row also how many, and how often two occur together."""
    found = label.profile(rows, role, context)
    labels = rows.cells[role].labels
    if not labels.multi:
        return found
    used = rows.indices()
    codes, lengths = labels.flat(used)
    sizes = np.bincount(lengths)
    names = ["none", *(f"{n}" for n in range(1, len(sizes)))]
    found.append(panels.bars("Labels in a row", names, {"rows": [float(c) for c in sizes]}, unit="rows"))
    largest = np.argsort(-labels.counts(used), kind="stable")[:MOST]
    place = np.full(len(labels.names), -1)
    place[largest] = np.arange(len(largest))
    owner, column = np.repeat(np.arange(len(used)), lengths), place[codes]
    marks = np.zeros((len(used), len(largest)), dtype=np.float32)
    marks[owner[column >= 0], column[column >= 0]] = 1
    together = (marks.T @ marks).round().astype(int)
    note = f"The {MOST} most frequent of {len(labels.names):,} labels." if len(labels.names) > MOST else ""
    shown = [labels.names[k] for k in largest]
    found.append(
        panels.matrix(
            "Labels that occur together", shown, together.tolist(), rows="label", columns="with label", note=note
        )
    )
    return found
