"""Parse tier-based exports: Praat TextGrids, and tables `tier_name,tier_type,start_time,end_time,text`.

Tiers are named `<level>-<script>-<element>`; parsed are tiers `sentence-<script>-transcription`. The name of the
script may contain a hyphen. Texts of a table are not quoted: lines are split at the first four delimiters. The same
table exists as JSON in the format of pandas' `orient="table"`, rows under `data`.
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
    """Whether a line is the header of a table of tiers."""
    delimiter = "\t" if "\t" in line else ","
    return tuple(c.strip().lower() for c in line.strip().split(delimiter)) == COLUMNS


def parse_json_rows(value: Any) -> list[dict[str, Any]]:
    """Return the rows of a table of tiers in JSON; an empty list for any other JSON."""
    rows = value.get("data") if isinstance(value, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(r, dict) for r in rows):
        return []
    return rows if set(COLUMNS) - {"tier_type"} <= set(rows[0]) else []


def parse_script(tier: str) -> str | None:
    """Return the script of a tier with sentence transcripts; None for other tiers."""
    level, _, rest = tier.strip().partition("-")
    script, _, element = rest.rpartition("-")
    return script if level == "sentence" and element == "transcription" and script else None


def read_segments(path: Path) -> list[Segment]:
    """Parse the file of one recording; texts of several scripts with equal times become one segment.

    Raises:
        ValueError: it cannot be parsed.
    """
    suffix = path.suffix.lower()
    if suffix == ".textgrid":
        return _group_by_time(_textgrid_entries(path))
    if suffix == ".json":
        rows = parse_json_rows(json.loads(path.read_bytes().decode("utf-8-sig")))
        return _group_by_time((r.get("tier_name"), r.get("start_time"), r.get("end_time"), r.get("text")) for r in rows)
    delimiter = "\t" if suffix == ".tsv" else ","
    parsed: list[list[str]] = []
    how, guessed = encoding.detect_encoding(path, "")
    if guessed:
        raise ValueError("not UTF-8")
    for line in path.read_text(encoding=how).split("\n")[1:]:
        cells = line.split(delimiter, 4)
        if len(cells) > 3 and (parse_script(cells[0]) or _is_number(cells[2]) or _is_number(cells[3])):
            parsed.append([*cells, ""][:5])
        elif line.strip() and parsed:
            parsed[-1][4] += f" {line.strip()}"  # a text with a line break: it is not quoted
    return _group_by_time((c[0], c[2], c[3], c[4]) for c in parsed)


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def _textgrid_entries(path: Path) -> Iterable[tuple[Any, Any, Any, Any]]:
    from praatio import textgrid
    from praatio.utilities.errors import PraatioException

    try:
        grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False, reportingMode="silence")
    except (PraatioException, LookupError, AssertionError, TypeError, AttributeError) as error:
        raise ValueError("not a TextGrid") from error
    for name in grid.tierNames:
        for entry in grid.getTier(name).entries:
            if len(entry) == 3:
                yield (name, *entry)


def _group_by_time(cells: Iterable[tuple[Any, Any, Any, Any]]) -> list[Segment]:
    found: dict[tuple[float, float, int], dict[str, str]] = {}
    bad = 0
    for tier, start, end, text in cells:
        script = parse_script(str(tier))
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
