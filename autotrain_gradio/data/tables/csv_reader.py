"""Reading delimited text: Arrow parses regular files, Python's csv all others.

Arrow parses a million rows in half a second, but does not parse quotes after a space (`1, "a, b"`), and does not report
which cells were quoted: the spaces of `"  a"` belong to the value (RFC 4180), those of `1,  a` do not. Such a file is
parsed by Python's csv from the beginning, in a few seconds; of other files only the rows whose length differs are.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import MIB, join_examples, pluralize
from autotrain_gradio.data.files import encoding
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.rows import ROW_NAME, Progress
from autotrain_gradio.data.tables.csv_dialect import SPACE, Dialect, detect_dialect
from autotrain_gradio.data.tables.missing_header import SCANNED_ROWS, resolve_header
from autotrain_gradio.data.tables.table_limits import count_lines, require_cells, require_columns
from autotrain_gradio.data.tables.types import (
    BATCH,
    TITLE_ABOVE,
    ReadOptions,
    Sheet,
    column_names,
    empty_table,
    gather,
    header_only,
)
from autotrain_gradio.data.values.arrow_columns import blank, is_true

LONGEST_CELL = 1_000_000
"""Characters of a cell beyond which its row is skipped."""
LARGEST_CELL = 64 * MIB
"""Characters of a cell beyond which the file is not a table, or a quote is not closed."""
MOST_REJECTED = 1_000_000
"""Maximum number of rows that do not fit the header."""
SOME_RAGGED = 1000
"""Ragged rows that Arrow always skips, else a tenth of the rows so far: it takes six times as long for one as csv."""
MANY_LINES = 500
"""Line breaks in a cell from which an unclosed quote is likely."""
HEAD = 262_144
SAMPLE_CELLS = 200_000
"""Maximum number of cells from which the header is detected."""
BLOCK = 8 * MIB
"""Bytes that Arrow parses at once; a file with a longer row is not regular."""
END = "\ue000END\ue000"
"""A row that is appended to the file: if it becomes part of a cell, a quote is not closed."""
MAGIC = {
    b"PK\x03\x04": "a zip or a workbook (.xlsx)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"%PDF": "a PDF",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"\x1f\x8b": "a gzip archive",
    b"PAR1": "a Parquet file",
}
"""First bytes of files that are sometimes called .csv."""
_Parsed = tuple[pa.Table, Any, list[Finding]]
"""Rows, the number of each (numpy), and findings about rows of another length than the header."""
CONTROL = bytes([*range(1, 9), *range(14, 27), *range(28, 32)])


def read_csv(
    path: Path, name: str, delimiter: str | None, progress: Progress, limits: Limits, options: ReadOptions
) -> Sheet:
    """Read a delimited text file. All cells are text; a blank one is null.

    delimiter: the default of its extension, or None.

    Raises:
        DataError: it is empty or binary, two columns have the same name, or a quote is not closed.
    """
    csv.field_size_limit(max(LARGEST_CELL, HEAD))  # of the whole process; its default is 131,072
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head.removeprefix(b"\xef\xbb\xbf").strip():
        raise empty_table(name)
    _refuse_binary(head, name)
    codec, findings = encoding.detect_encoding(path, name, options.encoding)
    text = head.decode(codec, "replace")
    dialect = detect_dialect(path, name, codec, text, delimiter, options.quotes)
    findings += dialect.findings
    count = count_lines(path, name, dialect.delimiter, codec, limits)
    size = path.stat().st_size

    def report(position: int) -> None:
        progress(f"Reading {name}", position / size)

    records = _parse_with_python(path, name, codec, dialect, report)
    sample = _first_records(records, name, count.lines, limits)
    header = resolve_header(sample, name, options)
    findings += header.findings
    before = sample[: header.rows]
    names = column_names(header.names, name, header.number)
    regular = len(names) == len(header.names)
    if _has_row_names(sample[header.rows :], len(header.names)):
        names.insert(0, ROW_NAME)
        examples = join_examples([repr(cells[0]) for _, cells in sample[header.rows :][:3]])
        message = "Each row has one cell more than the header. The first one was taken as the name of the row, and is "
        message += f"called '{ROW_NAME}' ({examples}); it is not used as a feature."
        hint = "If the header lacks the name of another column, add it."
        findings.append(Finding("info", "row-names", message, hint, name))
    skipped = before[-1][0] if before else int(dialect.separator_line)
    parsed = None
    if regular and dialect.delimiter != SPACE:
        parsed = _parse_with_arrow(path, codec, dialect, names, name, skipped, report)
        if parsed is not None and count.returns and any(_contains(column, "\r") for column in parsed[0].columns):
            parsed = None  # a line end that Arrow has halved between two blocks
    if parsed is None:
        parsed = _fit_rows(itertools.chain(sample[header.rows :], records), names, name)
    table, number, found = parsed
    findings += found
    if count.zeros and ("\0" in "".join(header.names) or any(_contains(c, "\0") for c in table.columns)):
        message = "The file holds zero bytes: it is not a text table."
        raise DataError(message, "Save it as CSV again.", name, "table-damaged")
    first = [cell.strip() for cell in header.names[: len(names)]] if header.rows else []
    sheet = Sheet(name, table, number, findings, first=first)
    sheet.delimiter = dialect.delimiter
    _drop_rows(sheet)
    _drop_repeated_headers(sheet)
    if not sheet.table.num_rows and not sheet.skipped:
        raise header_only(name, names)
    _report_formulas(sheet)
    return sheet


def _first_records(
    records: Iterator[tuple[int, list[str]]], name: str, lines: int, limits: Limits
) -> list[tuple[int, list[str]]]:
    """Return the first records that are not blank, from which the header is detected."""
    filled = (record for record in records if "".join(record[1]).strip())
    first = next(filled, None)
    if first is None:
        raise empty_table(name)
    width = len(first[1])
    require_columns(width, name, limits)
    require_cells(lines, width, name, limits)
    return [first, *itertools.islice(filled, min(SCANNED_ROWS, SAMPLE_CELLS // width))]


def _has_row_names(rows: Sequence[tuple[int, list[str]]], width: int) -> bool:
    """Return whether each row has one cell more than the header: R writes row names without a name of their column."""
    widths = {len(cells) for _, cells in rows}
    return widths == {width + 1} and any(cells[-1].strip() for _, cells in rows)


def _strip_quotes(cells: Any) -> Any:
    """Remove the quotes around texts (an Arrow array), and one of two inside."""
    inner = pc.replace_substring_regex(cells, r'(?s)^ *"(.*)" *$', r"\1")
    return pc.if_else(pc.equal(cells, inner), cells, pc.replace_substring(inner, '""', '"'))


def _drop_repeated_headers(sheet: Sheet) -> None:
    """Drop and report rows that repeat the header, as in files that were joined."""
    if len(sheet.first) != sheet.table.num_columns:
        return
    repeated = np.ones(sheet.table.num_rows, dtype=bool)
    for cell, column in zip(sheet.first, sheet.table.columns, strict=True):
        if repeated.any():
            repeated &= is_true(pc.equal(column, cell))
    text, shown = "{n} {repeats} the header and {was} skipped", [f"row {n:,}" for n in sheet.number[repeated]]
    if shown:
        sheet.findings += report_examples("info", "header-repeated", text, shown, "row", "", sheet.name)
        sheet.skipped["header-repeated"] = len(shown)
        sheet.table = sheet.table.filter(pa.array(~repeated))
        sheet.number = sheet.number[~repeated]


def _contains(column: pa.ChunkedArray, text: str) -> bool:
    return bool(pc.any(pc.match_substring(column, text)).as_py())


def _refuse_binary(head: bytes, name: str) -> None:
    what = next((format_ for magic, format_ in MAGIC.items() if head.startswith(magic)), "")
    control = len(head) - len(head.translate(None, CONTROL))
    if what or (encoding.unicode_encoding(head) is None and control > 0.01 * len(head)):
        message = f"The file is not a text table: it {f'is {what}' if what else 'holds binary data'}."
        hint = "Give it the extension of its format, or save the table as CSV."
        raise DataError(message, hint, name, "table-damaged")


def _parse_with_arrow(
    path: Path,
    codec: str,
    dialect: Dialect,
    names: list[str],
    name: str,
    skipped: int,
    report: Callable[[int], None],
) -> _Parsed | None:
    """Parse the rows below the first ones; None if Arrow may not parse them as Python's csv does.

    skipped: number of rows above the first row of data.
    """
    delimiter, quoted = dialect.delimiter, dialect.quotes == "enclosing"
    ragged: dict[int, str] = {}

    def skip(row: pacsv.InvalidRow) -> str:
        ragged[row.number] = row.text
        return "skip" if len(ragged) <= max(SOME_RAGGED, row.number // 10) else "error"

    with path.open("rb") as raw:
        raw.seek(max(0, path.stat().st_size - HEAD))
        if quoted and b'"' in raw.read().rpartition(b"\n")[2]:
            return None  # a quote in a last line without a line end may be open
        raw.seek(0)
        blocks = []
        # One thread: with several, the numbers of ragged rows are unknown.
        read = pacsv.ReadOptions(
            use_threads=False, block_size=BLOCK, column_names=names, skip_rows_after_names=skipped, encoding=codec
        )
        parse = pacsv.ParseOptions(
            delimiter=delimiter,
            quote_char='"' if quoted else False,
            newlines_in_values=quoted,
            ignore_empty_lines=False,
            invalid_row_handler=skip,
        )
        convert = pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
        try:
            reader = pacsv.open_csv(raw, read, parse, convert)
            for block in reader:
                blocks.append(block)
                report(raw.tell())
        except (pa.ArrowInvalid, UnicodeError):
            return None
    table = pa.Table.from_batches(blocks, reader.schema)
    last = table.column(-1)[-1].as_py() if table.num_rows else ""
    if not (table.num_rows or ragged) or "\n" in last + next(reversed(ragged.values()), ""):
        return None  # a quote may be open
    odd = re.compile(rf'(^|{re.escape(delimiter)}) +"|\r')  # a quote after a space, and a halved line end
    if any(odd.search(text) for text in ragged.values()):
        return None
    for column in table.columns:
        if pc.any(pc.starts_with(column, " ")).as_py():  # a part of the cell or not
            return None
    begin = skipped + 1
    number = np.arange(begin, begin + table.num_rows + len(ragged))
    number = np.delete(number, np.array([*ragged], dtype=np.int64) - begin)
    if dialect.quotes == "stripped":
        table = pa.table([_strip_quotes(column) for column in table.columns], names)
    if not ragged:
        return table, number, []
    records = (_unquoted(record, dialect) for record in _csv_reader(ragged.values(), dialect))
    fitted, where, findings = _fit_rows(zip(ragged, records, strict=True), names, name)
    number = np.concatenate((number, where))
    order = np.argsort(number, kind="stable")
    return pa.concat_tables([table, fitted]).take(order), number[order], findings


def _parse_with_python(
    path: Path, name: str, codec: str, dialect: Dialect, report: Callable[[int], None]
) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of every record, blank ones and the header included.

    A first line that names the delimiter is omitted, but has a number.
    """
    row, line = 0, 1
    with path.open("rb") as raw, io.TextIOWrapper(raw, codec, "replace", newline="") as text:
        reader = _csv_reader(itertools.chain(text, [END]), dialect)
        try:
            for row, record in enumerate(reader, 1):
                if record and record[-1].endswith(END):
                    if record == [END]:
                        return
                    raise DataError(
                        f"A quote that opens in row {row} (line {max(row, line)}) is never closed: the rest of the "
                        "file is one cell.",
                        'Close the quote there, or write a quote inside a cell twice ("").',
                        f"{name}, row {row}",
                        "quote-open",
                    )
                if row > dialect.separator_line:
                    yield row, _unquoted(record, dialect)
                line = reader.line_num + 1
                if row % BATCH == 0:
                    report(raw.tell())
        except csv.Error:
            message = f"Row {row + 1} has a cell of more than {LARGEST_CELL:,} characters."
            hint = "A quote may be unclosed there. Shorten its cells."
            raise DataError(message, hint, f"{name}, row {row + 1}", "cell-too-large") from None


def _csv_reader(lines: Iterable[str], dialect: Dialect) -> Any:
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quoting=csv.QUOTE_MINIMAL if dialect.quotes == "enclosing" else csv.QUOTE_NONE,
        skipinitialspace=True,
    )


def _unquoted(cells: list[str], dialect: Dialect) -> list[str]:
    return _strip_quotes(pa.array(cells, pa.string())).to_pylist() if dialect.quotes == "stripped" else cells


def _fit_rows(records: Iterable[tuple[int, list[str]]], names: list[str], name: str) -> _Parsed:
    """Return the rows that are not blank, with as many cells as there are names; report those of another length."""
    width = len(names)
    numbers = array("q")
    long, short = array("q"), array("q")

    def fitted() -> Iterator[list[str]]:
        for row, cells in records:
            if not "".join(cells).strip():
                continue
            if len(cells) < width:
                short.append(row)
                cells += [""] * (width - len(cells))
            elif len(cells) > width:
                if "".join(cells[width:]).strip():
                    long.append(row)
                cells = cells[:width]
            if len(short) + len(long) > MOST_REJECTED:
                message = f"More than {MOST_REJECTED:,} rows do not have {pluralize(width, 'cell')} as the header does."
                hint = "Check the delimiter, and save the table again."
                raise DataError(message, hint, name, "table-damaged")
            numbers.append(row)
            yield cells

    table = gather(names, fitted())
    text = f"{{n}} {{has}} more cells than the header ({width}); the extra cells were skipped"
    hint = TITLE_ABOVE if width == 1 else "Put cells that contain the delimiter in quotes."
    findings = report_examples("warning", "row-too-long", text, _rows(long), "row", hint, name, total=len(long))
    text = f"{{n}} {{has}} fewer cells than the header ({width}); the cells at the end are missing values"
    hint = "Complete them if something is missing."
    findings += report_examples("info", "row-too-short", text, _rows(short), "row", hint, name, total=len(short))
    return table, np.array(numbers, dtype=np.int64), findings


def _rows(numbers: Sequence[int]) -> list[str]:
    return [f"row {number}" for number in numbers[:5]]


def _drop_rows(sheet: Sheet) -> None:
    """Make blank cells null, drop blank rows and those with a very large cell, and report suspicious cells."""
    columns = [pc.if_else(pa.array(blank(column)), None, column) for column in sheet.table.columns]
    longest = np.max([np.asarray(pc.fill_null(pc.binary_length(column), 0)) for column in columns], axis=0)
    large = longest > LONGEST_CELL
    shown = [f"row {n}" for n in sheet.number[large]]
    if shown:
        sheet.skipped["cell-too-large"] = len(shown)
    text = f"{{n}} {{has}} a cell of more than {LONGEST_CELL:,} characters and {{was}} skipped"
    hint = "Shorten the cell. A quote may be unclosed there."
    sheet.findings += report_examples("warning", "cell-too-large", text, shown, "row", hint, sheet.name)
    if (longest > MANY_LINES).any():
        lines = np.sum([np.asarray(pc.fill_null(pc.count_substring(c, "\n"), 0)) for c in columns], axis=0)
        shown = [f"row {sheet.number[i]:,} ({lines[i] + 1:,} lines)" for i in np.flatnonzero(lines > MANY_LINES)]
        text = "{n} {has} a cell of very many lines"
        hint = "A quote may be unclosed there, so that other rows are part of the cell."
        sheet.findings += report_examples("warning", "cell-of-many-lines", text, shown, "row", hint, sheet.name)
    kept = (longest > 0) & ~large
    sheet.table = pa.table(columns, sheet.table.column_names).filter(pa.array(kept))
    sheet.number = sheet.number[kept]


def _report_formulas(sheet: Sheet) -> None:
    """Report cells that hold a formula of a spreadsheet, not its value, with the first one of each column."""
    shown = []
    total = 0
    for name, column in zip(sheet.table.column_names, sheet.table.columns, strict=True):
        rows = np.flatnonzero(is_true(pc.match_substring_regex(column, r"^=[A-Z]+[(0-9]")))
        shown += [f"row {sheet.number[i]:,}, '{name}': {column[int(i)].as_py()[:40]}" for i in rows[:1]]
        total += len(rows)
    text, hint = "{n} {holds} a formula instead of its value", "Export the table with values."
    sheet.findings += report_examples("warning", "formulas", text, shown, "cell", hint, sheet.name, total=total)
