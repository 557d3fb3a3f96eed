"""What stands above the data of a table: a title, a header of several rows, a row of units."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.values.numbers import WORDS

SCANNED = 50
"""Rows at the beginning of a table from which its header is detected."""
MOST_TITLES, MOST_HEADERS = 6, 4
FEW = 5
"""Rows below a row of texts that do not show by themselves that it is none of data."""
NUMBER = re.compile(r"[(<>≤≥~+\-−$€£¥ ]*\d[\d.,:/'’ \-T()]*(?:[eE][+-]?\d+)?\D{0,4}")
"""A text that is data rather than a name: a number, perhaps with a unit, a date or a time."""
UNIT = re.compile(r"[\[(].{1,18}[\])]|[^\W\d_]{1,3}|(?=.*[^\w\s]).{1,12}")
"""A unit: in brackets, of three letters at most, or with a sign: °C, km/h, (mm)."""

Cells = Sequence[Any]
Record = tuple[int, Cells]
"""Number of a row, and its cells: text, numbers, dates; None or blank text where there is nothing."""


@dataclass
class Header:
    """names: one for each column, "" where there is none. rows: number of records before the first row of data.

    number: of the row in the file with the first names.
    """

    names: list[str]
    number: int
    rows: int
    findings: list[Finding] = field(default_factory=list)


def find_header(records: Sequence[Record], name: str) -> Header:
    """Return the header of a table by its first records, none of which is blank.

    A title above the header is skipped, a header of several rows is joined, and a row of units or descriptions below it
    is skipped; each is a finding. Where that is not evident, the first record is the header.

    records: the first `SCANNED` are enough. name: of the file, for the findings.
    """
    records = records[:SCANNED]
    width = _width(records)
    top = _titles(records, width)
    names, rows = [text_of(cell) for cell in records[top][1]], top + 1
    header = Header(names, records[top][0], rows)
    while rows - top < MOST_HEADERS and _continues(names, records, rows):
        names, rows = _joined(names, records[rows][1]), rows + 1
    header.names, header.rows = names, rows
    if top:
        shown = [f"row {n}: {_shown(cells)}" for n, cells in records[:top]]
        message = f"The table begins below a title, which was skipped ({join_examples(shown)}): its header is row "
        message += f"{header.number}."
        header.findings.append(Finding("info", "title-above", message, "", f"{name}, row {header.number}"))
    if rows - top > 1:
        new = [repr(n) for n, old in zip(names, records[top][1], strict=False) if n != text_of(old)]
        numbers = [str(n) for n, _ in records[top:rows]]
        message = f"The header has {rows - top} rows ({join_examples(numbers)}), which were joined: "
        message += f"{join_examples(new)}."
        header.findings.append(Finding("info", "header-joined", message, "", name))
    if _is_units(records, rows):
        number, cells = records[rows]
        message = f"Row {number} holds units or descriptions of the columns and was skipped: {_shown(cells)}."
        hint = "Remove it from the file, so that only rows of data follow the header."
        header.findings.append(Finding("warning", "units-row", message, hint, f"{name}, row {number}"))
        header.rows += 1
    return header


def text_of(cell: Any) -> str:
    """Return a cell of a header as text."""
    return "" if cell is None else str(cell).strip()


def _shown(cells: Cells) -> str:
    return join_examples([repr(text_of(cell)[:60]) for cell in cells if text_of(cell)])


def _filled(cells: Cells) -> list[int]:
    return [k for k, cell in enumerate(cells) if text_of(cell)]


def _width(records: Sequence[Record]) -> int:
    """Return the number of columns that most records reach."""
    ends = Counter(_filled(cells)[-1] + 1 for _, cells in records if _filled(cells))
    return ends.most_common(1)[0][0] if ends else 0


def _is_data(cell: Any) -> bool:
    """Return whether a cell is a value, not a name."""
    if isinstance(cell, str):
        return NUMBER.fullmatch(cell.strip()) is not None
    return isinstance(cell, bool | int | float | datetime.date | datetime.time)


def _below(records: Sequence[Record], first: int, column: int) -> list[Any]:
    """Return the cells of a column from a record on, without blank ones and words such as n/a."""
    cells = [cells[column] for _, cells in records[first:] if column < len(cells)]
    return [cell for cell in cells if text_of(cell) and text_of(cell).lower() not in WORDS]


def _numeric(records: Sequence[Record], first: int, column: int) -> bool:
    """Return whether nearly all cells of a column from a record on are values."""
    cells = _below(records, first, column)
    return len(cells) > 1 and sum(map(_is_data, cells)) >= 0.9 * len(cells)


def _all_names(records: Sequence[Record], row: int) -> bool:
    """Return whether a record could be a header: texts, none of which occurs again below."""
    cells = records[row][1]
    filled = _filled(cells)
    if not filled or any(_is_data(cells[k]) for k in filled):
        return False
    return all(text_of(cells[k]) not in map(text_of, _below(records, row + 1, k)) for k in filled)


def _titles(records: Sequence[Record], width: int) -> int:
    """Return how many records, of one or two cells each, stand above one with a name for each column."""
    for row in range(min(MOST_TITLES, len(records) - 2)):
        filled = _filled(records[row][1])
        if len(filled) > 2 or len(filled) >= width or filled != list(range(len(filled))):
            if row == 0 or len(filled) < width or not _all_names(records, row):
                return 0
            return row
    return 0


def _continues(names: Sequence[str], records: Sequence[Record], row: int) -> bool:
    """Return whether a record is a further row of the header: it names columns that have no name of their own yet."""
    if row >= len(records) - 1 or not _all_names(records, row):
        return False
    count = Counter(n for n in names if n)
    cells = records[row][1]
    filled = _filled(cells)
    open_ = [k for k in filled if k >= len(names) or count[names[k]] != 1]
    return bool(open_) and any(_numeric(records, row + 1, k) for k in filled)


def _joined(names: Sequence[str], cells: Cells) -> list[str]:
    """Join the names of groups of columns with those of a further row: a group reaches to the next one."""
    found, group = [], ""
    for k in range(max(len(names), len(cells))):
        above = names[k] if k < len(names) else ""
        below = text_of(cells[k]) if k < len(cells) else ""
        group = above or group
        found.append(f"{group} {below}".strip() if below else above)
    return found


def _is_units(records: Sequence[Record], row: int) -> bool:
    """Return whether a record below the header has units: it has texts in columns that are numeric below it."""
    if row >= len(records) - 2:
        return False
    cells = records[row][1]
    if any(_is_data(cell) for cell in cells if text_of(cell)):
        return False
    numeric = [k for k in range(len(cells)) if _numeric(records, row + 1, k)]
    texts = [text_of(cells[k]) for k in numeric if text_of(cells[k]) and text_of(cells[k]).lower() not in WORDS]
    if len(texts) < max(1, len(numeric) / 2):
        return False
    if len(records) - row <= FEW and not (len(texts) == len(numeric) and all(map(UNIT.fullmatch, texts))):
        return False
    return len(texts) > 1 or UNIT.fullmatch(texts[0]) is not None
