"""Parsing of numbers: columns of a numeric type, and text with a decimal point or comma."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.errors import Level
from autotrain_gradio.data.values import durations, units
from autotrain_gradio.data.values.arrow_columns import as_text, blank, is_text, is_true, matches, pick

PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
COMMA = r"^[+-]?(\d{1,3}([. ]\d{3})+|\d+),\d+([eE][+-]?\d+)?$"
"""A decimal comma, with points or spaces between the thousands: 1.234,5; or an exponent: 1,5E-3."""
THOUSANDS = r"^[+-]?[1-9](\d{0,2}(,\d{3})+|\d?(,\d{2})+,\d{3})(\.\d+)?$"
"""Commas between the thousands: 1,234.5, or between lakhs too: 1,23,456.5. In 0,532 the comma is a
decimal one."""
POINTS = r"^[+-]?[1-9]\d{0,2}(\.\d{3})+$"
"""Points between the thousands, and no decimals: 1.234.567. What 1.234 is, the other cells show."""
GROUPS = r"^([+-]?)([1-9]\d{0,2}(?:[ '’]\d{3})+)([.,]\d+)?$"
"""Spaces or apostrophes between the thousands: 1'234.5."""
BRACKETS = r"^([^\d()]{0,4})\(([^\d()]{0,4}[\d.][\d., '’]*[^\d()]{0,6})\)([^\d()]{0,6})$"
"""Accountants' way of writing a negative number: (1.23)."""
MINUS_BEHIND = r"^([^-]*\d[^-\d]{0,6})-$"
"""The way of SAP: 1.23-."""
LIMIT = r"^(?:[<>≤≥~≈]=? ?([^<>≤≥~≈=].*)|([^+]*\d)\+)$"
"""Limits, as laboratories and questionnaires write them: <0.1, >5, 10+"""
PERCENT = r"^([^eE]*[\d.]) ?%$"
"""A percentage: it is read as a fraction, which is what a workbook stores."""
ROUND = r"(\d)[.,][-–—]{1,2}( ?[^\d.,–—-]*)$"
"""An amount without smaller coins: 12,- or 12.--"""
EXACT = 2**53
"""Largest whole number up to which float64 is exact."""
NEARLY_ALL = 0.9
UNIT_SAMPLE = 1000
"""Cells of the sample that detects a unit."""
PERCENT_SIGN = "%"
WORDS = (
    *("nan", "na", "n/a", "n.a.", "n. a.", "null", "none", "nil", "<na>", "#na", "k.a.", "k. a."),
    *("n.d.", "n. d.", "n/d", "nd", "-", "--", "---", "–", "—", ".", "..", "?"),
)
"""Spellings of a missing number, in lower case: not available, not determined."""
ERRORS = (
    *("#n/a", "#nv", "#ref!", "#bezug!", "#div/0!", "#value!", "#wert!", "#valeur!", "#name?", "#nom?", "#num!"),
    *("#zahl!", "#nombre!", "#null!", "#spill!", "#calc!", "#error!", "#errore!", "#fehler!"),
)
"""Error values of spreadsheet formulas, in lower case."""
_NONE = pa.array((*WORDS, *ERRORS))
POINT = "Write a point before the decimals, and nothing between the thousands."


class Notation(NamedTuple):
    """A notation of numbers that findings report. attribute: of `Numbers`, which counts them. what: they have."""

    code: str
    attribute: str
    what: str
    example: str
    hint: str = ""
    level: Level = "info"


NOTATIONS = (
    Notation("decimal-comma", "comma", "a decimal comma", "1,5 was read as 1.5", POINT),
    Notation("thousands-comma", "thousands", "commas between the thousands", "1,234 was read as 1234", POINT),
    Notation("thousands-marks", "grouped", "spaces or apostrophes between the thousands", "1'234 is 1234", POINT),
    Notation("thousands-points", "points", "points between the thousands", "1.234 was read as 1234", POINT),
    Notation("percent-as-fraction", "percent", "a percent sign", "9 % was read as 0.09"),
    Notation(
        *("percent-beside-numbers", "beyond", "no percent sign beside others with one"),
        *("12 was read as 12, but 12 % as 0.12", "Write all numbers of a column in the same notation.", "warning"),
    ),
    Notation("negative-in-brackets", "negated", "brackets, or a minus behind, as the sign", "(5) was read as -5"),
    Notation("clock-times", "times", "the form of a time or a duration", "14:30 was read as 14.5 hours"),
    Notation(
        *("limits", "limited", "a limit instead of a value", "<5, >5 and 5+ were read as 5"),
        "If that is too coarse, choose categories instead of numbers.",
    ),
)


@dataclass
class Marks:
    """Per row (numpy) what a number shows about the decimal mark of its file.

    commas: it can only be a comma: 1,5. points: it can only be a point: 1.5. unclear: 1,234 or 1.234.
    """

    commas: Any
    points: Any
    unclear: Any


@dataclass
class Numbers:
    """One value a row, all numpy: `values` (float64; NaN where there is none) and why it is NaN.

    missing: empty, or a word such as `n/a`; `words` counts the rows with a word.
    infinite: plus or minus infinity. unreadable: not a number.
    comma: rows with a decimal comma; thousands: rows with commas between the thousands; grouped: rows with spaces or
    apostrophes there; points: rows with points there and no decimals. both: some rows have a decimal
    point, others a decimal comma, or points between the thousands. negated: rows with brackets or a trailing minus as
    the sign. limited: rows of which only a limit is known. percent: rows with a percent sign, parsed as fractions;
    beyond: rows without one beside them, with a value greater than 1.
    unit: the unit that was removed from the numbers; united: rows that had it. times: rows with a time, 14:30, of
    which the values are the hours; the unit is then that.
    """

    values: Any
    missing: Any
    infinite: Any
    unreadable: Any
    words: int = 0
    comma: int = 0
    thousands: int = 0
    grouped: int = 0
    points: int = 0
    negated: int = 0
    limited: int = 0
    percent: int = 0
    beyond: int = 0
    both: bool = False
    unit: str = ""
    united: int = 0
    times: int = 0
    notation: str = ""
    marks: Marks | None = None

    @property
    def reading(self) -> str:
        """How 1,234 and 1.234 were read, for `parse` to read others so."""
        if self.notation:
            return self.notation
        if self.thousands:
            return "thousands"
        return ("both" if self.both else "decimal") if self.comma or self.points else ""


def parse(
    column: pa.ChunkedArray,
    notation: str = "",
    unit: str | None = "",
    brackets: bool | None = False,
    limits: bool | None = False,
) -> Numbers:
    """Parse every cell as a number; invalid ones are marked.

    notation: the decimal mark where 1,234 and 1.234 are ambiguous: `decimal` (the comma), `thousands` (the point) or
    `both`; "": inferred from the other cells.
    unit: optional unit before or after each number; None: the one that most cells have. 12 % is 0.12 unless the unit
    is %, as models of earlier versions have stored it.
    brackets: whether (5) and 5- are negative numbers; None: where the other cells are numbers.
    limits: whether <5, >5 and 5+ are read as 5; None: where at least as many cells are numbers without such a sign.
    """
    type_ = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return _numeric(column.cast(pa.float64(), safe=False))
    if pa.types.is_boolean(type_):
        return _numeric(column.cast(pa.int8()).cast(pa.float64()))
    if pa.types.is_null(type_):
        return _numeric(column.cast(pa.float64()))
    text = column if is_text(column.type) else as_text(column)
    return _of_text(text, notation, unit, brackets, limits)


def _numeric(column: pa.ChunkedArray) -> Numbers:
    values = column.to_numpy().astype(np.float64)  # a copy: buffers of Arrow are read-only
    infinite = np.isinf(values)
    values[infinite] = np.nan
    no = np.zeros(len(values), dtype=bool)
    return Numbers(values, np.isnan(values) & ~infinite, infinite, no)


def _of_text(
    column: pa.ChunkedArray, notation: str, unit: str | None, brackets: bool | None, limits: bool | None
) -> Numbers:
    free = not notation and unit is None
    text = pc.utf8_trim_whitespace(column)
    empty = blank(text)
    if free and groups_thousands(text):
        notation = "decimal"
    if notation != "decimal":
        found = finite(pc.if_else(pa.array(empty), None, text))  # sufficient for most columns
        if found is not None:
            return found
    text = _to_ascii(text)
    if unit is None and durations.are_times(_few(text, empty)):
        unit = durations.UNIT
    hours = durations.hours(text) if unit == durations.UNIT else np.full(len(text), np.nan)
    written, grades = text, _school_grades(text) if brackets is None else np.zeros(len(text), dtype=bool)
    text, limited = _bare(text, limits)
    text, negated = _signed(text, brackets)
    if grades.any():
        text = pc.if_else(pa.array(grades), written, text)
        limited, negated = limited & ~grades, negated & ~grades
    percent = np.zeros(len(text), dtype=bool)
    if unit != PERCENT_SIGN:
        text, percent = _replace(text, PERCENT, r"\1", PERCENT_SIGN)
    if unit is None:
        unit = units.unit_of(_few(text, empty))
    times = united = ~np.isnan(hours)
    if unit:
        text, beside = units.without(text, unit)
        united = united | beside
        if free and groups_thousands(text):
            notation = "decimal"
    found = _parse_notations(text, empty, notation, percent)
    found.values[times], found.unreadable[times] = hours[times], False
    found.times = int(times.sum())
    besides = negated | limited
    good = ~np.isnan(found.values)
    for rows, allowed, least in ((negated, brackets, 1), (limited, limits, int((limited & good).sum()))):
        if allowed is None and rows.any() and not _are_numbers(found, besides, least):
            found.unreadable |= rows & good
            found.values[rows] = np.nan
    good = ~np.isnan(found.values)
    found.unit, found.united = unit, int((united & good).sum())
    found.negated, found.limited = int((negated & good).sum()), int((limited & good).sum())
    found.percent = int((percent & good).sum())
    if found.percent:
        found.beyond = int((np.abs(found.values[good & ~percent]) > 1).sum())
    return found


def _few(text: pa.ChunkedArray, empty: Any) -> pa.ChunkedArray:
    """Return a sample of the texts that are not missing, from the whole column."""
    rows = np.flatnonzero(~empty)
    few = pick(text, rows[:: max(1, len(rows) // UNIT_SAMPLE)])
    return pc.filter(few, pc.invert(pc.is_in(pc.utf8_lower(few), value_set=_NONE)))


def _school_grades(text: pa.ChunkedArray) -> Any:
    """Return which cells are school grades such as 2+ and 2- (numpy): none unless both signs occur."""
    plus, minus = matches(text, r"^\d{1,2}\+$", "+"), matches(text, r"^\d{1,2}-$", "-")
    return (plus | minus) & (plus.any() and minus.any())


def _signed(text: pa.ChunkedArray, brackets: bool | None) -> tuple[pa.ChunkedArray, Any]:
    """Write (5) and 5- as -5, and 12,- as 12; return the texts, and which rows may be negative by that (numpy)."""
    negated = np.zeros(len(text), dtype=bool)
    if brackets is not False:
        text = _replace(text, ROUND, r"\1\2", "-–—")[0]
        for pattern, minus, sign in ((BRACKETS, r"-\1\2\3", ")"), (MINUS_BEHIND, r"-\1", "-")):
            text, found = _replace(text, pattern, minus, sign)
            negated |= found
    return text, negated


def _bare(text: pa.ChunkedArray, limits: bool | None) -> tuple[pa.ChunkedArray, Any]:
    """Write <0.1, >5 and 10+ as the limit alone; return the texts, and which rows may be limits (numpy)."""
    if limits is False:
        return text, np.zeros(len(text), dtype=bool)
    return _replace(text, LIMIT, r"\1\2", "<>≤≥~≈+")


def _replace(text: pa.ChunkedArray, pattern: str, by: str, having: str) -> tuple[pa.ChunkedArray, Any]:
    """Replace what a pattern matches; return the texts, and which were changed (numpy). having: as for `matches`."""
    found = matches(text, pattern, having)
    return (pc.replace_substring_regex(text, pattern, by) if found.any() else text), found


def _are_numbers(found: Numbers, besides: Any, least: int) -> bool:
    """Return whether nearly all other cells are numbers, and at least `least` of them."""
    readable = int((~np.isnan(found.values) & ~besides).sum())
    invalid = int((found.unreadable & ~besides).sum())
    return readable >= max(1, least) and readable >= NEARLY_ALL * (readable + invalid)


def finite(text: pa.ChunkedArray) -> Numbers | None:
    """Return the numbers if Arrow can parse all texts as finite numbers or null; else None."""
    try:
        cast = pc.cast(text, pa.float64())  # fails at the first invalid text; spaces are invalid
    except pa.ArrowInvalid:
        return None
    values = cast.to_numpy()
    missing = ~np.isfinite(values)
    if np.count_nonzero(missing) != cast.null_count:
        return None  # Arrow reads nan and inf as numbers
    no = np.zeros(len(values), dtype=bool)
    return Numbers(values, missing, no, no)


def marks_of(text: pa.ChunkedArray) -> Marks:
    """Return what numbers in Python's notation show about the decimal mark of their file."""
    dots, grouped = is_true(pc.match_substring(text, ".")), matches(text, POINTS, ".")
    return Marks(np.zeros(len(text), dtype=bool), dots & ~grouped, grouped)


def groups_thousands(text: pa.ChunkedArray, mark: str = ".") -> bool:
    """Return whether a mark (`.` or `,`) separates thousands, though no number has decimals: 950, 1.200, 12.500.

    As decimals, every number would have three of them or none, and some a trailing zero. A sample decides most columns.
    """
    pattern = POINTS.replace(r"\.", f"[{mark}]")
    for part in (text.slice(0, UNIT_SAMPLE), text):
        pointed, grouped = is_true(pc.match_substring(part, mark)), matches(part, pattern)
        if not grouped.any() or (pointed & ~grouped).any():
            return False
        alone = matches(part, r"^[+-]?[1-9]\d{0,2}$")
        other = ~pointed & ~alone & ~blank(part) & ~matches(part, r"^\D+$|^0$")
        if other.any() or not alone.any() or not matches(part, rf"[{mark}]\d\d0$").any():
            return False
    return True


def united(text: pa.ChunkedArray) -> list[str]:
    """Return an example of each unit where nearly all of these texts are numbers with one of a few units."""
    text = _signed(_to_ascii(pc.utf8_trim_whitespace(text)), None)[0]
    few = _few(text, blank(text))
    return units.different(few) if len(few) else []


def _to_ascii(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Replace typographic spaces and minus signs by ASCII ones."""
    for sign, ascii_sign in (("\u00a0", " "), ("\u2009", " "), ("\u202f", " "), ("−", "-")):
        text = pc.replace_substring(text, sign, ascii_sign)
    return text


def _parse_notations(text: pa.ChunkedArray, empty: Any, notation: str, percent: Any) -> Numbers:
    grouped = matches(text, GROUPS, " '’")
    if grouped.any():
        text = pc.if_else(pa.array(grouped), pc.replace_substring_regex(text, "[ '’]", ""), text)
    plain, points = matches(text, PLAIN), matches(text, POINTS, ".")
    comma, thousands = matches(text, COMMA, ","), matches(text, THOUSANDS, ",")
    infinite = matches(text, r"^(?i)[+-]?inf(inity)?$", "fF")
    words = is_true(pc.is_in(pc.utf8_lower(text), value_set=_NONE))
    dots = is_true(pc.match_substring(text, "."))
    either, pointed = comma & thousands, plain & ~points & dots
    only_comma, only_thousands = comma & ~thousands, thousands & ~comma
    marks = Marks(only_comma | (points & ~plain), only_thousands | pointed, either | (plain & points))
    # 1,234 is ambiguous: it is parsed like the other cells of the column, else as a thousand.
    if notation in {"decimal", "both"} or (not notation and only_comma.any() and not only_thousands.any()):
        thousands = only_thousands
    else:
        comma = only_comma
    # So is 1.234: beside 1.234,5 or 1.234.567 it is a thousand, but not beside 1.5 or 1,234,567.
    decimals = pointed.any() or thousands.any() or not (comma.any() or (points & ~plain).any())
    if notation != "decimal" and (notation or decimals):
        points = points & ~plain
    plain = plain & ~points
    values = np.full(len(text), np.nan)
    for rows, between, decimal in (
        (plain, " ", "."),
        (points, "[.]", "."),
        (comma, "[. ]", ","),
        (thousands, ",", "."),
    ):
        digits = pc.replace_substring_regex(pc.filter(text, pa.array(rows)), between, "")
        digits = pc.replace_substring(digits, decimal, ".")
        if percent[rows].any():  # the nearest number to 0.093, which 9.3 / 100 is not
            digits = pc.if_else(pa.array(percent[rows]), pc.binary_join_element_wise(digits, "e-2", ""), digits)
        values[rows] = pc.cast(digits, pa.float64()).to_numpy()
    infinite = infinite | np.isinf(values)  # 1e999
    values[infinite] = np.nan
    unreadable = ~(plain | points | infinite | words | comma | thousands | empty)
    return Numbers(
        values,
        empty | words,
        infinite,
        unreadable,
        int(words.sum()),
        int(comma.sum()),
        int(thousands.sum()),
        int(grouped.sum()),
        int(points.sum()),
        both=bool((comma.any() or points.any()) and pointed.any()),
        notation=notation,
        marks=marks,
    )
