"""Reading delimited text: Arrow parses the rows, Python's csv those that do not fit the header.

Arrow and not DuckDB or Polars: it is installed already (DuckDB adds 69 MB, Polars 170 MB), reads every encoding that
Python knows, and hands over the rows that do not fit with their numbers and their text. It does not parse quotes after
a space (`1, "a, b"`), and does not report which cells were quoted: the spaces of `"  a"` belong to the value (RFC
4180), those of `1,  a` do not. Files with either go through Python's csv first.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import MIB, count_with_verb, inflect, join_examples, pluralize
from autotrain_gradio.data.files import encoding
from autotrain_gradio.data.rows import Progress
from autotrain_gradio.data.tables.table_limits import DEFAULT, count_lines, require_cells, require_columns
from autotrain_gradio.data.tables.types import TITLE_ABOVE, Sheet, column_names, empty_table, header_only
from autotrain_gradio.data.values.arrow_columns import blank, is_true

DELIMITERS = ",;\t|"
LONGEST_CELL = 1_000_000
"""Characters of a cell beyond which its row is skipped."""
LONGEST_ROW = 64 * MIB
"""Maximum bytes of a row: beyond, the file is not a table, or a quote is not closed. Block size of Arrow."""
MOST_REJECTED = 1_000_000
"""Maximum number of rows that do not fit the header: they are Python objects."""
MANY_LINES = 500
"""Line breaks in a cell from which an unclosed quote is likely."""
HEAD = 262_144
CHUNK = 8 * MIB
END = "\ue000end of the table\ue000"
"""A row that is appended to the file: if it becomes part of a cell, a quote is not closed."""


def read_csv(path: Path, name: str, delimiter: str | None, progress: Progress, limits: Limits = DEFAULT) -> Sheet:
    """Read a delimited text file. All cells are text; an empty one is null.

    delimiter: None: the one that the first lines show.

    Raises:
        DataError: it is empty or binary, two columns have the same name, or a quote is not closed.
    """
    csv.field_size_limit(max(LONGEST_ROW, HEAD))  # of the whole process; its default is 131,072
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head.removeprefix(b"\xef\xbb\xbf").strip():
        raise empty_table(name)
    unicode = encoding.unicode_encoding(head)
    _refuse_binary(head, unicode, name)
    codec, findings = encoding.detect_encoding(path, name)
    delimiter = delimiter or find_delimiter(head.decode(codec, "replace"))
    lines = count_lines(path, name, delimiter, codec, limits)
    _require_cells(path, name, codec, delimiter, lines, limits)
    parsed = _parse(path, name, codec, delimiter, progress)
    if parsed.needs_python:
        parsed = _parse(path, name, codec, delimiter, progress, normalize=True)
    sheet = _sheet(parsed, name)
    if not sheet.table.num_rows and not sheet.skipped:
        raise header_only(name, sheet.table.column_names)
    sheet.findings[:0] = findings
    sheet.findings += _formulas(sheet)
    return sheet


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
CONTROL = bytes([*range(1, 9), *range(14, 27), *range(28, 32)])


def _refuse_binary(head: bytes, unicode: str | None, name: str) -> None:
    what = next((format_ for magic, format_ in MAGIC.items() if head.startswith(magic)), "")
    control = len(head) - len(head.translate(None, CONTROL))
    if what or (unicode is None and control > 0.01 * len(head)):
        raise DataError(
            f"The file is not a text table{f': it is {what}' if what else ': it holds binary data'}.",
            "Give it the extension of its format, or save the table as CSV.",
            name,
            "table-damaged",
        )


def find_delimiter(text: str) -> str:
    """Return the delimiter that splits the first lines into the same number of cells, more than one."""
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    best, score = ",", (0, 0)
    for delimiter in DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        if widths and widths[0] > 1:
            found = (sum(w == widths[0] for w in widths), widths[0])
            if found > score:
                best, score = delimiter, found
    return best


@dataclass
class _Parsed:
    """Rows as they are in the file.

    names: of the columns; width: cells of the header, which may end with some without a name.
    number: per row of the table its number. ragged: number → cells of rows of another length.
    needs_python: a cell begins with spaces and a quote, or with a quote and a space: Arrow alone cannot parse the file.
    normalized: spaces before cells were removed, those inside quotes were not.
    """

    names: list[str]
    first: list[str]
    table: pa.Table
    number: Any
    ragged: dict[int, list[str]]
    needs_python: bool
    normalized: bool


def _parse(
    path: Path, name: str, codec: str, delimiter: str, progress: Progress, *, normalize: bool = False
) -> _Parsed:
    """Parse all rows. normalize: Python's csv parses them first, which knows spaces before quotes, and is slow."""
    size = max(1, path.stat().st_size)
    rejected: list[pacsv.InvalidRow] = []

    def reject(row: pacsv.InvalidRow) -> str:
        rejected.append(row)
        return "skip" if len(rejected) <= MOST_REJECTED else "error"

    with path.open("rb") as raw:
        text = io.TextIOWrapper(raw, encoding=codec, errors="replace", newline="")
        record, row, lines = _header(text, name, delimiter)
        names = column_names(record, name, row)
        chunks = _normalized(text, delimiter) if normalize else _chunks(text)
        source = _Source(chunks, delimiter, lambda: progress(f"Reading {name}", raw.tell() / size))
        numbers = [str(k) for k in range(len(record))]
        try:
            table = pacsv.read_csv(
                source,
                pacsv.ReadOptions(column_names=numbers, block_size=LONGEST_ROW, use_threads=False),
                pacsv.ParseOptions(
                    delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=reject
                ),
                pacsv.ConvertOptions(column_types=dict.fromkeys(numbers, pa.string()), strings_can_be_null=False),
            )
        except (pa.ArrowInvalid, csv.Error):
            if len(rejected) > MOST_REJECTED:
                raise _not_rectangular(len(record), name) from None
            # a row of more bytes than a block has
            raise _too_large(path, name, codec, delimiter) from None
    if source.zeros:
        raise _zero_bytes(name)
    number = np.delete(np.arange(table.num_rows + len(rejected)), [r.number - 1 for r in rejected]) + row + 1
    # The last row is `END`. It has one cell, so that it is rejected where the table has more columns.
    if rejected and row + rejected[-1].number > number.max(initial=0):
        last = rejected.pop().text
    else:
        last = "\n".join(str(column[-1]) for column in table.columns)
        table, number = table.slice(0, table.num_rows - 1), number[:-1]
    if last.strip() != END:
        raise _quote_open(row + len(number) + len(rejected) + 1, lines + source.lines - last.rstrip().count("\n"), name)
    ragged = {row + r.number: next(csv.reader([r.text], delimiter=delimiter), []) for r in rejected}
    spaced = re.compile(rf'(^|{re.escape(delimiter)}) +"')
    needs_python = not normalize and (
        source.quoted_spaces
        or any(spaced.search(r.text) for r in rejected)
        or any(_begin_with(column, '^ +"') for column in table.columns)
    )
    first = [c.strip() for c in record[: len(names)]]
    return _Parsed(names, first, table, number, ragged, needs_python, normalize)


def _require_cells(path: Path, name: str, codec: str, delimiter: str, lines: int, limits: Limits) -> None:
    with path.open("rb") as raw:
        record, _, _ = _header(io.TextIOWrapper(raw, encoding=codec, errors="replace", newline=""), name, delimiter)
    require_columns(len(record), name, limits)
    require_cells(lines, len(record), name, limits)


def _not_rectangular(width: int, name: str) -> DataError:
    return DataError(
        f"More than {MOST_REJECTED:,} rows do not have {pluralize(width, 'cell')} as the header does.",
        "Check the delimiter, and save the table again.",
        name,
        "table-damaged",
    )


def _begin_with(column: pa.ChunkedArray, pattern: str) -> bool:
    """Say whether a cell begins as the pattern does, which begins as a space; a search for the space rules most out."""
    space = pc.starts_with(column, " ")
    return bool(pc.any(space).as_py() and pc.any(pc.match_substring_regex(column.filter(space), pattern)).as_py())


def _header(text: io.TextIOWrapper, name: str, delimiter: str) -> tuple[list[str], int, int]:
    """Read the first record that is not blank; return it, its number, and the number of its last line."""
    reader = csv.reader(itertools.chain(text, [END]), delimiter=delimiter, skipinitialspace=True)
    for row, record in enumerate(reader, 1):
        if END in "".join(record):
            raise empty_table(name) if record == [END] else _quote_open(row, row, name)
        if any("\0" in cell for cell in record):
            raise _zero_bytes(name)
        if any(not _is_blank(cell) for cell in record):
            return record, row, reader.line_num
    raise empty_table(name)


def _chunks(text: io.TextIOWrapper) -> Iterator[str]:
    """Yield the rest of a file and the row `END`."""
    last = "\n"
    while chunk := text.read(CHUNK):
        yield chunk
        last = chunk[-1]
    yield f"{END}\n" if last in "\r\n" else f"\n{END}\n"


def _normalized(text: io.TextIOWrapper, delimiter: str) -> Iterator[str]:
    """Yield the rest of a file and the row `END`, without spaces before quotes."""
    reader = csv.reader(itertools.chain(text, [END]), delimiter=delimiter, skipinitialspace=True)
    while records := list(itertools.islice(reader, 1000)):
        written = io.StringIO(newline="")
        csv.writer(written, delimiter=delimiter, lineterminator="\n").writerows(records)
        yield written.getvalue()


class _Source(io.RawIOBase):
    """Text as a file in UTF-8, for Arrow.

    zeros: it has a zero byte. lines: number of line ends. quoted_spaces: a quote directly after a delimiter or a line
    end is followed by a space (this can also be inside a quoted cell).
    """

    def __init__(self, chunks: Iterator[str], delimiter: str, progress: Callable[[], None]) -> None:
        super().__init__()
        self._chunks, self._progress, self._held = chunks, progress, b""
        self._patterns, self._tail = [f'{before}" ' for before in f"{delimiter}\n\r"], "\n"
        self.zeros, self.lines, self.quoted_spaces = False, 0, False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Return so many bytes; fewer at the end, or where \\r would be the last: Arrow would lose the \\n after it."""
        parts, held = [self._held], len(self._held)
        while held < size and (chunk := next(self._chunks, None)) is not None:
            self.zeros = self.zeros or "\0" in chunk
            self.lines += chunk.count("\n")
            if not self.quoted_spaces:
                text = self._tail + chunk
                self.quoted_spaces, self._tail = any(p in text for p in self._patterns), text[-2:]
            parts.append(chunk.encode())
            held += len(parts[-1])
            self._progress()
        data = b"".join(parts)
        end = min(size, held)
        if end > 1 and data[end - 1] == ord("\r"):
            end -= 1
        self._held = data[end:]
        return data[:end]


def _zero_bytes(name: str) -> DataError:
    return DataError(
        "The file holds zero bytes: it is not a text table.", "Save it as CSV again.", name, "table-damaged"
    )


def _quote_open(row: int, line: int, name: str) -> DataError:
    return DataError(
        f"A quote that opens in row {row} (line {max(row, line)}) is never closed: the rest of the file is one cell.",
        'Close the quote there, or write a quote inside a cell twice ("").',
        f"{name}, row {row}",
        "quote-open",
    )


def _too_large(path: Path, name: str, codec: str, delimiter: str) -> DataError:
    """Return the error of a row that is too large, with its number."""
    row = 0
    with path.open(encoding=codec, errors="replace", newline="") as text:
        try:
            for record in csv.reader(text, delimiter=delimiter, skipinitialspace=True):
                row += 1
                if sum(len(cell.encode()) for cell in record) > LONGEST_ROW:
                    break
        except csv.Error:
            row += 1
    return DataError(
        f"Row {row} has more than {LONGEST_ROW:,} bytes.",
        "A quote may be unclosed there. Shorten its cells.",
        f"{name}, row {row}",
        "cell-too-large",
    )


# -- from rows to columns


def _is_blank(cell: str) -> bool:
    return not cell or cell.isspace()


def _sheet(parsed: _Parsed, name: str) -> Sheet:
    """Return the rows that hold anything, blank cells null; those of another length than the header are reported."""
    names, table, number = parsed.names, parsed.table, parsed.number
    width = len(names)
    long = [int(n) for column in table.columns[width:] for n in number[~blank(column)]]
    short, rows = [], {}
    for n, cells in parsed.ragged.items():
        if all(map(_is_blank, cells)):
            continue
        if len(cells) < width:
            short.append(n)
        elif any(not _is_blank(cell) for cell in cells[width:]):
            long.append(n)
        rows[n] = [*cells[:width], *[""] * (width - len(cells))]
    table = table.select(range(width)).rename_columns(names)
    if rows:
        ragged_rows = pa.table(list(zip(*rows.values(), strict=True)), table.schema)
        number = np.concatenate((number, np.fromiter(rows, np.int64)))
        order = np.argsort(number)
        table, number = pa.concat_tables([table, ragged_rows]).take(order), number[order]
    if not parsed.normalized:
        table = pa.table([_skip_initial_spaces(column) for column in table.columns], names)
    table = pa.table([_null_if_blank(column) for column in table.columns], names)
    empty, large, lines = (np.zeros(len(number), kind) for kind in (bool, bool, np.int64))
    empty[:] = True
    for column in table.columns:
        empty &= np.asarray(column.is_null())
        sizes = np.asarray(pc.fill_null(pc.binary_length(column), 0))
        large |= sizes > LONGEST_CELL
        if (sizes > MANY_LINES).any():
            lines += np.asarray(pc.fill_null(pc.count_substring(column, "\n"), 0))
    sheet = Sheet(name, table, number, _ragged(sorted(set(long)), short, name, width), first=parsed.first)
    if large.any():
        rows = number[large].tolist()
        sheet.skipped["cell-too-large"] = len(rows)
        sheet.findings.append(
            Finding(
                "warning",
                "cell-too-large",
                f"{count_with_verb(len(rows), 'row', 'has')} a cell of more than "
                f"{LONGEST_CELL:,} characters and {inflect(len(rows), 'was')} skipped: {_rows(rows)}.",
                "Shorten the cell. A quote may be unclosed there.",
                name,
            )
        )
    many = np.flatnonzero(lines > MANY_LINES)
    if len(many):
        shown = [f"row {number[i]:,} ({lines[i] + 1:,} lines)" for i in many[:5]]
        sheet.findings.append(
            Finding(
                "warning",
                "cell-of-many-lines",
                f"{count_with_verb(len(many), 'row', 'has')} a cell of very many lines: "
                f"{join_examples(shown, len(many))}.",
                "A quote may be unclosed there, so that other rows are part of the cell.",
                name,
            )
        )
    if (empty | large).any():
        kept = ~(empty | large)
        sheet.table, sheet.number = table.filter(pa.array(kept)), number[kept]
    return sheet


def _skip_initial_spaces(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return cells without the spaces before them."""
    return pc.utf8_ltrim(column, " ") if pc.any(pc.starts_with(column, " ")).as_py() else column


def _null_if_blank(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return cells, null where they are empty or hold only whitespace."""
    empty = blank(column)
    return pc.if_else(pa.array(empty), None, column) if empty.any() else column


def _ragged(long: list[int], short: list[int], name: str, width: int) -> list[Finding]:
    """Report rows that have more or fewer cells than the header."""
    findings = []
    if long:
        findings.append(
            Finding(
                "warning",
                "row-too-long",
                f"{count_with_verb(len(long), 'row', 'has')} more cells than the header "
                f"({width}): {_rows(long)}. The extra cells were skipped.",
                TITLE_ABOVE if width == 1 else "Put cells that contain the delimiter in quotes.",
                name,
            )
        )
    if short:
        findings.append(
            Finding(
                "info",
                "row-too-short",
                f"{count_with_verb(len(short), 'row', 'has')} fewer cells than the header "
                f"({width}): {_rows(short)}. The cells at the end are missing values.",
                "Complete them if something is missing.",
                name,
            )
        )
    return findings


def _rows(numbers: list[int]) -> str:
    return join_examples([f"row {n}" for n in numbers[:5]], len(numbers))


def _formulas(sheet: Sheet) -> list[Finding]:
    """Report cells that hold a formula of a spreadsheet, not its value."""
    shown: list[str] = []
    total = 0
    for name, column in zip(sheet.table.column_names, sheet.table.columns, strict=True):
        rows = np.flatnonzero(is_true(pc.starts_with(column, "=")))
        cells = column.take(rows)
        formulas = np.flatnonzero(is_true(pc.match_substring_regex(cells, r"^=[A-Z]+\(|^=[A-Z]+[0-9]+")))
        if len(formulas):
            total += len(formulas)
            first = int(formulas[0])
            shown.append(f"row {sheet.number[rows[first]]:,}, '{name}': {cells[first].as_py()[:40]}")
    if not total:
        return []
    return [
        Finding(
            "warning",
            "formulas",
            f"{count_with_verb(total, 'cell', 'holds')} a formula instead of its value: {join_examples(shown)}.",
            "Export the table with values.",
            sheet.name,
        )
    ]
