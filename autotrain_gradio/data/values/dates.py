"""Parsing of dates: columns of a date type, and text in common formats.

Not with a library: dateparser takes 10 to 600 ms for each value, takes `12`, `May`, `A4` and `today` for dates near
today, so that a row would mean something else when it is predicted; pandas and dateutil know English months alone,
parse `1.2.3` and `May` as dates of the years 2003 and 1, and do not report which order of day and month was used.

A time with a time zone is converted to UTC, one without is kept, so that a row is parsed the same by itself, when it is
predicted, and among others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.data.values import month_names
from autotrain_gradio.data.values.arrow_columns import encode, is_text, is_true, matches

UTC = "UTC"
RESEMBLING = (
    r"^(?:19|20)\d{2}[-/. ]?(?:W\d|Q[1-4]|(?:0[1-9]|1[0-2])(?:[-/. ]?(?:[0-2]\d|3[01]))?(?:\D|$))|"
    r"^\d{1,2}[-/. ]\d{1,2}[-/. ](?:19|20)\d{2}(?:\D|$)"
)
"""The beginning of a text that may be a date."""
DAY_FIRST, MONTH_FIRST = "31/05/2024", "05/31/2024"
_TIME = (
    ("", ""),
    (r"[T ]\d{1,2}:\d{2}", " %H:%M"),
    (r"[T ]\d{1,2}:\d{2}:\d{2}", " %H:%M:%S"),
    (r" \d{1,2}:\d{2} [AaPp][Mm]", " %I:%M %p"),
    (r" \d{1,2}:\d{2}:\d{2} [AaPp][Mm]", " %I:%M:%S %p"),
)
_DAYS = (
    ("2024-05-31", r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d"),
    ("2024/05/31", r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d"),
    ("2024.05.31", r"\d{4}\.\d{1,2}\.\d{1,2}", "%Y.%m.%d"),
    ("31.05.2024", r"\d{1,2}\.\d{1,2}\.\d{4}", "%d.%m.%Y"),
    (DAY_FIRST, r"\d{1,2}/\d{1,2}/\d{4}", "%d/%m/%Y"),
    (MONTH_FIRST, r"\d{1,2}/\d{1,2}/\d{4}", "%m/%d/%Y"),
    ("31-05-2024", r"\d{1,2}-\d{1,2}-\d{4}", "%d-%m-%Y"),
    ("31 May 2024", r"\d{1,2} [A-Za-z]{3,9} \d{4}", "%d %b %Y"),
    ("20240531", r"(19|20)\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01])", "%Y%m%d"),
)
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?"
_NAMED = {
    **{"EST": "-05:00", "EDT": "-04:00", "CST": "-06:00", "CDT": "-05:00", "MST": "-07:00", "MDT": "-06:00"},
    **{"PST": "-08:00", "PDT": "-07:00", "AKST": "-09:00", "AKDT": "-08:00", "HST": "-10:00", "WET": UTC},
    **{"WEST": "+01:00", "CET": "+01:00", "CEST": "+02:00", "MEZ": "+01:00", "MESZ": "+02:00", "EET": "+02:00"},
    **{"EEST": "+03:00", "MSK": "+03:00", "JST": "+09:00", "AEST": "+10:00", "AEDT": "+11:00"},
}
"""Names of time zones that mean one offset; IST and BST mean several. CST is that of America."""
_OFFSET = r"Z|(?:UTC|GMT)?[+-](?:0\d|1[0-4])(?::?[0-5]\d)?|(?:UTC|GMT)[+-]\d(?::[0-5]\d)?|UTC|GMT|" + "|".join(_NAMED)
BETWEEN = rf"(\d)(?:,? (?:um |at |à |- |– )?|, ?|[-_])({_CLOCK}.*?)(?: Uhr)?$"
"""A time at the end of a date, with an optional separator: 31.12.2024 um 10:30 Uhr, 2024-12-31-10:30."""
CLOCK = rf"(\d)[T ]+({_CLOCK})([.,]\d+)?( [AaPp][Mm])?(?: ?(?:{_OFFSET}))?$"
"""The same, perhaps with its zone; fractions of seconds are dropped."""
_WEEKDAY = (
    r"(?:(?:Mon|Tue|Tues|Wed|Thu|Fri|Sat|Sun)(?:day|sday|nesday|rsday|urday)?|"
    r"(?:Mo|Di|Mi|Do|Fr|Sa|So)(?:ntag|nntag|enstag|ttwoch|nnerstag|eitag|mstag|nnabend)?)\.?,? +"
)
YEARS = ((r"[0-5]\d|6[0-8]", "20"), (r"69|[7-9]\d", "19"))
"""Two digits of a year, and those before them, as POSIX has it."""
MONTHS = ((r"^(\d{4})[-/](0[1-9]|1[0-2])$", r"\1-\2-01"), (r"^(0[1-9]|1[0-2])[./](\d{4})$", r"\2-\1-01"))
"""A month alone, 2024-05 or 05/2024, is its first day."""
ZONE = rf":\d{{2}}(?:[.,]\d+)?(?: [AaPp][Mm])? ?(?P<zone>{_OFFSET})$"
SAMPLE = 1000
UNLIKE = 0.05
"""Share of those cells that need not be dates."""


@dataclass
class Dates:
    """One value a row, all numpy: `values` (datetime64[us], NaT where there is none).

    missing: nothing there. unreadable: no date. ways: how the dates are written → rows, most frequent first.
    unclear: every date could have its month first or its day first; the day was taken. zones: time zone (`UTC`,
    `+02:00`, or that of a column's type) → rows whose moment was written in it; all moments are in UTC.
    """

    values: Any
    missing: Any
    unreadable: Any
    ways: dict[str, int] = field(default_factory=dict)
    unclear: bool = False
    zones: dict[str, int] = field(default_factory=dict)


def is_date(type_: pa.DataType) -> bool:
    """Return whether a column's type is one of dates."""
    return bool(pa.types.is_date(type_) or pa.types.is_timestamp(type_))


def looks_like_dates(sample: pa.ChunkedArray) -> bool:
    """Return whether nearly all of the first of these texts are written as dates."""
    found = parse(sample.slice(0, SAMPLE))
    few = np.count_nonzero(found.unreadable) <= UNLIKE * len(found.values)
    return len(found.values) > 0 and few and "20240531" not in found.ways


def resembles_dates(sample: pa.ChunkedArray) -> bool:
    """Return whether nearly all texts begin like dates, in whatever form: 2024-Q1, 2024W05, 20240531T1030."""
    found = matches(sample.slice(0, SAMPLE), RESEMBLING)
    return len(found) > 0 and float(found.mean()) >= 1 - UNLIKE


def are_months(sample: pa.ChunkedArray) -> bool:
    """Return whether texts that could be numbers are months: 05.2024, each with two digits for the month."""
    found = pc.match_substring_regex(sample.slice(0, SAMPLE), r"^(0[1-9]|1[0-2])\.(19|20)\d{2}$")
    return len(found) > 0 and bool(pc.all(found).as_py())


def parse(column: pa.ChunkedArray, first: str = "") -> Dates:
    """Parse every cell as a date, with or without a time; invalid ones are marked.

    first: what is first in 01/02/2024, `day` or `month`; "": inferred from the other cells.
    """
    if is_date(column.type):
        values = column.cast(pa.timestamp("us"), safe=False).to_numpy().astype("datetime64[us]")
        missing = np.isnat(values)
        zone = getattr(column.type, "tz", None)  # Arrow keeps such moments in UTC
        zones = {zone: int((~missing).sum())} if zone else {}
        return Dates(values, missing, np.zeros(len(values), dtype=bool), zones=zones)
    if not is_text(column.type):
        column = column.cast(pa.string())
    distinct, codes = encode(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(distinct))
    found = _parse_distinct(pc.utf8_trim_whitespace(distinct), counts, first)
    found.values = np.append(found.values, np.datetime64("NaT"))[codes]
    found.missing, found.unreadable = np.append(found.missing, True)[codes], np.append(found.unreadable, False)[codes]
    return found


def _parse_distinct(text: pa.Array, counts: Any, first: str) -> Dates:
    """Parse texts without spaces around them. counts: rows of each (numpy). first: as for `parse`."""
    text = month_names.in_english(pc.replace_substring_regex(text, f"^{_WEEKDAY}", ""))
    for month, day in MONTHS:
        text = pc.replace_substring_regex(text, month, day)
    zone = _zones(text)
    text = pc.replace_substring_regex(text, BETWEEN, r"\1 \2")
    text = pc.replace_substring_regex(text, CLOCK, r"\1 \2\4")
    for years, century in YEARS:
        text = pc.replace_substring_regex(
            text, rf"^(\d{{1,2}}(?:[/.]\d{{1,2}}[/.]| \pL+ ))({years})( |$)", rf"\1{century}\2\3"
        )
    empty = ~is_true(pc.greater(pc.utf8_length(text), 0))
    values = np.full(len(text), np.datetime64("NaT"), dtype="datetime64[us]")
    result = Dates(values, empty, ~empty)
    slashes: dict[str, Any] = {}
    for name, day, format_ in _DAYS:
        for time, time_format in _TIME:
            wanted = matches(text, f"^{day}{time}$") & result.unreadable
            if not wanted.any():
                continue
            found = _strptime(text, wanted, format_ + time_format)
            if name in {DAY_FIRST, MONTH_FIRST}:
                slashes[name] = np.where(np.isnat(found), slashes.get(name, found), found)
            else:
                _take(result, name, found, counts)
    _take_slashes(result, slashes, counts, first)
    result.ways = dict(sorted(result.ways.items(), key=lambda way: -way[1]))
    for name, rows in zone.items():
        rows = rows[~np.isnat(result.values[rows])]
        if len(rows):
            result.values[rows] -= np.timedelta64(_minutes(name), "m")
            result.zones[name] = int(counts[rows].sum())
    result.zones = dict(sorted(result.zones.items(), key=lambda zone: -zone[1]))
    return result


def _zones(text: pa.Array) -> dict[str, Any]:
    """Return time zone → texts in which it follows a time (numpy)."""
    rows = np.flatnonzero(matches(text, ZONE))
    zones: dict[str, list[int]] = {}
    written = pc.struct_field(pc.extract_regex(text.take(rows), ZONE), "zone")
    for row, zone in zip(rows.tolist(), written.to_pylist(), strict=True):
        zones.setdefault(_zone(zone), []).append(row)
    return {name: np.array(of) for name, of in zones.items()}


def _zone(written: str) -> str:
    """Return a zone as `+02:00`, or `UTC`."""
    written = _NAMED.get(written, written)
    found = re.search(r"([+-])(\d{1,2}):?(\d{2})?$", written)
    if not found or int(found[2]) == int(found[3] or 0) == 0:
        return UTC
    return f"{found[1]}{found[2]:0>2}:{found[3] or '00'}"


def _minutes(zone: str) -> int:
    if zone == UTC:
        return 0
    return (60 * int(zone[1:3]) + int(zone[4:])) * (-1 if zone[0] == "-" else 1)


def _take_slashes(result: Dates, found: dict[str, Any], counts: Any, first: str) -> None:
    """Choose the order of day and month in dates with slashes: the given one, or the one that is valid in more rows."""
    rows = {name: int(counts[~np.isnat(values)].sum()) for name, values in found.items()}
    result.unclear = not first and len(rows) == 2 and len(set(rows.values())) == 1
    given = {"day": DAY_FIRST, "month": MONTH_FIRST}.get(first)
    for name in sorted(rows, key=lambda n: (n != given, -rows[n])):
        _take(result, name, np.where(result.unreadable, found[name], np.datetime64("NaT")), counts)


def _take(result: Dates, name: str, found: Any, counts: Any) -> None:
    good = ~np.isnat(found)
    result.values[good] = found[good]
    result.unreadable &= ~good
    if good.any():
        result.ways[name] = result.ways.get(name, 0) + int(counts[good].sum())


def _strptime(text: pa.Array, rows: Any, format_: str) -> Any:
    """Return the dates of these texts (datetime64[us]), NaT elsewhere and for invalid days: 31/02/2024."""
    values = np.full(len(text), np.datetime64("NaT"), dtype="datetime64[us]")
    found = pd.to_datetime(pd.Series(text.filter(pa.array(rows)).to_pylist()), format=format_, errors="coerce")
    values[rows] = found.to_numpy().astype("datetime64[us]")
    return values
