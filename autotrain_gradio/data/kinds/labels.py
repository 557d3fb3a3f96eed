"""Cells that are names of classes: one a row, or several, as lists, in one text with a delimiter, or a column each."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.data.kinds import label
from autotrain_gradio.data.kinds.text import text_option
from autotrain_gradio.data.rows import Cells, Context, Rows, show_cell
from autotrain_gradio.data.values.arrow_columns import encode, is_list, is_text
from autotrain_gradio.data.values.labels import Labels
from autotrain_gradio.data.values.numbers import parse
from autotrain_gradio.data.values.spellings import truth_value

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
    delimiter = text_option(context, "label_delimiter", "delimiter of labels", ",")
    if is_list(cells.type):
        return _several(cells.to_pylist(), np.arange(len(cells)), context)
    if not (is_text(cells.type) or pa.types.is_dictionary(cells.type)):
        return label.inspect(cells, context)
    values, codes = encode(cells)
    texts = [None if v is None or not str(v).strip() else str(v) for v in values.to_pylist()]
    filled = [t for t in texts if t is not None]
    if filled and delimiter is None and all(_parse_list(t) is not None for t in filled):
        return _several([None if t is None else _parse_list(t) for t in texts], codes, context)
    used = _detect_delimiter(filled) if delimiter is None else delimiter
    if not used or not filled:
        return label.inspect(cells, context)
    result = _several([None if t is None else _split(t, used) for t in texts], codes, context)
    if delimiter is None:
        result.findings.append(_guessed(used, filled, context))
    return result


def combine(columns: dict[str, pa.ChunkedArray], context: Context) -> Cells:
    """Make labels of several columns of 0 and 1: a row has the labels whose columns are 1."""
    marks = np.zeros((len(columns), len(context.needed)), dtype=bool)
    missing = np.zeros(len(context.needed), dtype=bool)
    findings = list[Finding]()
    for k, (name, column) in enumerate(columns.items()):
        marks[k], empty, invalid = _marks(column)
        missing |= empty
        invalid = np.flatnonzero(invalid & context.needed)
        text = f"The column '{name}' must hold 0 or 1 (whether the label applies), but {{n}} {{has}} something else"
        hint = "Use 0 and 1 (or false and true), or choose one column with the names of the labels."
        shown, where = show_cell(column), f"column {name}"
        findings += context.findings("error", "label-not-a-mark", text, invalid, hint, shown, where=where)
    lost = np.flatnonzero(missing & context.needed)
    findings += label.missing_labels(lost, context)
    marks &= context.needed & ~missing
    rows, numbers = np.nonzero(marks.T)
    raw = Counter({n: int(c) for n, c in zip(columns, marks.sum(axis=1), strict=True)})
    offsets = np.concatenate(([0], np.cumsum(marks.sum(axis=0))))
    labels = _mapped(list(columns), numbers, offsets, context)
    return Cells(labels, {"label-missing": lost}, findings=findings, raw=raw)


def _marks(column: pa.ChunkedArray) -> tuple[Any, Any, Any]:
    """Return per row whether the label applies, whether the cell is missing, and whether it is invalid."""
    found = parse(column)
    values = found.values
    if is_text(column.type) and found.unreadable.any():
        words, codes = encode(column)
        meaning = [truth_value(word or "") for word in words.to_pylist()] + [None]
        values = np.where(found.unreadable, np.array(meaning, dtype=float)[codes], values)
    invalid = (np.isnan(values) & ~found.missing) | (~np.isnan(values) & (values != 0) & (values != 1))
    return values == 1, found.missing, invalid


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


def _split(text: str, delimiter: str) -> list[str]:
    return list(dict.fromkeys(t.strip() for t in text.split(delimiter) if t.strip()))


def _detect_delimiter(texts: Sequence[str]) -> str | None:
    """Return the delimiter that the labels of several rows are evidently written with, or None.

    The parts must be fewer than the texts, short, and turn up again in other texts: in 'San Jose, CA' they do not.
    """
    for delimiter in DELIMITERS:
        split = [_split(t, delimiter) for t in texts]
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
        f"was read as {pluralize(len(_split(example, delimiter)), 'label')}.",
        "If each text is one label, do not split them.",
        "data.options.label_delimiter",
        Fix("Do not split labels", {"options": {"label_delimiter": ""}}),
    )


def _several(sets: Sequence[list[Any] | None], codes: Any, context: Context) -> Cells:
    """Make labels of the distinct sets of labels, and of the number of its set that each row has (-1: none)."""
    own = context.names
    unknown: set[int] = set()

    def text(value: Any) -> str | None:
        if own is not None and type(value) is int:
            if 0 <= value < len(own):
                return own[value]
            unknown.add(value)
            return None
        return label.as_label(value) if value is None or isinstance(value, str | int | float) else repr(value)

    read = [None if s is None else list(dict.fromkeys(t for v in s if (t := text(v)) is not None)) for s in sets]
    chosen = pa.array(codes, mask=(codes < 0) | ~context.needed)
    rows = pa.array(read, pa.list_(pa.string())).take(chosen)
    found, numbers = encode(pa.chunked_array([rows.flatten()]))
    names = found.to_pylist()
    raw = Counter(dict(zip(names, np.bincount(numbers, minlength=len(names)).tolist(), strict=True)))
    offsets = np.concatenate(([0], np.cumsum(np.asarray(pc.fill_null(pc.list_value_length(rows), 0)))))
    missing = np.flatnonzero(np.asarray(rows.is_null()) & context.needed)
    result = Cells(_mapped(names, numbers, offsets, context), {"label-missing": missing}, raw=raw)
    result.findings += label.merged_numbers({v: 0 for s in sets for v in s or () if isinstance(v, str)}, context)
    result.findings += label.missing_labels(missing, context)
    if own is not None and unknown:
        shown = join_examples([str(v) for v in sorted(unknown)])
        message = f"There are class numbers outside 0 to {len(own) - 1}: {shown}."
        hint = "Correct the numbers, or the list of classes in the data's schema."
        where = f"column {context.column}"
        result.findings.append(Finding("error", "label-number-unknown", message, hint, where))
    return result


def _mapped(names: Sequence[str], numbers: Any, offsets: Any, context: Context) -> Labels:
    """Apply the spec's mapping of labels: each at most once a row, labels mapped to None not at all."""
    classes, number = label.mapped(names, context)
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    numbers = number[numbers]
    kept = numbers >= 0
    pairs = np.unique(rows[kept] * max(1, len(classes)) + numbers[kept])  # sorted: by row, then by label
    rows, numbers = np.divmod(pairs, max(1, len(classes)))
    return Labels(classes, numbers, np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=len(offsets) - 1)))))


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
