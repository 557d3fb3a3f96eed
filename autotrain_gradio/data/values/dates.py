"""Dates out of cells: of date columns as they are, of text in the usual ways of writing them.

A moment with a time zone is brought to UTC, one without stays as it is: so a row means the same by itself, when it is
predicted, and among others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from string import ascii_letters
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.data.values import month_names
from autotrain_gradio.data.values.arrow_columns import (
    begin_with,
    blank,
    bytes_of,
    encode,
    is_text,
    is_true,
    pick,
    trimmed,
)
from autotrain_gradio.data.values.letter_classes import LETTER

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
_OFFSET = r"Z|(?:UTC|GMT)?[+-](?:0\d|1[0-4])(?::?[0-5]\d)?|(?:UTC|GMT)[+-]\d(?::[0-5]\d)?|UTC|GMT"
BETWEEN = rf"(\d)(?:,? (?:um |at |à |- |– )?|, ?)({_CLOCK}.*?)(?: Uhr)?$"
"""A time at the end of a date, with what may stand between them: 31.12.2024 um 10:30 Uhr."""
CLOCK = rf"(\d)[T ]+({_CLOCK})([.,]\d+)?( [AaPp][Mm])?(?: ?(?:{_OFFSET}))?$"
"""The same, perhaps with its zone; fractions of seconds are left away."""
_WEEKDAY = (
    r"(?:(?:Mon|Tue|Tues|Wed|Thu|Fri|Sat|Sun)(?:day|sday|nesday|rsday|urday)?|"
    r"(?:Mo|Di|Mi|Do|Fr|Sa|So)(?:ntag|nntag|enstag|ttwoch|nnerstag|eitag|mstag|nnabend)?)\.?,? +"
)
YEARS = ((r"[0-5]\d|6[0-8]", "20"), (r"69|[7-9]\d", "19"))
"""Two digits of a year, and those before them, as POSIX has it."""
MONTHS = ((r"^(\d{4})[-/](0[1-9]|1[0-2])$", r"\1-\2-01"), (r"^(0[1-9]|1[0-2])[./](\d{4})$", r"\2-\1-01"))
"""A month alone, 2024-05 or 05/2024, is its first day."""
ZONE = rf":\d{{2}}(?:[.,]\d+)?(?: [AaPp][Mm])? ?(?P<zone>{_OFFSET})$"
LETTERS = [ord(c) for c in ascii_letters if c not in "TZ"]
"""Letters of words; T stands before a time, Z is a zone."""
UTC = "UTC"
LOOKED_AT = 1000
UNLIKE = 0.05
"""Share of those cells that need not be dates."""
MAY_BE = (
    rf"^({_WEEKDAY})?(\d{{1,4}}(er|º|st|nd|rd|th)?[-/. ]|\d{{8}}|"
    rf"[{LETTER}]{{3,10}}\.? \d{{1,2}}(st|nd|rd|th)?,? \d{{4}})"
)
"""How every date begins that is read here, and other things too: one look that spares many."""


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
    """Say whether a column's type is one of dates."""
    return bool(pa.types.is_date(type_) or pa.types.is_timestamp(type_))


def looks_like_dates(sample: pa.ChunkedArray) -> bool:
    """Say whether nearly all of the first of these texts are written as dates."""
    sample = trimmed(sample.slice(0, LOOKED_AT))
    most = UNLIKE * len(sample)
    if not len(sample) or np.count_nonzero(~is_true(pc.match_substring_regex(sample, MAY_BE)) & ~blank(sample)) > most:
        return False
    found = parse(sample)
    return np.count_nonzero(found.unreadable) <= most and "20240531" not in found.ways


def are_months(sample: pa.ChunkedArray) -> bool:
    """Say whether texts that could be numbers are months: 05.2024, each with two digits for the month."""
    found = pc.match_substring_regex(sample.slice(0, LOOKED_AT), r"^(0[1-9]|1[0-2])\.(19|20)\d{2}$")
    return len(found) > 0 and bool(pc.all(found).as_py())


def parse(column: pa.ChunkedArray, first: str = "") -> Dates:
    """Read every cell as a date, with or without a time; none is refused, those that are no dates are marked.

    first: what stands first in 01/02/2024, `day` or `month`; "": what the other cells show.
    """
    if is_date(column.type):
        values = column.cast(pa.timestamp("us"), safe=False).to_numpy().astype("datetime64[us]")
        missing = np.isnat(values)
        zone = getattr(column.type, "tz", None)  # Arrow keeps such moments in UTC
        zones = {zone: int((~missing).sum())} if zone else {}
        return Dates(values, missing, np.zeros(len(values), dtype=bool), zones=zones)
    if not is_text(column.type):
        column = column.cast(pa.string())
    plain = _alike(column)
    if plain is not None:
        return plain
    text = trimmed(column)
    if text is not column and (plain := _alike(text)) is not None:
        return plain
    there = bytes_of(text)  # what cannot be is not looked for
    words = bool(there[LETTERS].any() or there[128:].any())
    if words:
        text = month_names.in_english(pc.replace_substring_regex(text, f"^{_WEEKDAY}", ""))
    if pc.any(pc.less_equal(pc.binary_length(text), len("2024-05"))).as_py():
        for month, day in MONTHS:
            text = pc.replace_substring_regex(text, month, day)
    zone = _zones(text)
    if words or begin_with(there, ",") or pc.any(pc.match_substring(text, " - ")).as_py():
        text = pc.replace_substring_regex(text, BETWEEN, r"\1 \2")
    text = pc.replace_substring_regex(text, CLOCK, r"\1 \2\4")
    for years, century in YEARS:
        text = pc.replace_substring_regex(text, rf"^(\d{{1,2}}[/.]\d{{1,2}}[/.])({years})( |$)", rf"\1{century}\2\3")
    empty = ~is_true(pc.greater(pc.utf8_length(text), 0))
    values = np.full(len(text), np.datetime64("NaT"), dtype="datetime64[us]")
    result = Dates(values, empty, ~empty)
    slashes: list[tuple[str, Any, Any]] = []
    for name, day, format_ in _DAYS:
        if not result.unreadable.any():
            break
        for time, time_format in _TIME:
            wanted = is_true(pc.match_substring_regex(text, f"^{day}{time}$")) & result.unreadable
            if not wanted.any():
                continue
            found = _strptime(text, wanted, format_ + time_format)
            if name in {DAY_FIRST, MONTH_FIRST}:
                slashes.append((name, wanted, found))
            else:
                _take(result, name, found)
    _slashes(result, slashes, first)
    result.ways = dict(sorted(result.ways.items(), key=lambda way: -way[1]))
    for name, rows in zone.items():
        rows = rows[~np.isnat(result.values[rows])]
        if len(rows):
            result.values[rows] -= np.timedelta64(_minutes(name), "m")
            result.zones[name] = len(rows)
    return result


def _zones(text: pa.ChunkedArray) -> dict[str, Any]:
    """Return time zone → rows in which it stands after a time, the most frequent first."""
    rows = np.flatnonzero(is_true(pc.match_substring_regex(text, ZONE)))
    if not len(rows):
        return {}
    found, codes = encode(pc.struct_field(pc.extract_regex(pick(text, rows), ZONE), "zone"))
    zones: dict[str, list[Any]] = {}
    for number, written in enumerate(found.to_pylist()):
        zones.setdefault(_zone(written), []).append(rows[codes == number])
    together = {name: np.concatenate(parts) for name, parts in zones.items()}
    return dict(sorted(together.items(), key=lambda zone: -len(zone[1])))


def _zone(written: str) -> str:
    """Return a zone as `+02:00`, or `UTC`."""
    found = re.search(r"([+-])(\d{1,2}):?(\d{2})?$", written)
    if not found or int(found[2]) == int(found[3] or 0) == 0:
        return UTC
    return f"{found[1]}{found[2]:0>2}:{found[3] or '00'}"


def _minutes(zone: str) -> int:
    if zone == UTC:
        return 0
    return (60 * int(zone[1:3]) + int(zone[4:])) * (-1 if zone[0] == "-" else 1)


def _alike(text: pa.ChunkedArray) -> Dates | None:
    """Read days that are all written in the first way of all, which is the usual one; None for others."""
    name, day, _ = _DAYS[0]
    if not _first_is(text, day):
        return None
    empty = blank(text)
    try:
        days = pc.cast(pc.if_else(pa.array(empty), None, text) if empty.any() else text, pa.date32())
    except pa.ArrowInvalid:
        return None
    values = days.to_numpy().astype("datetime64[us]")
    return Dates(values, empty, np.zeros(len(values), dtype=bool), {name: len(values) - int(np.count_nonzero(empty))})


def _first_is(text: pa.ChunkedArray, pattern: str) -> bool:
    """Say whether the first text that holds anything is as the pattern says."""
    first = next((cell for chunk in text.chunks for cell in chunk if cell.as_py()), None)
    return first is not None and re.fullmatch(pattern, first.as_py()) is not None


def _slashes(result: Dates, found: list[tuple[str, Any, Any]], first: str) -> None:
    """Of days and months with slashes between them, take the order that is said, or that more of the cells allow."""
    count = {n: sum(int((~np.isnat(v)).sum()) for m, _, v in found if m == n) for n, _, _ in found}
    if not count:
        return
    result.unclear = not first and len(set(count.values())) == 1 and len(count) == 2
    said = {"day": DAY_FIRST, "month": MONTH_FIRST}.get(first)
    for name in sorted(count, key=lambda n: (n != said, -count[n])):
        for way, _, values in found:
            if way == name:
                _take(result, name, np.where(result.unreadable, values, np.datetime64("NaT")))


def _take(result: Dates, name: str, found: Any) -> None:
    good = ~np.isnat(found)
    result.values[good] = found[good]
    result.unreadable &= ~good
    if good.any():
        result.ways[name] = result.ways.get(name, 0) + int(good.sum())


def _strptime(text: pa.ChunkedArray, rows: Any, format_: str) -> Any:
    values = np.full(len(text), np.datetime64("NaT"), dtype="datetime64[us]")
    found = pc.strptime(pc.filter(text, pa.array(rows)), format=format_, unit="us", error_is_null=True)
    values[rows] = found.to_numpy().astype("datetime64[us]")
    return values
