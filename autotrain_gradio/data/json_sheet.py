"""Reading rows written as JSON: one object a line, or a list of objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio.data import encoding
from autotrain_gradio.data.sheets import BATCH, Gathering, Sheet, empty, together
from autotrain_gradio.errors import DataError


def read_json_lines(path: Path, name: str) -> Sheet:
    """Read one object a line; blank lines are passed over.

    Raises:
        DataError: a line is no object, or there is none.
    """
    code, findings = encoding.of_file(path, name)
    with path.open(encoding=code, errors="replace", newline=None) as file:
        sheet = _records(_lines(file, name), name)
    sheet.findings[:0] = findings
    return sheet


def read_json_list(path: Path, name: str) -> Sheet:
    """Read a list of objects, which may be the only list of an object; or one object a line after all.

    Raises:
        DataError: it is neither.
    """
    text, findings = encoding.decode(path.read_bytes(), name)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise DataError(
                f"The file is no JSON: {error.msg}.", "Save it again.", f"{name}, line {error.lineno}", "json-damaged"
            ) from None
        sheet = _records(_lines(text.split("\n"), name), name)
    except RecursionError:
        raise DataError(
            "The file is nested too deeply.", "Save it as a list of objects.", name, "json-damaged"
        ) from None
    else:
        sheet = _records(enumerate(_list(value, name), 1), name)
    sheet.findings[:0] = findings
    return sheet


def _list(value: Any, name: str) -> list[Any]:
    if isinstance(value, dict):
        lists = [v for v in value.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
        if len(lists) == 1:
            value = lists[0]
    if not isinstance(value, list):
        raise DataError(
            "The JSON is no list of objects.", "Save it as [{…}, {…}] or one object a line.", name, "json-no-table"
        )
    return value


def _lines(lines: Iterable[str], name: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(lines, 1):
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


def _records(records: Iterable[tuple[int, Any]], name: str) -> Sheet:
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

    for number, record in records:
        if not isinstance(record, dict):
            raise DataError(
                f"This row is {type(record).__name__}, not an object with named values.",
                'Write {"text": …, "label": …}.',
                f"{name}, row {number}",
                "json-no-table",
            )
        waiting.append((number, record))
        if len(waiting) >= BATCH:
            gather()
    if waiting:
        gather()
    if not parts:
        raise empty(name)
    return Sheet(name, together([p.table() for p in parts]), np.concatenate([p.number() for p in parts]))
