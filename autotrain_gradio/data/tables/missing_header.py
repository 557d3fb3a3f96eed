"""Whether the first row of a table is a row of data: it looks like those below it, not like their names."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from statistics import median
from typing import Any

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.data.tables.header_rows import Header, Record, find_header, text_of
from autotrain_gradio.data.tables.types import ReadOptions
from autotrain_gradio.data.values.numbers import WORDS

ROW, HEADER, UNKNOWN = 1, -1, 0
NEARLY_ALL = 0.9
NUMBER = re.compile(r"[+-]?[$€£]? ?(\d[\d.,'’ \u00a0\u202f]*|[.,]\d+)([eE][+-]?\d+)? ?%?")
DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?|\d{1,2}:\d{2}(:\d{2})?.*"
    r"|([A-Z][a-z]{2},? )?([A-Z][a-z]{2} \d{1,2}|\d{1,2} [A-Z][a-z]{2})\b.*\d{4}.*"
)
SUFFIX = re.compile(r"\S.*(\.[A-Za-z][A-Za-z0-9]{1,4})")
SENTENCE_END = (".", "!", "…", "。", "।", "؟")
LONG, SHORT = 4, 2
"""Words from which a cell is more likely a text, and up to which it is more likely a name."""
NAMES = frozenset(
    (
        *("id", "index", "name", "title", "text", "sentence", "question", "answer", "review", "comment", "transcript"),
        *("label", "labels", "class", "category", "score", "rating", "price", "value", "date", "time"),
        *("path", "file", "filename", "file_name", "url"),
    )
)
"""Names of columns that are unlikely as cells."""
NAME_THEM = "Add a header with their names above it."
UNNAMED = re.compile(r"column \d+")
SCANNED_ROWS = 500
"""Rows at the beginning of a table from which a missing header is detected."""
YEARS = range(1800, 2101)


def evidence(cell: str, cells: Sequence[str]) -> int:
    """Return whether a cell is one of a column (ROW), or its name (HEADER), as far as it shows.

    cells: of the column, without blank ones.
    """
    cell = cell.strip()
    values = [c for c in cells if c.lower() not in WORDS]
    if not cell or cell.lower() in WORDS or not values:
        return UNKNOWN
    same = values.count(cell)
    for pattern in (NUMBER, DATE):
        share = sum(pattern.fullmatch(c) is not None for c in values) / len(values)
        if pattern.fullmatch(cell):
            if share >= NEARLY_ALL:
                return ROW
            return HEADER if share < 0.1 and not same else UNKNOWN
        if share >= NEARLY_ALL:
            return HEADER
    if same >= max(2, len(values) // 100):
        return ROW
    if len(values) >= 8 and len(set(values)) <= len(values) / 4:
        return HEADER  # a category that no row has
    return _text_evidence(cell, values)


def _text_evidence(cell: str, values: Sequence[str]) -> int:
    digits = [re.sub(r"\d+", "9", c) for c in (cell, *values)]
    if "9" in digits[0] and digits.count(digits[0]) - 1 >= NEARLY_ALL * len(values):
        return ROW  # ids such as LJ001-0001
    ends = [found[1].lower() if (found := SUFFIX.fullmatch(c)) else "" for c in (cell, *values)]
    if ends.count(ends[0]) - 1 >= NEARLY_ALL * len(values) and ends[0]:
        return ROW  # names of files
    words = [len(c.split()) for c in values]
    if cell.endswith(SENTENCE_END):
        return ROW if sum(c.endswith(SENTENCE_END) for c in values) >= 0.5 * len(values) else UNKNOWN
    if len(cell.split()) >= LONG and median(words) > SHORT and not cell.endswith(("?", ":")):
        return ROW
    if len(cell.split()) <= SHORT and sum(n > SHORT for n in words) >= NEARLY_ALL * len(words):
        return HEADER
    return UNKNOWN


def first_row_of_data(rows: Sequence[Sequence[str]], known: Collection[str] = ()) -> tuple[str, bool]:
    """Return why the first of these rows looks like a row of data, and whether nothing speaks against it.

    Returns ("", False) where it looks like a header, or where both are possible.

    known: names of columns that the user has chosen.
    """
    cells = [cell.strip() for cell in rows[0]]
    below = [row for row in rows[1:] if [cell.strip() for cell in row] != cells]  # files that were joined repeat it
    if not below or not set(cells).isdisjoint(known):
        return "", False
    columns = [[row[k].strip() for row in below if k < len(row) and row[k].strip()] for k in range(len(cells))]
    numbered = _is_sequence(cells, below)
    found = [UNKNOWN if k in numbered else evidence(cell, columns[k]) for k, cell in enumerate(cells)]
    shown = [k for k, e in enumerate(found) if e == ROW]
    against = HEADER in found or bool(numbered) or any(cell.lower() in NAMES for cell in cells)
    if not shown:
        return "", False
    repeated = next((k for k in shown if columns[k].count(cells[k]) >= max(2, len(below) // 100)), None)
    if against:
        if repeated is None or numbered or NUMBER.fullmatch(cells[repeated]):
            return "", False
        return (
            f"'{cells[repeated][:40]}' is in it and {columns[repeated].count(cells[repeated]):,} times below it",
            False,
        )
    decimals = [cell for cell in cells if re.fullmatch(r"[+-]?\d*[.,]\d+", cell)]
    if len(below) < 3 and not decimals:
        return "", False
    if repeated is not None:
        count = columns[repeated].count(cells[repeated])
        return f"'{cells[repeated][:40]}' is in it and {count:,} times in the rows below it", True
    return f"'{cells[shown[0]][:40]}' is like the cells below it", True


def _is_sequence(cells: Sequence[str], below: Sequence[Sequence[str]]) -> list[int]:
    """Return the numbers of the columns that a header numbers: 0, 1, 2, or the years 2019, 2020."""
    whole = [(k, int(cell)) for k, cell in enumerate(cells) if re.fullmatch(r"-?\d{1,9}", cell)]
    numbers = [n for _, n in whole]
    steps = {b - a for a, b in zip(numbers, numbers[1:], strict=False)}
    even = len(steps) == 1 and steps.pop() > 0 and (len(numbers) > 2 or numbers[0] in (0, 1))
    years = bool(numbers) and all(n in YEARS for n in numbers)
    if not even and not years:
        return []
    alike = sum(_same_steps(row, [k for k, _ in whole], years=years and not even) for row in below)
    return [k for k, _ in whole] if alike <= len(below) / 2 else []


def _same_steps(row: Sequence[str], columns: Sequence[int], *, years: bool) -> bool:
    """Return whether the cells of a row are such a sequence, too."""
    try:
        numbers = [int(row[k]) for k in columns]
    except (ValueError, IndexError):
        return False
    if years:
        return all(n in YEARS for n in numbers)
    steps = {b - a for a, b in zip(numbers, numbers[1:], strict=False)}
    return len(steps) == 1 and steps.pop() > 0


def resolve_header(records: Sequence[Record], name: str, options: ReadOptions) -> Header:
    """Return the header of a table by its first records, none of which is blank; without one, columns are numbered.

    name: of the file, for the findings.
    """
    if options.header is not None:
        number, cells = records[0]
        return Header([text_of(c) for c in cells], number, 1) if options.header else _numbered(records)
    header = find_header(records, name)
    if header.rows > 1:
        return header
    if len(records) > 3 and _is_title(records):
        number, cells = records[0]
        header = _numbered(records[1:])
        message = f"The table begins below a title, which was skipped (row {number}: '{text_of(cells[0])[:60]}'), "
        message += "and has no header. The columns are numbered."
        header.rows = 1
        header.findings.append(Finding("warning", "title-above", message, NAME_THEM, f"{name}, row {number}"))
        return header
    cells = [text_of(cell) for cell in records[0][1]]
    if options.columns and all(UNNAMED.fullmatch(c) for c in options.columns) and options.columns.isdisjoint(cells):
        why, certain = "no column of the training data has a name", True
    else:
        why, certain = first_row_of_data([[text_of(c) for c in cells] for _, cells in records], options.columns)
    if not why:
        return header
    if certain:
        header = _numbered(records)
        message = f"The table has no header: its first row was used as data, because {why}. The columns are numbered."
        hint, fix = NAME_THEM, Fix("The first row is the header", _header(True))
    else:
        message = f"The first row was used as the header, but it looks like data: {why}."
        hint, fix = "Add a header with the names of the columns above it.", Fix("Use it as data", _header(False))
    header.findings.append(Finding("warning", "no-header", message, hint, name, fix))
    return header


def _is_title(records: Sequence[Record]) -> bool:
    """Return whether the first record has one cell, and those below it several, the first of which is a row of data."""
    rows = [[text_of(cell) for cell in cells] for _, cells in records]
    widths = {len(row) for row in rows[1:]}
    return sum(map(bool, rows[0])) == 1 and len(widths) == 1 and widths.pop() > 2 and first_row_of_data(rows[1:])[1]


def _numbered(records: Sequence[Record]) -> Header:
    width = len(records[0][1])
    return Header([f"column {k}" for k in range(1, width + 1)], records[0][0], 0)


def _header(value: bool) -> dict[str, Any]:
    return {"options": {"header": value}}
