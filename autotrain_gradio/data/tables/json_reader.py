"""Reading rows written as JSON: one object a line, or a list of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import count_with_verb, join_examples
from autotrain_gradio.data.files import encoding
from autotrain_gradio.data.tables.table_limits import NamesOfRows, require_cells, require_json
from autotrain_gradio.data.tables.types import BATCH, Gathering, Sheet, concat_tables, empty_table

LONG_LINE = 1_000_000
"""Characters of a line from which the memory of its objects is estimated before they are made."""
MANY_NAMES = 1000
BATCH_CELLS = 2_000_000
"""Cells that are gathered before they become Arrow."""
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""Escape of a UTF-16 surrogate, which is a character only together with the other one."""


def read_json_lines(path: Path, name: str, limits: Limits) -> Sheet:
    """Read one object per line; blank lines are skipped.

    Raises:
        DataError: a line is not an object, or the file has none.
    """
    code, findings = encoding.detect_encoding(path, name)
    with path.open(encoding=code, errors="replace", newline=None) as file:
        sheet = _records(_lines(file, name, limits), name, limits)
    sheet.findings[:0] = findings
    return sheet


def read_json_list(path: Path, name: str, limits: Limits) -> Sheet:
    """Read a list of objects, which may be the only list of an object; or one object a line after all.

    Raises:
        DataError: it is neither.
    """
    text, findings = encoding.decode(path.read_bytes(), name)
    if not text.strip():
        raise empty_table(name)
    require_json(text, name, limits)
    halves = SURROGATE.search(text) is not None
    try:
        value = json.loads(text)
    except ValueError as error:
        found = error if isinstance(error, json.JSONDecodeError) else None
        if found is None or found.msg != "Extra data":
            why, place = (found.msg, f"{name}, line {found.lineno}") if found else (str(error), name)
            raise DataError(f"The file is not JSON: {why}.", "Save it again.", place, "json-damaged") from None
        sheet = _records(_lines(text.split("\n"), name, limits), name, limits)
    except RecursionError:
        raise DataError(
            "The file is nested too deeply.", "Save it as a list of objects.", name, "json-damaged"
        ) from None
    else:
        objects = enumerate(_list(value, name), 1)
        sheet = _records(((n, _Repaired(o) if halves else o) for n, o in objects), name, limits)
    sheet.findings[:0] = findings
    return sheet


def _list(value: Any, name: str) -> list[Any]:
    if isinstance(value, dict):
        lists = [v for v in value.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
        if len(lists) == 1:
            value = lists[0]
    if not isinstance(value, list):
        raise DataError(
            "The JSON is not a list of objects.", "Save it as [{…}, {…}] or one object a line.", name, "json-no-table"
        )
    return value


def _lines(lines: Iterable[str], name: str, limits: Limits) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            if len(line) > LONG_LINE:
                require_json(line, f"{name}, row {number}", limits)
            try:
                value = json.loads(line)
                yield number, _Repaired(value) if SURROGATE.search(line) else value
            except (ValueError, RecursionError) as error:  # ValueError: a number of thousands of digits
                why = "nested too deeply" if isinstance(error, RecursionError) else getattr(error, "msg", str(error))
                raise DataError(
                    f"This line is no JSON: {why}.",
                    "Each line must be one object.",
                    f"{name}, row {number}",
                    "json-damaged",
                ) from None


class _Repaired:
    """An object that may hold halves of characters: `value` has the sign for an unknown character in their place."""

    def __init__(self, given: Any) -> None:
        text = json.dumps(given, ensure_ascii=False)
        whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        self.changed = whole != text
        self.value = json.loads(whole) if self.changed else given


def _half_characters(rows: list[int], name: str) -> Finding:
    return Finding(
        "warning",
        "half-characters",
        f"{count_with_verb(len(rows), 'row', 'holds')} half of a character (a cut emoji, perhaps), which "
        f"was replaced by \ufffd: {join_examples([f'row {n}' for n in rows[:5]], len(rows))}.",
        "Cut texts between characters.",
        name,
    )


def _records(records: Iterable[tuple[int, Any]], name: str, limits: Limits) -> Sheet:
    """Make columns of objects; names that come later are columns too, empty before."""
    parts: list[Gathering] = []
    waiting: list[tuple[int, dict[str, Any]]] = []

    def gather() -> None:
        names = list(dict.fromkeys(str(k) for _, record in waiting for k in record))
        part = Gathering(names)
        for number, record in waiting:
            part.add(number, [record.get(n) for n in names])
        parts.append(part)
        waiting.clear()
        # Objects with ever new names: each name is a column of each part.
        require_cells(number, len(names_of_rows), name, limits, python=len(names_of_rows) > MANY_NAMES)

    repaired: list[int] = []
    names_of_rows = NamesOfRows(name, limits)
    for number, record in records:
        if isinstance(record, _Repaired):
            if record.changed:
                repaired.append(number)
            record = record.value
        if not isinstance(record, dict):
            raise DataError(
                f"This row is {type(record).__name__}, not an object with named values.",
                'Write {"text": …, "label": …}.',
                f"{name}, row {number}",
                "json-no-table",
            )
        names_of_rows.add(record)
        waiting.append((number, record))
        if len(waiting) >= min(BATCH, max(1, BATCH_CELLS // max(1, len(names_of_rows)))):
            gather()
    if waiting:
        gather()
    if not parts:
        raise empty_table(name)
    findings = [_half_characters(repaired, name)] if repaired else []
    return Sheet(name, concat_tables([p.table() for p in parts]), np.concatenate([p.number() for p in parts]), findings)
