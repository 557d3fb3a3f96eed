"""Tab-delimited exports of ELAN (.txt) beside their audio.

Source of the format: ELAN's manual, "Exporting a document to a tab-delimited text file". Without a header, a line has
tier, participant, times and text; with "separate column for each tier" there is a header, and a column for each tier.
Times have the formats chosen in the dialog, `00:01:02.500`, seconds (`62.5`) and milliseconds (`62500`): a column of
begin, end and duration in each.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.layouts import tiers
from autotrain_gradio.data.layouts.tiers import Annotated, Interval, Tier, TierFormat
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.values.durations import clock_seconds

SUFFIXES = (".txt", ".tsv", ".csv")
FORMS = {"clock": r"\d{1,4}:\d\d:\d\d[.,]\d+", "seconds": r"\d+[.,]\d+", "milliseconds": r"\d+"}
BEGIN = re.compile(r"begin time", re.IGNORECASE)
END = re.compile(r"end time", re.IGNORECASE)
OTHER = re.compile(r"(begin|end) time|duration|tier|participant|annotation|file|media|#", re.IGNORECASE)
"""Prefixes of column names that are not names of tiers."""
FILE = re.compile(r".+\.eaf", re.IGNORECASE)


@dataclass(frozen=True)
class _Columns:
    """Numbers of the columns. texts: name of the tier → its column; tier: the column that names the tier, or None."""

    begin: int
    end: int
    form: str
    texts: dict[str, int]
    tier: int | None = None
    participant: int | None = None
    header: bool = False


def fits(head: str) -> bool:
    """Return whether the first lines are an export."""
    rows = [row for _, row in _rows(head)]
    return len(rows) > 1 and _columns(rows) is not None


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Return number and cells of the lines that hold data; ELAN begins others, such as the file's name, with #."""
    lines = enumerate(text.split("\n"), 1)
    return [(n, line.split("\t")) for n, line in lines if line.strip() and not line.startswith(('"#', "#"))]


def _form(cells: Sequence[str]) -> str:
    """Return the common time format of these cells, one of `FORMS`; "" if they are not times."""
    return next((form for form in FORMS if not any(math.isnan(_seconds(cell, form)) for cell in cells)), "")


def _columns(rows: list[list[str]]) -> _Columns | None:
    """Find the columns of begin, end and text by the header, or else by the cells."""
    header, below = rows[0], rows[1:]
    begins = [k for k, name in enumerate(header) if BEGIN.match(name.strip())]
    named = bool(begins)
    body = [_padded(row, len(header)) for row in (below if named else rows) if len(row) >= min(4, len(header))]
    forms = [_form([row[k] for row in body]) for k in range(len(header))] if body else []
    if named:
        ends = [k for k, name in enumerate(header) if END.match(name.strip())]
        pairs = [(b, e) for b in begins for e in ends if forms and forms[b] and forms[b] == forms[e]]
        texts = {name.strip(): k for k, name in enumerate(header) if name.strip() and not OTHER.match(name.strip())}
        words = {name.strip().lower(): k for k, name in enumerate(header)}
        tier = words.get("tier")
        if tier is not None and "annotation" in words:
            texts = {"": words["annotation"]}
        return _Columns(*pairs[0], forms[pairs[0][0]], texts, tier, words.get("participant"), True) if pairs else None
    begin = 2 if len(forms) > 2 and forms[2] else 1
    after = next((k for k in range(begin, len(forms)) if not forms[k]), None)
    if after is None or after == begin or forms[0]:
        return None
    form = forms[begin]
    for end in (k for k in range(begin + 1, after) if forms[k] == form):  # of the durations, one is shorter
        if all(_seconds(row[end], form) > _seconds(row[begin], form) for row in body):
            return _Columns(begin, end, form, {"": after}, 0, 1 if begin == 2 else None)
    return None


def _padded(row: list[str], width: int) -> list[str]:
    return row + [""] * (width - len(row))


def _seconds(cell: str, form: str) -> float:
    """Return a time in seconds; NaN if it does not have this format."""
    cell = cell.strip()
    if re.fullmatch(FORMS[form], cell) is None:
        return math.nan
    if form == "clock":
        return clock_seconds(cell)
    return float(cell.replace(",", ".")) / (1000 if form == "milliseconds" else 1)


def parse(text: str, name: str) -> Annotated:
    """Parse an export of one ELAN file.

    Raises:
        DataError: begin, end and text are not found, or it holds the annotations of several files.
    """
    rows = _rows(text)
    columns = _columns([row for _, row in rows[:100]])
    if columns is None:
        hint = "Export it again, with begin time, end time and the annotations."
        raise DataError("Begin, end and text of the annotations were not found.", hint, name, "annotations-unclear")
    files = sorted({c.strip() for _, row in rows for c in row if FILE.fullmatch(c.strip()) and "/" not in c})
    if len(files) > 1:
        message = f"The export holds the annotations of {len(files)} files: {join_examples(files)}."
        hint = "Export each file on its own, under the name of its recording."
        raise DataError(message, hint, name, "annotations-of-several-files")
    found: dict[str, list[Interval]] = {}
    speakers: dict[str, str] = {}
    damaged: list[str] = []
    width = len(rows[0][1])
    for number, cells in rows[1:] if columns.header else rows:
        row = _padded(cells, width)
        start, end = (_seconds(row[k], columns.form) for k in (columns.begin, columns.end))
        if math.isnan(start + end):
            damaged.append(f"row {number}: {' '.join(cells)[:60]!r}")
            continue
        for tier, column in columns.texts.items():
            tier = row[columns.tier].strip() if columns.tier is not None else tier
            if row[column].strip():
                found.setdefault(tier, []).append(Interval(start, end, row[column]))
                if columns.participant is not None and row[columns.participant].strip():
                    speakers.setdefault(tier, row[columns.participant].strip())
    text, hint = "{n} {has} no begin and end time and {was} skipped", "Export the annotations again."
    findings = report_examples("warning", "annotation-damaged", text, damaged, "row", hint, name)
    return Annotated([Tier(t, sorted(i), speakers.get(t)) for t, i in found.items()], findings=findings)


FORMAT = TierFormat("ELAN export", SUFFIXES, parse, fits)
recognize = partial(tiers.recognize, format=FORMAT)
read = partial(tiers.read, format=FORMAT)
