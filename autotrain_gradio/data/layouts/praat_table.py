"""Tables that Praat makes of TextGrids (tmin, tier, text, tmax) beside their audio.

Source of the format: Praat's manual, "TextGrid: Down to Table...", saved as a tab- or comma-separated file. Times are
seconds.
"""

from __future__ import annotations

import csv
import io
import math
from functools import partial

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.data.layouts import tiers
from autotrain_gradio.data.layouts.tiers import Annotated, Interval, Tier, TierFormat
from autotrain_gradio.data.locations import report_examples

COLUMNS = ("tmin", "tier", "text", "tmax")


def _header(text: str) -> tuple[str, list[str]]:
    """Return the delimiter and the column names."""
    header = text.partition("\n")[0]
    delimiter = "\t" if "\t" in header else ","
    return delimiter, [name.strip(' "') for name in header.split(delimiter)]


def fits(head: str) -> bool:
    """Return whether the header has the columns of Praat."""
    return set(COLUMNS) <= set(_header(head)[1])


def parse(text: str, name: str) -> Annotated:
    """Parse a table of intervals. Points, whose times are equal, are skipped.

    Raises:
        DataError: it is not a valid table.
    """
    delimiter, names = _header(text)
    rows = csv.DictReader(
        io.StringIO(text.partition("\n")[2]),
        names,
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if delimiter == "," else csv.QUOTE_NONE,  # Praat quotes texts in such files only
    )
    try:
        return _annotated(rows, name)
    except csv.Error as error:
        hint = "Save the table again in Praat."
        raise DataError(f"The table of Praat is not valid CSV: {error}.", hint, name, "annotations-unclear") from None


def _annotated(rows: csv.DictReader[str], name: str) -> Annotated:
    found: dict[str, list[Interval]] = {}
    damaged: list[str] = []
    for row in rows:
        try:
            start, end = float(row["tmin"]), float(row["tmax"])
            if not math.isfinite(start + end):
                raise ValueError("not a time")
        except (TypeError, ValueError):
            damaged.append(f"row {rows.line_num + 1}: {' '.join(str(v) for v in row.values())[:60]!r}")
            continue
        if end > start:
            found.setdefault(row["tier"] or "", []).append(Interval(start, end, row["text"] or ""))
    text, hint = "{n} {has} no start and end and {was} skipped", "Write seconds in tmin and tmax."
    findings = report_examples("warning", "annotation-damaged", text, damaged, "row", hint, name)
    return Annotated([Tier(tier, sorted(intervals)) for tier, intervals in found.items()], findings=findings)


FORMAT = TierFormat("Praat table", (".txt", ".tsv", ".csv", ".table"), parse, fits)
recognize = partial(tiers.recognize, format=FORMAT)
read = partial(tiers.read, format=FORMAT)
