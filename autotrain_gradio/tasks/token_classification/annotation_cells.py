"""The kind `annotations`: in each cell a list of tags, one for each token, or a list of spans with character offsets.

The cells are parsed here; `annotations_check` combines them with the texts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.kinds import charts
from autotrain_gradio.data.pipeline.features import class_names, from_dict
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Context, Guess, Rows
from autotrain_gradio.tasks.token_classification.cell_lists import (
    Truncated,
    flat,
    is_missing,
    is_span,
    parse_list,
    spans_of,
)
from autotrain_gradio.tasks.token_classification.entities_panel import entities_panel

TAGS, SPANS = "tags", "spans"
FORM = "form"
"""Fact: `tags` or `spans`."""
SHOWN_TYPES = 40
SHOWN_TEXTS = 6
SAMPLE = 300
FEW_TAGS = 100
"""Distinct names up to which lists may be tags."""


def guess(columns: dict[str, pa.ChunkedArray], role: Column, request: Request) -> Guess | None:
    """Return the only column of lists of tags or spans."""
    found = [n for n, c in columns.items() if form_of(v := c.to_pylist()) == SPANS or are_tags(v)]
    return Guess(found, "it is the only column of annotations") if len(found) == 1 else None


def are_tags(cells: Sequence[Any]) -> bool:
    """Whether cells are lists of tags: few distinct names, which occur again and again."""
    lists = [parsed for v in cells[:SAMPLE] if isinstance(parsed := _parsed(v), list)]
    counts = Counter(str(tag) for value in lists for tag in flat(value) or ())
    return bool(counts) and len(counts) <= FEW_TAGS and ("O" in counts or 3 * len(counts) <= counts.total())


def form_of(cells: Sequence[Any]) -> str:
    """Return whether most of the cells are `tags` or `spans`; empty: there are only empty lists."""
    found = Counter(_form(v) for v in cells[:SAMPLE] if not is_missing(v))
    return max((TAGS, SPANS), key=lambda form: found[form]) if found[TAGS] or found[SPANS] else ""


def _form(cell: Any) -> str:
    value = _parsed(cell)
    if isinstance(value, list):
        if not value:
            return ""
        if not is_span(value) and flat(value) is not None:
            return TAGS
    if isinstance(value, str):
        return TAGS
    return SPANS if spans_of(value) is not None else "other"


def _parsed(cell: Any) -> Any:
    """Return the value of a cell: a list if its text writes one, else the cell itself."""
    if not isinstance(cell, str):
        return cell
    try:
        value = parse_list(cell)
    except Truncated:
        return []
    return cell if value is None else value


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Parse lists of tags into names, and lists of spans into `Span`s; other rows are skipped and reported."""
    given = cells.to_pylist()
    form = form_of([v for row, v in enumerate(given) if context.needed[row]]) or SPANS
    names = _names(context)
    values: list[Any] = []
    problems: dict[str, list[int]] = {"annotations-missing": [], "annotations-unreadable": []}
    problems |= {"tags-truncated": [], "tag-number-unknown": [], "spans-incomplete": []}
    numbers, incomplete = False, 0
    known: dict[Any, str] = {}
    outside: set[Any] = set()
    for row, cell in enumerate(given):
        values.append(None)
        if not context.needed[row]:
            continue
        if is_missing(cell):
            problems["annotations-missing"].append(row)
            continue
        try:
            value = parse_list(cell) if isinstance(cell, str) else cell
        except Truncated:
            problems["tags-truncated"].append(row)
            continue
        if form == SPANS:
            found = spans_of(value)
            if found is None:
                problems["annotations-unreadable"].append(row)
                continue
            spans, wrong = found
            values[row] = [s._replace(label=_name(s.label, names)) for s in spans] if names else spans
            incomplete += wrong
            if wrong:
                problems["spans-incomplete"].append(row)
            continue
        tags = (
            [t for t in re.split(r"[\s,;|]+", cell.strip()) if t] if isinstance(value, str) or value is None else None
        )
        tags = flat(value) if tags is None and isinstance(value, list) else tags
        if tags is None:
            problems["annotations-unreadable"].append(row)
            continue
        for tag in tags:
            if tag not in known:
                known[tag] = _name(tag, names)
                numbers = numbers or (not names and _number(tag) is not None)
                outside |= {tag} if names and _outside(tag, names) else set()
        if outside and not outside.isdisjoint(tags):
            problems["tag-number-unknown"].append(row)
        else:
            values[row] = [known[tag] for tag in tags]
    partly = np.array(problems.pop("spans-incomplete"), dtype=np.int64)
    result = Cells(values, {k: np.array(v, dtype=np.int64) for k, v in problems.items()}, {FORM: form})
    result.findings = _findings(problems, names, form, context)
    text = f"{{n}} {{has}} spans without a start, an end or a label ({incomplete:,} in all), which were dropped"
    hint = 'Write {"start": 0, "end": 5, "label": "PER"} or [0, 5, "PER"] for each.'
    where = f"column {context.column}"
    result.findings += context.findings("warning", "spans-incomplete", text, partly, hint, where=where)
    if numbers:
        message = f"The tags in the column '{context.column}' are numbers, and the data does not name them."
        hint = "Set data.options.tag_names to the names in their order, such as O, B-PER, I-PER; or write the names."
        result.findings.append(Finding("warning", "tags-without-names", message, hint, "data.options.tag_names"))
    return result


def _findings(problems: dict[str, list[int]], names: Sequence[str], form: str, context: Context) -> list[Finding]:
    hint = "Write [] where a text has no entity." if form == SPANS else "Write a tag for each token."
    found = context.skipped("annotations-missing", "{n} {has} no annotations", problems["annotations-missing"], hint)
    what = "spans" if form == SPANS else "tags, one for each token"
    hint = '[[0, 5, "PER"]] is a list of spans, ["B-PER", "O"] a list of tags.'
    rows = problems["annotations-unreadable"]
    found += context.skipped("annotations-unreadable", f"{{n}} {{has}} no list of {what}", rows, hint)
    hint = "Write all tags: NumPy replaces those of long lists by '...' where it prints them. Save JSON lines instead."
    found += context.skipped(
        "tags-truncated", "{n} {has} a list of tags with '...' inside", problems["tags-truncated"], hint
    )
    text = f"{{n}} {{has}} a tag number outside 0 to {len(names) - 1}"
    hint = f"Correct the numbers, or the list of names ({join_examples(list(names))})."
    return found + context.skipped("tag-number-unknown", text, problems["tag-number-unknown"], hint)


def _names(context: Context) -> list[str]:
    """Return the names of tag numbers: of `data.options.tag_names`, else those that the data declares.

    Raises:
        DataError: the option is not a list of names.
    """
    option = context.request.spec.options.get("tag_names")
    if option is not None:
        names = re.split(r"[\s,;]+", option.strip(" []")) if isinstance(option, str) else option
        if isinstance(names, list) and names and all(isinstance(n, str | int) for n in names):
            return [str(n).strip("'\"") for n in names]
        message, hint = f"tag_names must be a list of names (got {option!r}).", "For example: [O, B-PER, I-PER]."
        raise DataError(message, hint, "data.options.tag_names", "invalid-setting")
    if context.names:
        return context.names
    return next(iter(class_names(from_dict(context.feature)).values()), []) if context.feature else []


def _number(tag: Any) -> int | None:
    if isinstance(tag, bool):
        return None
    if isinstance(tag, float) and tag.is_integer():
        return int(tag)
    return int(tag) if isinstance(tag, int) or (isinstance(tag, str) and tag.isdecimal()) else None


def _outside(tag: Any, names: Sequence[str]) -> bool:
    number = _number(tag)
    return number is not None and str(tag) not in names and not 0 <= number < len(names)


def _name(tag: Any, names: Sequence[str]) -> str:
    number = _number(tag)
    if number is None or (names and (str(tag) in names or number >= len(names))):
        return "O" if tag is None else str(tag).strip()
    return names[number] if names else str(number)


def counts_of(rows: Rows, role: str, split: str) -> Counter[str]:
    """Return type → number of entities in the rows of a split."""
    values = rows.cells[role].values
    return Counter(span["label"] for i in rows.indices(split).tolist() for span in values[i])


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Plot the entities of each type, training and validation stacked."""
    if rows.cells[role].feature is None:
        return []  # no training row is left, so annotations and texts were not combined
    found = {split: counts_of(rows, role, split) for split in ("train", "validation")}
    names = sorted(found["train"] | found["validation"])
    counts = {split: np.array([c[n] for n in names]) for split, c in found.items()}
    if not names:
        return []
    return [charts.largest("Entities of each type", names, counts, SHOWN_TYPES, unit="entities", noun="types")]


def gallery(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Show a few texts with their entities highlighted; the same ones each time."""
    if rows.cells[role].feature is None:
        return []
    values, texts = rows.cells[role].values, rows.cells["text"].values
    used = rows.indices()
    tagged = np.array([i for i in used.tolist() if values[i]], dtype=np.int64)
    shown = [
        {"caption": rows.locations[i], "text": texts[i].as_py(), "lines": [{"spans": values[i]}]}
        for i in charts.choose("entities", tagged if len(tagged) else used, SHOWN_TEXTS)
    ]
    return [entities_panel("Examples", shown)] if shown else []
