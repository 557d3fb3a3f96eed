"""Reading delimited text: with Arrow where the file is plain, row by row where something in it is odd."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.data.files import encoding
from autotrain_gradio.data.rows import Progress
from autotrain_gradio.data.tables.csv_fast import LONGEST_CELL, MANY_LINES, header_of, read_plain, zeros
from autotrain_gradio.data.tables.table_reader import TITLE_ABOVE, Gathering, Sheet, empty, header_only

DELIMITERS = ",;\t|"
LONGEST_FIELD = 64_000_000
"""Characters of a cell at which reading ends: it is no table, or a quote was left open."""
HEAD = 262_144
END = "\ue000end of the table\ue000"
"""A line of our own behind the last one: when it is swallowed by a cell, a quote was left open."""


def read_csv(path: Path, name: str, delimiter: str | None, progress: Progress) -> Sheet:
    """Read a delimited text file. All cells are text; an empty one is null.

    delimiter: None: the one that the first lines show.

    Raises:
        DataError: it is empty or no text, two columns have one name, or a quote is left open.
    """
    csv.field_size_limit(LONGEST_FIELD)  # of the whole process; without it a long cell of the first lines is an error
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head.removeprefix(b"\xef\xbb\xbf").strip():
        raise empty(name)
    code = encoding.unicode_encoding(head)
    _refuse_binary(head, code, name)
    findings: list[Finding] = []
    shown = head.decode(code or "utf-8", "replace")
    delimiter = delimiter or find_delimiter(shown)
    sheet = None
    if code in {None, "utf-8-sig"}:
        sheet = read_plain(path, name, shown.removeprefix("\ufeff"), delimiter)
    if sheet is None:
        code, findings = encoding.detect_encoding(path, name)
        sheet = _careful(path, name, code, delimiter, progress)
    if not sheet.table.num_rows and not sheet.passed:
        raise header_only(name, sheet.table.column_names)
    sheet.findings[:0] = findings
    sheet.findings += _formulas(sheet)
    return sheet


MAGIC = {
    b"PK\x03\x04": "a zip or a workbook (.xlsx)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x1f\x8b": "a gzip archive",
    b"PAR1": "a Parquet file",
}
"""First bytes of files that are sometimes called .csv."""
CONTROL = bytes([*range(1, 9), *range(14, 27), *range(28, 32)])


def _refuse_binary(head: bytes, code: str | None, name: str) -> None:
    what = next((said for magic, said in MAGIC.items() if head.startswith(magic)), "")
    control = len(head) - len(head.translate(None, CONTROL))
    if what or (code is None and control > 0.01 * len(head)):
        raise DataError(
            f"The file is no text table{f': it is {what}' if what else ', but holds something else than text'}.",
            "Give it the ending that fits what it is, or save the table as CSV.",
            name,
            "table-damaged",
        )


def find_delimiter(text: str) -> str:
    """Return the delimiter that cuts the first lines into the same number of cells, more than one."""
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    best, score = ",", (0, 0)
    for delimiter in DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        if widths and widths[0] > 1:
            found = (sum(w == widths[0] for w in widths), widths[0])
            if found > score:
                best, score = delimiter, found
    return best


# -- row by row


@dataclass
class _Odd:
    """What was noticed row by row: numbers of rows."""

    long: list[int] = field(default_factory=list)
    short: list[int] = field(default_factory=list)
    large: list[int] = field(default_factory=list)
    lines: list[tuple[int, int]] = field(default_factory=list)


def _careful(path: Path, name: str, code: str, delimiter: str, progress: Progress) -> Sheet:
    size = max(1, path.stat().st_size)
    odd = _Odd()
    header: list[str] = []
    first: list[str] = []
    rows: Gathering | None = None
    line, number, ended = 0, 0, False
    with path.open("rb") as raw:
        text = io.TextIOWrapper(raw, encoding=code, errors="replace", newline="")
        reader = csv.reader(_lines(text, name), delimiter=delimiter, skipinitialspace=True)
        while True:
            try:
                record = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                raise _unreadable(error, name, number + 1, line + 1) from None
            number += 1
            spanned, line = reader.line_num - line, reader.line_num
            if record == [END]:
                ended = True
                break
            if not any(cell and not cell.isspace() for cell in record):
                continue
            if rows is None:
                header = header_of(record, name, number)
                first = [cell.strip() for cell in record[: len(header)]]
                rows = Gathering(header, pa.string())
                continue
            if number % 20_000 == 0:
                progress(f"Reading {name}", raw.tell() / size)
            if spanned > MANY_LINES:
                odd.lines.append((number, spanned))
            if len(record) != len(header):
                if len(record) < len(header):
                    odd.short.append(number)
                elif any(cell and not cell.isspace() for cell in record[len(header) :]):
                    odd.long.append(number)
                record = record[: len(header)]
            if any(len(cell) > LONGEST_CELL for cell in record):
                odd.large.append(number)
                continue
            rows.add(number, [cell if cell and not cell.isspace() else None for cell in record])
    if not ended:
        raise DataError(
            f"A quote that opens in row {number} (line {line - spanned + 1}) is never closed: all that follows would "
            "be one cell.",
            'Close the quote there, or write a quote inside a cell twice ("").',
            f"{name}, row {number}",
            "quote-open",
        )
    if rows is None:
        raise empty(name)
    sheet = Sheet(name, rows.table(), rows.number(), _findings(odd, name, len(header)), first=first)
    if odd.large:
        sheet.passed["cell-too-large"] = len(odd.large)
    return sheet


def _lines(text: io.TextIOWrapper, name: str) -> Iterator[str]:
    last = ""
    for last in text:
        if "\0" in last:
            raise zeros(name)
        yield last
    if last and not last.endswith(("\n", "\r")):
        yield "\n"
    yield END


def _unreadable(error: csv.Error, name: str, number: int, line: int) -> DataError:
    if "field larger" in str(error):
        return DataError(
            f"The cell that begins in row {number} (line {line}) has more than {LONGEST_FIELD:,} characters.",
            "A quote may have been left open there. A cell must be smaller than that.",
            f"{name}, row {number}",
            "cell-too-large",
        )
    return DataError(
        f"The table cannot be read: {error}.", "Look at its quotes.", f"{name}, row {number}", "table-damaged"
    )


def _findings(odd: _Odd, name: str, width: int) -> list[Finding]:
    findings = []
    if odd.long:
        findings.append(
            Finding(
                "warning",
                "row-too-long",
                f"{pluralize(len(odd.long), 'row')} {'has' if len(odd.long) == 1 else 'have'} more cells "
                f"than the header "
                f"({width}): {_rows(odd.long)}. The cells beyond were not read.",
                TITLE_ABOVE if width == 1 else "Put cells that contain the delimiter in quotes.",
                name,
            )
        )
    if odd.short:
        findings.append(
            Finding(
                "info",
                "row-too-short",
                f"{pluralize(len(odd.short), 'row')} {'has' if len(odd.short) == 1 else 'have'} fewer cells than the "
                f"header ({width}): {_rows(odd.short)}. The cells at the end are empty.",
                "Complete them if something is missing.",
                name,
            )
        )
    if odd.large:
        many = f"{pluralize(len(odd.large), 'row')} {'has' if len(odd.large) == 1 else 'have'}"
        findings.append(
            Finding(
                "warning",
                "cell-too-large",
                f"{many} a cell of more than {LONGEST_CELL:,} characters and "
                f"{'is' if len(odd.large) == 1 else 'are'} left out: {_rows(odd.large)}.",
                "Shorten the cell. A quote may have been left open there.",
                name,
            )
        )
    if odd.lines:
        shown = [f"row {n:,} ({lines:,} lines)" for n, lines in odd.lines[:5]]
        findings.append(_many_lines(shown, len(odd.lines), name))
    return findings


def _many_lines(shown: list[str], count: int, name: str) -> Finding:
    return Finding(
        "warning",
        "cell-of-many-lines",
        f"{pluralize(count, 'row')} {'has' if count == 1 else 'have'} a cell of very many lines: "
        f"{join_examples(shown, count)}.",
        "A quote may have been left open there, so that other rows are part of the cell.",
        name,
    )


def _rows(numbers: list[int]) -> str:
    return join_examples([f"row {n}" for n in numbers[:5]], len(numbers))


def _formulas(sheet: Sheet) -> list[Finding]:
    """Tell of cells that hold a formula of a spreadsheet, not its value."""
    shown: list[str] = []
    total = 0
    for name in sheet.table.column_names if sheet.formulas is None else sheet.formulas:
        column = sheet.table.column(name)
        found = pc.fill_null(pc.match_substring_regex(column, r"^=[A-Z]+\(|^=[A-Z]+[0-9]+"), False)
        count = pc.sum(found).as_py() or 0
        if count:
            total += count
            row = int(np.flatnonzero(np.asarray(found.combine_chunks()))[0])
            shown.append(f"row {sheet.number[row]:,}, '{name}': {column[row].as_py()[:40]}")
    if not total:
        return []
    return [
        Finding(
            "warning",
            "formulas",
            f"{pluralize(total, 'cell')} {'holds' if total == 1 else 'hold'} a formula in place of its value: "
            f"{join_examples(shown)}.",
            "Save the table with values.",
            sheet.name,
        )
    ]
