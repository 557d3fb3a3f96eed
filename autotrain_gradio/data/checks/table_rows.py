"""Tables of so few rows, or so many labels, that models cannot be compared by them."""

from __future__ import annotations

from collections.abc import Iterator

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import inflect, pluralize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows

LEAST = 4
"""Minimum number of training rows: two folds of two rows."""
MAX_LABEL_CELLS = 10_000_000
"""Maximum of rows × labels (multi-label): each label has an estimator, and a target and probabilities for each row."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Report too few training rows and too many labels, which the training would refuse. Runs after the split."""
    train, validation = rows.count("train"), rows.count("validation")
    if train < LEAST:
        beside = f" beside {pluralize(validation, 'row')} for validation" if validation else ""
        message = f"There {inflect(train, 'is')} {pluralize(train, 'training row')}{beside}: too few to compare models."
        hint = f"Add rows with a target: {LEAST} training rows are needed at least, and some dozens to learn anything."
        yield Finding("error", "too-few-rows", message, hint, "data")
    for role in rows.having("target"):
        cells, count = rows.cells[role], train + validation
        if cells.names is None or not cells.labels.multi or len(cells.labels.names) * count <= MAX_LABEL_CELLS:
            continue
        labels = len(cells.labels.names)
        message = f"{count:,} rows with {labels:,} labels are too many for models of tables, which fit an estimator to "
        message += f"each label: rows × labels may be at most {MAX_LABEL_CELLS:,}."
        hint = (
            f"Remove rare labels, or lower max_samples: with {labels:,} labels at most {MAX_LABEL_CELLS // labels:,} "
        )
        hint += "rows can be used, validation included."
        yield Finding("error", "too-many-labels", message, hint, f"data.columns.{role.partition(':')[0]}")
