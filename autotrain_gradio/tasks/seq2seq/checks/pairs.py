"""Pairs that teach nothing, or the wrong thing: targets equal to their sources, one target for all, swapped columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow.compute as pc

from autotrain_gradio.core.errors import Finding, Fix, Level
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.arrow_columns import encode, is_true, pick
from autotrain_gradio.data.values.labels import quoted

MANY = 0.2
"""Share of targets equal to their sources from which it is a warning: fewer are sentences without a mistake."""
SAME = 0.5
"""Share of rows with one and the same target from which it is a warning."""
ENOUGH = 10
"""Rows from which targets are compared with each other."""
LONGER = 4.0
"""How many times longer the targets must be, in the median, to suspect that the columns are swapped."""
WORDS = 12
"""Median number of characters of the sources below which they are keywords, of which long texts may be written."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Compare each target with its source, and the targets with each other."""
    roles = sides(rows)
    if roles is None:
        return
    source, target = roles
    used = rows.indices()
    texts, targets = (pc.utf8_trim_whitespace(pick(rows.cells[role].values, used)) for role in roles)
    same = used[is_true(pc.equal(texts, targets))]
    share = len(same) / len(used)
    where = f"data.columns.{target.partition(':')[0]}"
    if share == 1:
        message = (
            f"Each target is the same text as its source ({pluralize(len(used), 'row')}): there is nothing to learn."
        )
        hint = "Choose another column for the targets."
        yield Finding("error", "targets-equal-sources", message, hint, where)
        return
    text, hint = (
        "{n} {is} the same text as {its} source",
        "The model learns to copy such texts. Remove them if not meant.",
    )
    level: Level = "warning" if share >= MANY else "info"
    yield from rows.findings(level, "targets-equal-sources", text, same, hint, noun="target")
    values, codes = encode(targets)
    counts = np.bincount(codes[codes >= 0], minlength=1)
    most = int(counts.argmax())
    if len(used) >= ENOUGH and counts[most] >= SAME * len(used):
        shown = quoted(" ".join(str(values[most].as_py()).split()))
        message = f"{counts[most]:,} of {pluralize(len(used), 'target')} are the same text: {shown}."
        hint = "A model learns to answer that text always. For a few fixed answers, use text classification."
        yield Finding("warning", "targets-constant", message, hint, where)
    yield from _swapped(rows, source, target, texts, targets)


def sides(rows: Rows) -> tuple[str, str] | None:
    """Return the roles of source and target, if both have texts and a row is used."""
    found = [next((r for r in rows.having(p) if rows.columns[r].kind.texts), None) for p in ("input", "target")]
    source, target = found
    return (source, target) if source and target and len(rows.indices()) else None


def swap(rows: Rows, source: str, target: str, label: str) -> Fix | None:
    """Return the fix that exchanges the two columns; None if the source is joined of several."""
    names: list[str] = [str(rows.cells[role].about.get("name") or "") for role in (source, target)]
    columns: list[Column] = [rows.columns[role] for role in (source, target)]
    if not all(names):
        return None
    return Fix(label, {"columns": {columns[0].role: names[1], columns[1].role: names[0]}})


def _swapped(rows: Rows, source: str, target: str, texts: Any, targets: Any) -> Iterator[Finding]:
    """Suspect swapped columns where the targets are far longer than the sources, which are texts themselves."""
    before, after = (np.median(pc.utf8_length(cells).to_numpy()) for cells in (texts, targets))
    if len(rows.indices()) < ENOUGH or before < WORDS or after < LONGER * before:
        return
    names = [rows.cells[role].about.get("name") or rows.columns[role].title for role in (source, target)]
    message = (
        f"The targets ('{names[1]}') are {after / before:.0f} times longer than the sources ('{names[0]}'), in the "
        f"median {after:,.0f} characters for {before:,.0f}: the columns may be swapped."
    )
    hint = "Swap them if the long texts are to be summarized. Leave them if the model is to write long texts."
    fix = swap(rows, source, target, "Swap source and target")
    yield Finding("warning", "columns-swapped", message, hint, f"data.columns.{source.partition(':')[0]}", fix)
