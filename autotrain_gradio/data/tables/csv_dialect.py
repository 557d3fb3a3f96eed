"""The dialect of a delimited text: its delimiter, a first line that names it, and what its quotes mean."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.data.tables.csv_quotes import Quotes, detect_quotes

DELIMITERS = ",;\t|"
NO_DELIMITER = "\x1f"
"""Delimiter of a file with one column whose texts contain all others."""
SPACE = " "
SCANNED = 50
"""Lines at the beginning from which the delimiter is detected."""
NEARLY_ALL = 0.9
SEPARATOR_LINE = re.compile(r'"?sep=(\\t|[^"\r\n])"?[,;\t| ]*(?:\r\n|\r|\n|$)', re.IGNORECASE)
"""The first line that Excel writes and reads: `sep=;`."""


@dataclass
class Dialect:
    """separator_line: the first line names the delimiter, and is not a row of the table."""

    delimiter: str
    separator_line: bool = False
    quotes: Quotes = "enclosing"
    findings: list[Finding] = field(default_factory=list)


def detect_dialect(path: Path, name: str, codec: str, head: str, delimiter: str | None, quotes: Any = None) -> Dialect:
    """Detect the dialect of a file.

    head: its first characters. delimiter: the default of its extension, or None. quotes: whether they enclose cells;
    None: it is detected.
    """
    found = SEPARATOR_LINE.match(head)
    if found:
        dialect = Dialect(found[1].replace("\\t", "\t"), separator_line=True)
        shown = found[0].rstrip("\r\n").replace("\t", "\\t")
        message = f"The first line, '{shown}', names the delimiter and was skipped."
        dialect.findings.append(Finding("info", "delimiter-line", message, "", f"{name}, row 1"))
    else:
        dialect = Dialect(delimiter if delimiter and delimiter in head else find_delimiter(head))
    if quotes is not None:
        dialect.quotes = "enclosing" if quotes else "literal"
    elif dialect.delimiter != SPACE:
        dialect.quotes, findings = detect_quotes(path, name, codec, head, dialect.delimiter)
        dialect.findings += findings
    return dialect


def find_delimiter(text: str) -> str:
    """Return the delimiter that splits the most lines into the same number of cells, more than one.

    Spaces delimit only where they split every line alike, as in files of R. Without any, the lines are one column.
    """
    lines = [line for line in text.splitlines()[:SCANNED] if line.strip()]
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):  # an open quote may join all lines
        scores = {
            delimiter: _score(list(csv.reader(lines, delimiter=delimiter, quoting=quoting))) for delimiter in DELIMITERS
        }
        best = max(DELIMITERS, key=lambda d: scores[d])
        if scores[best] > (0, 0):
            return best
    if _split_by_spaces(lines):
        return SPACE
    return next((d for d in DELIMITERS if d not in text), NO_DELIMITER)


def _score(rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """Return how many rows have the same number of cells, more than one, and that number; (0, 0) where few have it."""
    widths = Counter(len(row) for row in rows)
    if not widths:
        return 0, 0
    first = len(rows[0])
    # The header decides; one of fewer cells than nearly all rows lacks the name of a column, or is a title.
    width = (
        first if first > 1 and widths[first] > 1 or len(rows) == 1 else max(widths, key=lambda w: (w > 1, widths[w]))
    )
    if width < 2 or (first == 1 and widths[width] < NEARLY_ALL * (len(rows) - 1)):
        return 0, 0
    if (first == 1 or widths[width] < len(rows) / 2) and all(c.startswith(" ") for row in rows for c in row[1:]):
        return 0, 0  # a column of texts with commas
    return widths[width], width


def _split_by_spaces(lines: Sequence[str]) -> bool:
    rows = list(csv.reader([line.strip() for line in lines], delimiter=SPACE, skipinitialspace=True))
    if len(rows) < 3:
        return False
    width = len(rows[-1])
    if width < 2 or len(rows[0]) not in (width, width - 1) or any(len(row) != width for row in rows[1:]):
        return False
    return any(all(re.fullmatch(r"[+-]?[\d.,]+(e[+-]?\d+)?|NA", row[k]) for row in rows[1:]) for k in range(width))
