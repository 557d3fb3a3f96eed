"""Exports by tiers: Praat TextGrids, and tables `tier_name,tier_type,start_time,end_time,text`.

A tier is named `<level>-<script>-<element>`; what is read is `sentence-<script>-transcription`. The script itself may
have a hyphen. Texts of a table are not quoted: a line is split at its first four delimiters only. The same table comes
as JSON in the form of pandas' `orient="table"`, rows under `data`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from autotrain_gradio.data.files import encoding
from autotrain_gradio.extensions.life.documents import Segment

COLUMNS = ("tier_name", "tier_type", "start_time", "end_time", "text")


def is_header(line: str) -> bool:
    """Say whether a line is the header of a table of tiers."""
    delimiter = "\t" if "\t" in line else ","
    return tuple(c.strip().lower() for c in line.strip().split(delimiter)) == COLUMNS


def rows_of_json(value: Any) -> list[dict[str, Any]]:
    """Return the rows of a table of tiers as JSON; none for any other JSON."""
    rows = value.get("data") if isinstance(value, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(r, dict) for r in rows):
        return []
    return rows if set(COLUMNS) - {"tier_type"} <= set(rows[0]) else []


def script_of(tier: str) -> str | None:
    """Return the script of a tier that holds transcripts of sentences, None for others."""
    level, _, rest = tier.strip().partition("-")
    script, _, element = rest.rpartition("-")
    return script if level == "sentence" and element == "transcription" and script else None


def segments_of(path: Path) -> list[Segment]:
    """Read one recording's file; texts of several scripts at the same times become one segment.

    Raises:
        ValueError: it cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix == ".textgrid":
        return _joined(_textgrid(path))
    if suffix == ".json":
        rows = rows_of_json(json.loads(path.read_bytes().decode("utf-8-sig")))
        return _joined((r.get("tier_name"), r.get("start_time"), r.get("end_time"), r.get("text")) for r in rows)
    delimiter = "\t" if suffix == ".tsv" else ","
    made: list[list[str]] = []
    how, guessed = encoding.detect_encoding(path, "")
    if guessed:
        raise ValueError("not UTF-8")
    for line in path.read_text(encoding=how).split("\n")[1:]:
        cells = line.split(delimiter, 4)
        if len(cells) > 3 and (script_of(cells[0]) or _is_number(cells[2]) or _is_number(cells[3])):
            made.append([*cells, ""][:5])
        elif line.strip() and made:
            made[-1][4] += f" {line.strip()}"  # a text with a line break: it is not quoted
    return _joined((c[0], c[2], c[3], c[4]) for c in made)


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def _textgrid(path: Path) -> Iterable[tuple[Any, Any, Any, Any]]:
    from praatio import textgrid
    from praatio.utilities.errors import PraatioException

    try:
        grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False, reportingMode="silence")
    except (PraatioException, LookupError, AssertionError, TypeError, AttributeError) as error:
        raise ValueError("no TextGrid") from error
    for name in grid.tierNames:
        for entry in grid.getTier(name).entries:
            if len(entry) == 3:
                yield (name, *entry)


def _joined(cells: Iterable[tuple[Any, Any, Any, Any]]) -> list[Segment]:
    found: dict[tuple[float, float, int], dict[str, str]] = {}
    bad = 0
    for tier, start, end, text in cells:
        script = script_of(str(tier))
        if script is None:
            continue
        try:
            times = (float(start), float(end), 0)
            if not all(map(math.isfinite, times)):
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            bad += 1
            times = (-1.0, -1.0, bad)
        while script in found.setdefault(times, {}):  # the same times twice in one tier: both are kept
            times = (*times[:2], times[2] + 1)
        found[times][script] = str(text if text is not None else "").strip()
    return [Segment(start, end, None, texts) for (start, end, _), texts in sorted(found.items())]
