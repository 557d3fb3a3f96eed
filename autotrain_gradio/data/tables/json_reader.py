"""Reading rows written as JSON: one object a line, or a list of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.data.files import encoding
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.tables.table_limits import add_names, require_cells, require_json
from autotrain_gradio.data.tables.types import BATCH, BATCH_CELLS, Sheet, column_array, concat_tables, empty_table

LONG_LINE = 1_000_000
"""Characters of a line from which the memory of its objects is estimated before they are made."""
MANY_NAMES = 1000
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""Escape of a UTF-16 surrogate, which is a character only together with the other one."""


def read_json_lines(path: Path, name: str, limits: Limits, code: str) -> Sheet:
    """Read one object per line; blank lines are skipped.

    Raises:
        DataError: a line is not an object, or the file has none.
    """
    code, findings = encoding.detect_encoding(path, name, code)
    with path.open(encoding=code, errors="replace", newline=None) as file:
        return _sheet(_lines(file, name, limits), name, findings, limits)


def read_json_list(path: Path, name: str, limits: Limits, code: str) -> Sheet:
    """Read a list of objects, which may be the only list of an object; or one object a line after all.

    Raises:
        DataError: it is neither.
    """
    text, findings = encoding.decode(path.read_bytes(), name, code)
    if not text.strip():
        raise empty_table(name)
    require_json(text, name, limits)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise _damaged("file", error, f"{name}, line {error.lineno}", "Save it again.") from None
        return _sheet(_lines(text.split("\n"), name, limits), name, findings, limits)
    except (ValueError, RecursionError) as error:
        raise _damaged("file", error, name, "Save it as a list of objects.") from None
    if isinstance(value, dict):
        lists = [v for v in value.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
        value = lists[0] if len(lists) == 1 else value
    if not isinstance(value, list):
        hint = "Save it as [{…}, {…}] or one object a line."
        raise DataError("The JSON is not a list of objects.", hint, name, "json-no-table")
    surrogates = SURROGATE.search(text) is not None
    return _sheet(((n, record, surrogates) for n, record in enumerate(value, 1)), name, findings, limits)


def _damaged(what: str, error: Exception, where: str, hint: str) -> DataError:
    # A ValueError without `msg` is a number of thousands of digits.
    why = "nested too deeply" if isinstance(error, RecursionError) else getattr(error, "msg", str(error))
    return DataError(f"The {what} is not JSON: {why}.", hint, where, "json-damaged")


def _lines(lines: Iterable[str], name: str, limits: Limits) -> Iterator[tuple[int, Any, bool]]:
    """Yield the number and the value of each line, and whether it may have surrogates."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            if len(line) > LONG_LINE:
                require_json(line, f"{name}, row {number}", limits)
            try:
                yield number, json.loads(line), SURROGATE.search(line) is not None
            except (ValueError, RecursionError) as error:
                raise _damaged("line", error, f"{name}, row {number}", "Each line must be one object.") from None


def _sheet(records: Iterable[tuple[int, Any, bool]], name: str, findings: list[Finding], limits: Limits) -> Sheet:
    """Make columns of objects; a name that occurs later is a column too, null before.

    records: number, value, and whether it may have surrogates, which are replaced where the other one is missing.
    """
    tables: list[pa.Table] = []
    numbers: list[int] = []
    replaced: list[str] = []
    names_of_rows: set[str] = set()
    rows: list[dict[str, Any]] = []

    def flush() -> None:
        names = dict.fromkeys(key for row in rows for key in row)
        tables.append(pa.table({n: column_array([row.get(n) for row in rows]) for n in names}))
        rows.clear()
        # Objects with ever new names: each name is a column of each table.
        require_cells(numbers[-1], len(names_of_rows), name, limits, python=len(names_of_rows) > MANY_NAMES)

    for number, record, surrogates in records:
        if not isinstance(record, dict):
            message = f"This row is {type(record).__name__}, not an object with named values."
            raise DataError(message, 'Write {"text": …, "label": …}.', f"{name}, row {number}", "json-no-table")
        if surrogates:
            text = json.dumps(record, ensure_ascii=False)
            valid = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
            if valid != text:
                replaced.append(f"row {number}")
                record = json.loads(valid)
        add_names(names_of_rows, record, name, limits)
        rows.append(record)
        numbers.append(number)
        if len(rows) >= min(BATCH, max(1, BATCH_CELLS // max(1, len(names_of_rows)))):
            flush()
    if rows:
        flush()
    if not tables:
        raise empty_table(name)
    text = "{n} {holds} half of a character (a truncated emoji, perhaps), which was replaced by \ufffd"
    hint = "Truncate texts between characters."
    findings += report_examples("warning", "half-characters", text, replaced, "row", hint, name)
    return Sheet(name, concat_tables(tables), np.array(numbers, dtype=np.int64), findings)
