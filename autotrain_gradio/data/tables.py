"""Reading the rows of a small text table: CSV, TSV, JSON lines, JSON, and Parquet without media."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from autotrain_gradio.data.rows import counted, listed
from autotrain_gradio.errors import DataError, Finding

TEXT_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".txt")
SUFFIXES = (*TEXT_SUFFIXES, ".parquet")
DELIMITERS = ",;\t|"
LONGEST_CELL = 1_000_000
LARGEST = 2 * 1024**3
"""Bytes of a text table beyond which it is refused: it would be held in memory."""


@dataclass
class Table:
    """Rows of one file: column → values, all of the same length; `number[i]` is the row as a spreadsheet counts."""

    name: str
    columns: dict[str, list[Any]] = field(default_factory=dict)
    number: list[int] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    """The cells of the first line of a CSV, which may turn out to be no header."""

    def without_header(self) -> Table:
        """Return the table with its first line as a row, and columns named by their number."""
        names = [f"column {k}" for k in range(1, len(self.first) + 1)]
        old = list(self.columns.values())
        columns = {n: [v or None, *rest] for n, v, rest in zip(names, self.first, old, strict=True)}
        return Table(self.name, columns, [1, *self.number], self.findings)


def read_table(path: Path, name: str) -> Table:
    """Read a table, whatever its encoding and delimiter.

    name: how messages call the file.

    Raises:
        DataError: it is no table, too large, or damaged.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _parquet(path, name)
    if path.stat().st_size > LARGEST:
        raise DataError(
            f"The table has {path.stat().st_size / 2**30:.1f} GiB: too large to be read as text.",
            "Save it as Parquet.",
            name,
            "table-too-large",
        )
    text, findings = decode(path.read_bytes(), name)
    if suffix in {".jsonl", ".ndjson"}:
        table = _records(_json_lines(text, name), name)
    elif suffix == ".json":
        table = _json(text, name)
    else:
        table = _csv(text, name, "\t" if suffix == ".tsv" else None)
    table.findings[:0] = findings
    return table


def decode(data: bytes, name: str) -> tuple[str, list[Finding]]:
    """Turn bytes into text: UTF-8 (with or without mark), UTF-16, else Windows' Western European, which is told."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace"), []
    head = data[:4000]
    if head.count(0) > len(head) / 4:  # UTF-16 without its mark: every second byte of Western text is 0
        return data.decode("utf-16-be" if head[:1] == b"\0" else "utf-16-le", "replace"), []
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        encoding = "cp1252" if not any(b in data for b in (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")) else "latin-1"
        finding = Finding(
            "info",
            "encoding-guessed",
            f"The file is not UTF-8 and was read as Western European text ({encoding}).",
            "Save it as UTF-8 if letters look wrong.",
            f"{name}, line {line}",
        )
        return data.decode(encoding), [finding]


def _csv(text: str, name: str, delimiter: str | None) -> Table:
    csv.field_size_limit(LONGEST_CELL)
    if "\0" in text:
        raise DataError(
            "The file holds zero bytes: it is no text table.", "Save it as CSV again.", name, "table-damaged"
        )
    delimiter = delimiter or find_delimiter(text)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, skipinitialspace=True)
    try:
        records = [(n, row) for n, row in enumerate(reader, 1) if row and any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise DataError(
            f"The table cannot be read: {error}.",
            "Look at its quotes.",
            f"{name}, line {reader.line_num}",
            "table-damaged",
        ) from None
    if not records:
        raise DataError("The table is empty.", "Save it again with a header and its rows.", name, "table-empty")
    header = [cell.strip() for cell in records[0][1]]
    while header and not header[-1]:
        header.pop()
    twice = [n for n, c in Counter(header).items() if c > 1]
    if twice:
        raise DataError(
            f"Two columns have the name '{twice[0]}'.", "Rename one of them.", f"{name}, row 1", "column-twice"
        )
    names = [n or f"column {k}" for k, n in enumerate(header, 1)]
    table = Table(name, {n: [] for n in names}, first=header)
    ragged = []
    for number, row in records[1:]:
        if len(row) > len(names) and any(cell.strip() for cell in row[len(names) :]):
            ragged.append(number)
        for k, column in enumerate(table.columns.values()):
            cell = row[k] if k < len(row) else ""
            column.append(cell if cell.strip() else None)
        table.number.append(number)
    if ragged:
        table.findings.append(
            Finding(
                "warning",
                "row-too-long",
                f"{counted(len(ragged), 'row')} {'has' if len(ragged) == 1 else 'have'} more cells than the header "
                f"({len(names)}): {listed([f'row {n}' for n in ragged])}. The cells beyond were not read.",
                "Put cells that contain the delimiter in quotes.",
                name,
            )
        )
    return table


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


def _json_lines(text: str, name: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                why = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
                raise DataError(
                    f"This line is no JSON: {why}.",
                    "Each line must be one object.",
                    f"{name}, row {number}",
                    "json-damaged",
                ) from None


def _json(text: str, name: str) -> Table:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            return _records(_json_lines(text, name), name)
        raise DataError(
            f"The file is no JSON: {error.msg}.", "Save it again.", f"{name}, line {error.lineno}", "json-damaged"
        ) from None
    except RecursionError:
        raise DataError(
            "The file is nested too deeply.", "Save it as a list of objects.", name, "json-damaged"
        ) from None
    if isinstance(value, dict):
        lists = [v for v in value.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
        if len(lists) == 1:
            value = lists[0]
    if not isinstance(value, list):
        raise DataError(
            "The JSON is no list of objects.", "Save it as [{…}, {…}] or one object a line.", name, "json-no-table"
        )
    return _records(enumerate(value, 1), name)


def _records(records: Any, name: str) -> Table:
    rows: list[tuple[int, dict[str, Any]]] = []
    names: dict[str, None] = {}
    for number, record in records:
        if not isinstance(record, dict):
            raise DataError(
                f"This row is {type(record).__name__}, not an object with named values.",
                'Write {"file_name": …, "label": …}.',
                f"{name}, row {number}",
                "json-no-table",
            )
        rows.append((number, record))
        names.update(dict.fromkeys(str(k) for k in record))
    if not rows:
        raise DataError("The table is empty.", "Save it again with its rows.", name, "table-empty")
    table = Table(name, {n: [record.get(n) for _, record in rows] for n in names}, [n for n, _ in rows])
    return table


def _parquet(path: Path, name: str) -> Table:
    try:
        with pq.ParquetFile(path) as file:
            # Files inside the table are not of interest here, and may be large.
            kept = [
                f.name for f in file.schema_arrow if not pa.types.is_nested(f.type) and not pa.types.is_binary(f.type)
            ]
            data = file.read(columns=kept)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError(
            f"The Parquet file cannot be read: {error}.", "Write or copy it again.", name, "parquet-damaged"
        ) from None
    return Table(name, {n: data.column(n).to_pylist() for n in kept}, list(range(1, data.num_rows + 1)))


def column_array(values: list[Any]) -> pa.Array:
    """Return values of one column as an Arrow array; of mixed types, all as text."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([v if v is None or isinstance(v, str) else _as_text(v) for v in values], pa.string())


def _as_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def looks_like_url(value: str) -> bool:
    """Say whether a cell is an address on the web."""
    return re.match(r"^[a-z][a-z0-9+.-]*://", value, re.IGNORECASE) is not None
