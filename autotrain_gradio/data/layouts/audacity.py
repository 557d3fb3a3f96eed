"""Label tracks of Audacity (.txt) beside their audio.

Source of the format: Audacity's manual, "Importing and Exporting Labels": start and end in seconds and the text between
tabs; a label with a range of frequencies has a second line, which begins with a backslash. Times have the decimal mark
of the computer's language.
"""

from __future__ import annotations

import re
from functools import partial

from autotrain_gradio.data.layouts import tiers
from autotrain_gradio.data.layouts.tiers import Annotated, Interval, Tier, TierFormat
from autotrain_gradio.data.locations import report_examples

LABEL = re.compile(r"\s*(\d+(?:[.,]\d+)?)\t\s*(\d+(?:[.,]\d+)?)(?:\t(.*))?")


def fits(head: str) -> bool:
    """Return whether the first lines are labels: two times with decimals and a text."""
    lines = [line for line in head.split("\n") if line.strip() and not line.startswith("\\")]
    labels = [found for line in lines if (found := LABEL.fullmatch(line))]
    decimals = any(re.search("[.,]", time) for found in labels for time in found.groups()[:2])
    return decimals and len(labels) > 0.9 * len(lines)


def parse(text: str, name: str) -> Annotated:
    """Parse a label track. Labels without a duration mark a moment, and are skipped."""
    intervals, damaged, moments = [], [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("\\"):
            continue
        found = LABEL.fullmatch(line)
        if found is None:
            damaged.append(f"row {number}: {line.strip()[:60]!r}")
            continue
        start, end = (float(time.replace(",", ".")) for time in found.groups()[:2])
        if end > start:
            intervals.append(Interval(start, end, found[3] or ""))
        else:
            moments.append(f"row {number}: {(found[3] or '')[:60]!r}")
    text, hint = "{n} {has} no start and end and {was} skipped", "Write: start, tab, end, tab, text."
    findings = report_examples("warning", "label-damaged", text, damaged, "line", hint, name)
    text, hint = "{n} {marks} a moment, not a segment, and {was} skipped", "Select the speech before you add a label."
    findings += report_examples("warning", "label-of-moment", text, moments, "label", hint, name)
    return Annotated([Tier("", intervals)], findings=findings)


FORMAT = TierFormat("Audacity label", (".txt",), parse, fits)
recognize = partial(tiers.recognize, format=FORMAT)
read = partial(tiers.read, format=FORMAT)
