"""Panels: plain data that every face can draw.

A profile of a dataset, a preview, sample predictions and a report are lists of panels. A worker
writes them as JSON; the page draws them as HTML, the command line as text. So a task that brings
its own preview needs no code in the page. Files in a panel are paths relative to the run directory.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from autotrain_gradio.core import text_alignment

Panel = dict[str, Any]
KINDS = ("numbers", "bars", "lines", "scatter", "matrix", "table", "gallery", "transcripts", "tokens", "markdown")


OVERVIEW = "Overview"
"""Title of a check's panel of counts, which the page shows above all else."""


def numbers(title: str, items: Mapping[str, Any], *, note: str = "") -> Panel:
    """A few named figures: label → number or short text."""
    return {
        "kind": "numbers",
        "title": title,
        "note": note,
        "items": [{"label": k, "value": v} for k, v in items.items()],
    }


def bars(
    title: str, labels: Sequence[str], series: Mapping[str, Sequence[float]], *, unit: str = "", note: str = ""
) -> Panel:
    """Horizontal bars: one group a label, one bar a series (each as long as `labels`), stacked."""
    for name, values in series.items():
        if len(values) != len(labels):
            raise ValueError(f"series {name!r} has {len(values)} values for {len(labels)} labels")
    return {
        "kind": "bars",
        "title": title,
        "note": note,
        "unit": unit,
        "labels": list(labels),
        "series": {k: list(v) for k, v in series.items()},
    }


def unit_of(panel: Mapping[str, Any], value: float) -> str:
    """Return a panel's unit as it follows a number: 2 rows, 1 row, 1 min; "" where there is none."""
    unit = str(panel.get("unit") or "")
    return unit[:-1] if value == 1 and len(unit) > 3 and unit.endswith("s") else unit


def lines(title: str, series: Mapping[str, Sequence[tuple[float, float]]], *, x: str = "step", y: str = "") -> Panel:
    """Line chart: name → points (x, y)."""
    return {
        "kind": "lines",
        "title": title,
        "x": x,
        "y": y,
        "series": {k: [list(p) for p in v] for k, v in series.items()},
    }


def scatter(
    title: str, points: Sequence[tuple[float, float]], *, x: str, y: str, line: str = "", note: str = ""
) -> Panel:
    """Points (x, y); line: `diagonal` (where x equals y), `zero` (where y is 0), or none."""
    if line not in ("", "diagonal", "zero"):
        raise ValueError(f"there is no line {line!r}")
    return {
        "kind": "scatter",
        "title": title,
        "note": note,
        "x": x,
        "y": y,
        "line": line,
        "points": [list(p) for p in points],
    }


def matrix(
    title: str, labels: Sequence[str], values: Sequence[Sequence[int]], *, rows: str, columns: str, note: str = ""
) -> Panel:
    """Square matrix such as a confusion matrix; `values[i][j]`: row i, column j."""
    return {
        "kind": "matrix",
        "title": title,
        "note": note,
        "labels": list(labels),
        "values": [list(r) for r in values],
        "rows": rows,
        "columns": columns,
    }


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, note: str = "") -> Panel:
    """Table of short values; the first column names the row."""
    return {"kind": "table", "title": title, "note": note, "columns": list(columns), "rows": [list(r) for r in rows]}


AUDIO = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a")
"""Extensions of files that are shown as players."""


def gallery(title: str, items: Sequence[Mapping[str, Any]], *, note: str = "") -> Panel:
    """Pictures and sounds: each item has `file`, and may have `caption`, `group`, `tone` ("good" or "bad").

    A file with an extension of `AUDIO` is a player; its item may have `detail` too, a few words below the caption.
    """
    return {"kind": "gallery", "title": title, "note": note, "items": [dict(i) for i in items]}


def transcripts(title: str, rows: Sequence[Mapping[str, Any]], *, note: str = "") -> Panel:
    """What was said beside what was recognised, with the differences marked.

    rows: each has `reference` and `prediction`, and may have `file` (a player), `wer` and `cer` (shares, not
    percentages), `caption` (a few words, such as the speaker). The differences are found here, once.
    """
    kept = []
    for row in rows:
        parts: list[dict[str, Any]] = []
        for operation, before, after in text_alignment.words(str(row["reference"]), str(row["prediction"])):
            part: dict[str, Any] = {"is": operation, "reference": before, "prediction": after}
            if operation == "swap":
                part["characters"] = text_alignment.characters(before, after)
            parts.append(part)
        kept.append({**row, "parts": parts})
    return {"kind": "transcripts", "title": title, "note": note, "rows": kept}


def tokens(title: str, items: Sequence[Mapping[str, Any]], *, note: str = "") -> Panel:
    """Texts split into tokens: each item has `label`, `read` and `cut` (the tokens that a model reads, and those that
    are cut off), `more`, the number of tokens that are not listed, and perhaps `rtl`: they are read from right to left.
    """
    return {"kind": "tokens", "title": title, "note": note, "items": [dict(i) for i in items]}


def markdown(text: str, *, title: str = "") -> Panel:
    """Prose of ours. Never put a user's text here: it would be rendered."""
    return {"kind": "markdown", "title": title, "text": text}


def in_unit(unit: str) -> str:
    """Say in what a number is: `in €`; of a rating by how much there is at most: `out of 5`."""
    if unit.startswith("/") and unit[1:].strip().isdigit():
        return f"out of {unit[1:].strip()}"
    return unit if re.match(r"\D+ \d", unit) else f"in {unit}"
