"""How a file writes its numbers: 1.234,50 or 1,234.50. It is decided once for a file, from all of its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.errors import Finding, Fix, Level
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.tables.types import Sheet
from autotrain_gradio.data.values import dates, numbers
from autotrain_gradio.data.values.arrow_columns import is_text, matches, pick
from autotrain_gradio.data.values.multi_select import find_multi_select

SAMPLE = 1000
"""Cells of a column by which it is decided whether it holds numbers."""
MARKED = r"^\D{0,8}[\d .,'’]*[.,]\d+(?:[eE][+-]?\d+)?\D{0,20}$"
"""A text that may be a number with a point or a comma, and a unit."""
NUMERIC = r"^\D{0,8}[\d .,'’]*\d(?:[eE][+-]?\d+)?\D{0,20}$"
MOST_VALUES = 100_000
"""Distinct values of a column in which one that decides is searched."""
UNCLEAR = "decimal-mark-unclear"
OPTION = "decimal_mark"
"""Option of the data that decides for all files: `,` or `.`."""
MOST_GROUPS = 5
"""Groups of thousands in a number, as many as float64 can tell apart."""
DECIMAL, THOUSANDS = "decimal", "thousands"
"""Notations with a decimal comma and with a decimal point, as `numbers.parse` calls them."""
OF_MARK = {",": DECIMAL, ".": THOUSANDS}
SIGN = {DECIMAL: "comma", THOUSANDS: "point"}


@dataclass
class _Shown:
    """Numbers of a file that show a decimal comma, a decimal point, or neither: column → an example with its row.

    has_comma: those that show neither have commas.
    """

    commas: dict[str, str] = field(default_factory=dict)
    points: dict[str, str] = field(default_factory=dict)
    unclear: dict[str, str] = field(default_factory=dict)
    has_comma: bool = False


def detect_notation(sheet: Sheet, given: str = "") -> None:
    """Set the notation of a sheet, and report numbers that contradict each other or leave it open.

    given: the decimal mark, `,` or `.`, if it is known.
    """
    texts = {n: c for n, c in zip(sheet.table.column_names, sheet.table.columns, strict=True) if is_text(c.type)}
    samples = {n: sample for n, c in texts.items() if _may_hold_numbers(sample := _sample(c))}
    if given in OF_MARK:
        sheet.notation = OF_MARK[given] if samples else ""
        return
    shown = _look(samples, sheet)
    if shown.unclear and not shown.commas and not shown.points:  # the cells that decide may be few
        shown = _look({n: pc.drop_null(pc.unique(texts[n]).slice(0, MOST_VALUES)) for n in samples}, sheet)
    if shown.commas and shown.points:
        _report_both(shown, sheet)
    elif shown.commas or shown.points:
        sheet.notation = DECIMAL if shown.commas else THOUSANDS
        sheet.example = next(iter((shown.commas or shown.points).values()))
    elif shown.unclear:
        _decide_by_delimiter(shown, sheet)


def _sample(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.drop_null(pick(column, np.arange(0, len(column), max(1, len(column) // SAMPLE))))


def _may_hold_numbers(sample: pa.ChunkedArray) -> bool:
    """Return whether some texts look like numbers, which costs less than to parse them."""
    return bool(matches(sample, NUMERIC).any())


def _numbers_of(cells: Any) -> numbers.Numbers | None:
    """Return the numbers, if nearly all texts are, some with a mark, and neither months nor lists of options."""
    if not matches(cells, MARKED, ",.").any():
        return None
    found = numbers.parse(cells, unit=None, brackets=None, limits=None)
    good = int((~np.isnan(found.values)).sum())
    if not good or good < numbers.NEARLY_ALL * int((~found.missing).sum()):
        return None
    return None if dates.are_months(cells) or (found.comma and find_multi_select(cells)) else found


def _look(columns: Mapping[str, Any], sheet: Sheet) -> _Shown:
    """Return what the numbers of these columns show about the decimal mark. columns: some cells of each."""
    shown = _Shown()
    for name, values in columns.items():
        text = pc.utf8_trim_whitespace(values)
        found = _numbers_of(text)
        if found is None:
            continue
        for cells, marked in zip((shown.commas, shown.points, shown.unclear), _marks(text, found), strict=True):
            if marked.any():
                value = values[int(np.argmax(marked))]
                row = sheet.number[pc.index(sheet.table.column(name), value).as_py()]
                cells[name] = f"'{value.as_py().strip()[:20]}' in '{name}', row {row:,}"
                shown.has_comma |= cells is shown.unclear and "," in value.as_py()
    return shown


def _marks(text: Any, found: numbers.Numbers) -> tuple[Any, Any, Any]:
    """Return which cells show a decimal comma, which a decimal point, and which may be either (numpy)."""
    marks = found.marks or numbers.marks_of(text)
    if not marks.unclear.any():
        return marks.commas, marks.points, marks.unclear
    if numbers.groups_thousands(text, "."):
        return marks.unclear, marks.points, marks.commas
    if numbers.groups_thousands(text, ","):
        return marks.commas, marks.unclear, marks.points
    return marks.commas, marks.points, marks.unclear


def _report_both(shown: _Shown, sheet: Sheet) -> None:
    comma, point = (next(iter(cells.values())) for cells in (shown.commas, shown.points))
    message = f"The file writes numbers with a decimal comma ({comma}) and with a decimal point ({point}). Each column "
    message += "was read by itself."
    hint = "Write all numbers of a file in the same notation, such as 1234.5."
    sheet.findings.append(Finding("warning", "two-decimal-marks", message, hint, sheet.name))


def _decide_by_delimiter(shown: _Shown, sheet: Sheet) -> None:
    """Take the likelier reading of numbers such as 1,234, and offer the other one."""
    sheet.notation = DECIMAL if shown.has_comma and sheet.delimiter == ";" else THOUSANDS
    # Who writes thousands with points separates cells by another sign than the comma.
    if sheet.notation == DECIMAL or (not shown.has_comma and sheet.delimiter == ","):
        sheet.example = f"cells separated by '{sheet.delimiter}'"
    if not shown.has_comma and sheet.delimiter == ",":
        return
    mark, other = (",", ".") if sheet.notation == DECIMAL else (".", ",")
    name, other_name = SIGN[OF_MARK[mark]], SIGN[OF_MARK[other]]
    why = f", because the cells are separated by '{sheet.delimiter}'" if sheet.delimiter in {",", ";"} else ""
    message = "No number of the file shows whether its decimal mark is a comma or a point: "
    message += f"{join_examples(list(shown.unclear.values()))}. The {name} was taken as the decimal mark{why}."
    fix = Fix(f"Read the {other_name} as the decimal mark", {"options": {OPTION: other}})
    level: Level = "info" if why else "warning"
    hint = "If that is wrong, choose the other one."
    sheet.findings.append(Finding(level, UNCLEAR, message, hint, sheet.name, fix))


def unify_notations(sheets: Sequence[Sheet]) -> tuple[str, list[Finding]]:
    """Return the notation of all sheets, which are to be joined; where they differ, write all with a decimal point.

    Only the columns of numbers are rewritten, each sheet by its own notation.
    """
    used = {sheet.notation for sheet in sheets if sheet.notation}
    if DECIMAL not in used:
        return next(iter(used), ""), []
    texts = {n for sheet in sheets for n in sheet.table.column_names if is_text(sheet.table.schema.field(n).type)}
    floats = [s for s in sheets if any(f.name in texts and pa.types.is_floating(f.type) for f in s.table.schema)]
    if len(used) < 2 and not floats:
        return DECIMAL, []
    commas = [sheet for sheet in sheets if sheet.notation == DECIMAL]
    points = [sheet for sheet in sheets if sheet.notation == THOUSANDS or sheet in floats]
    for sheet in commas:
        columns = {n: _with_points(c) for n, c in zip(sheet.table.column_names, sheet.table.columns, strict=True)}
        sheet.table = pa.table(columns).replace_schema_metadata(sheet.table.schema.metadata)
        sheet.notation = THOUSANDS
    shown = [join_examples([f"{s.name} ({s.example})" if s.example else s.name for s in of]) for of in (commas, points)]
    message = f"The files write numbers differently: with a decimal comma {shown[0]}; with a decimal point {shown[1]}. "
    message += "Each was parsed in its own notation."
    return THOUSANDS, [Finding("info", "notations-differ", message)]


def _with_points(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Write the numbers of a column with a decimal point, if it holds numbers with a decimal comma."""
    if not is_text(column.type) or _numbers_of(pc.utf8_trim_whitespace(_sample(column))) is None:
        return column
    for _ in range(MOST_GROUPS):
        column = pc.replace_substring_regex(column, r"(\d)[.](\d{3})([^\d]|$)", r"\1\2\3")
    return pc.replace_substring_regex(column, r"(\d),(\d)", r"\1.\2")
