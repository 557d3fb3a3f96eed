"""Tables of so few rows that no models can be compared by them."""

from __future__ import annotations

from collections.abc import Iterator

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import inflect, pluralize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows

LEAST = 4
"""Minimum number of training rows: two folds of two rows."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Report too few training rows, which the training would refuse. Runs after the split."""
    train, validation = rows.count("train"), rows.count("validation")
    if train < LEAST:
        beside = f" beside {pluralize(validation, 'row')} for validation" if validation else ""
        message = f"There {inflect(train, 'is')} {pluralize(train, 'training row')}{beside}: too few to compare models."
        hint = f"Add rows with a target: {LEAST} training rows are needed at least, and some dozens to learn anything."
        yield Finding("error", "too-few-rows", message, hint, "data")
