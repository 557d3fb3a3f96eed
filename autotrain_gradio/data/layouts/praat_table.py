"""Tables that Praat makes of TextGrids (tmin, tier, text, tmax) beside their audio.

Source of the format: Praat's manual, "TextGrid: Down to Table...", saved as a tab- or comma-separated file. Times are
seconds.
"""

from __future__ import annotations

import csv
import math
from functools import partial

from autotrain_gradio.data.layouts import tiers
from autotrain_gradio.data.layouts.tiers import Annotated, Interval, Tier, TierFormat
from autotrain_gradio.data.locations import report_examples

COLUMNS = ("tmin", "tier", "text", "tmax")


def _delimiter(header: str) -> str:
    return "\t" if "\t" in header else ","


def fits(head: str) -> bool:
    """Return whether the header has the columns of Praat."""
    header = head.partition("\n")[0]
    return set(COLUMNS) <= {name.strip(' "') for name in header.split(_delimiter(header))}


def _rows(lines: list[str], delimiter: str) -> csv.DictReader[str]:
    """Return the rows; Praat quotes texts in comma-separated files only."""
    if delimiter == ",":
        return csv.DictReader(lines)
    return csv.DictReader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)


def parse(text: str, name: str) -> Annotated:
    """Parse a table of intervals. Points, whose times are equal, are skipped."""
    lines = text.splitlines()
    delimiter = _delimiter(lines[0])
    found: dict[str, list[Interval]] = {}
    damaged: list[str] = []
    for number, row in enumerate(_rows(lines, delimiter), 2):
        try:
            start, end = float(row["tmin"]), float(row["tmax"])
            if not math.isfinite(start + end):
                raise ValueError("not a time")
        except (TypeError, ValueError):
            damaged.append(f"row {number}: {delimiter.join(str(v) for v in row.values())[:60]!r}")
            continue
        if end > start:
            found.setdefault(row["tier"] or "", []).append(Interval(start, end, row["text"] or ""))
    text, hint = "{n} {has} no start and end and {was} skipped", "Write seconds in tmin and tmax."
    findings = report_examples("warning", "annotation-damaged", text, damaged, "row", hint, name)
    return Annotated([Tier(tier, sorted(intervals)) for tier, intervals in found.items()], findings=findings)


FORMAT = TierFormat("Praat table", (".txt", ".tsv", ".csv", ".table"), parse, fits)
recognize = partial(tiers.recognize, format=FORMAT)
read = partial(tiers.read, format=FORMAT)
