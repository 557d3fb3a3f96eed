"""Times of the day and durations: 14:30, 2:30:15 PM."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

UNIT = "h"
_TIME = r"^(?P<h>\d{1,3}):(?P<m>[0-5]\d)(?::(?P<s>[0-5]\d(?:[.,]\d+)?))?(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?$"
NEARLY_ALL = 0.9
_POSITION = re.compile(r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)")


def clock_seconds(text: str) -> float:
    """Return the seconds of a position in a recording: minutes and seconds, perhaps with hours (1:02:03.5, 02:03,5).

    NaN if the text is not one.
    """
    found = _POSITION.fullmatch(text.strip())
    if found is None:
        return math.nan
    return int(found[1] or 0) * 3600 + int(found[2]) * 60 + float(found[3].replace(",", "."))


def are_times(text: pa.ChunkedArray) -> bool:
    """Return whether nearly all of these texts are times, and either all have seconds or none: else 1:30 may be two."""
    found = pc.match_substring_regex(text, _TIME)
    count, seconds = int(pc.sum(found).as_py() or 0), pc.match_substring_regex(text, r":\d\d:")
    return count > 0 and count >= NEARLY_ALL * len(text) and int(pc.sum(seconds).as_py()) in (0, count)


def hours(text: pa.ChunkedArray) -> Any:
    """Return the hours of each text (numpy float64), NaN if it is not a time."""
    parts = pc.extract_regex(text, _TIME)

    def part(name: str) -> Any:
        found = pc.replace_substring(pc.struct_field(parts, name), ",", ".")
        filled = pc.if_else(pc.equal(found, ""), "0", found)
        return pc.cast(filled, pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)

    half = pc.fill_null(pc.utf8_lower(pc.struct_field(parts, "half")), "")
    whole = part("h")
    afternoon, morning = (np.asarray(pc.equal(half, letter).to_numpy(zero_copy_only=False), bool) for letter in "pa")
    whole[afternoon & (whole < 12)] += 12
    whole[morning & (whole == 12)] = 0
    return whole + part("m") / 60 + part("s") / 3600
