"""Where rows come from: the file and the row of each, and findings that name the first of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autotrain_gradio.core.errors import Finding, Level
from autotrain_gradio.core.text_format import format_count, join_examples

ROW_BITS = 40
"""Bits of a location number that hold the row; those above hold the file."""


class Locations(Sequence[str]):
    """File and row number of each row, as text that is made on access.

    files: names for messages, "" for one that needs none; numbers: per row its location number.
    """

    def __init__(self, files: Sequence[str], numbers: Any) -> None:
        self.files, self.numbers = files, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = int(self.numbers[index])
        file, row = self.files[number >> ROW_BITS], f"row {number & ((1 << ROW_BITS) - 1):,}"
        return f"{file}, {row}" if file else row


def location_numbers(file: int, rows: Any) -> Any:
    """Return the location numbers of a file's rows."""
    return (file << ROW_BITS) + np.asarray(rows, dtype=np.int64)


def report_examples(
    level: Level,
    code: str,
    text: str,
    examples: Sequence[str],
    noun: str,
    hint: str = "",
    where: str = "",
    *,
    total: int | None = None,
) -> list[Finding]:
    """Return a finding that counts these examples and shows the first of them, or an empty list without examples.

    text: template of `format_count`, such as "{n} {has} no label". noun: what each example is, in the singular.
    total: number of examples, where only the first of them are given.
    """
    if not examples:
        return []
    message = format_count(text, total or len(examples), noun)
    return [Finding(level, code, f"{message}: {join_examples(examples, total)}.", hint, where)]


def tables_of(locations: Sequence[str]) -> list[str]:
    """Return per row the name of the table that it is a row of; "" for a location that names no row."""
    if isinstance(locations, Locations):
        return [locations.files[number] for number in (locations.numbers >> ROW_BITS).tolist()]
    return [table if row else "" for table, row, _ in (location.partition(", row ") for location in locations)]


class Located:
    """What has a location for each row: builds findings about some rows. locations: made on access."""

    locations: Sequence[str]

    def findings(
        self,
        level: Level,
        code: str,
        text: str,
        rows: Any,
        hint: str = "",
        detail: Callable[[int], str] = lambda row: "",
        *,
        noun: str = "row",
        where: str = "",
    ) -> list[Finding]:
        """Return a finding about some rows: how many, the first of them, and what to do; an empty list without rows.

        text: template of `format_count`, such as "{n} {has} no label". rows: their numbers. detail: what follows the
        location of a row, such as " (0.2 s)". where: by default the location of the first row.
        """
        first = [int(i) for i in rows[:5]]
        shown = [self.locations[i] + detail(i) for i in first]
        where = where or "".join(self.locations[i] for i in first[:1])
        return report_examples(level, code, text, shown, noun, hint, where, total=len(rows))
