"""Parsing and validation of the lines of `control.jsonl` and `events.jsonl` (docs/architecture.md).

A line is used only if all its fields have their types: code that derives a state or a snapshot does not check again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from autotrain_gradio.core.text_format import is_number

Record = dict[str, Any]
Test = Callable[[Any], bool]
MAX_ATTEMPT = 1_000_000
YEAR_9999 = 253_402_300_799.0
"""Largest time that can be shown, in seconds since the epoch."""


def is_count(value: Any) -> bool:
    """Whether a value is a number that is not negative, small enough to be exact as a float."""
    return is_number(value) and 0 <= value < 2**53


def is_time(value: Any) -> bool:
    """Whether a value is a time in seconds since the epoch."""
    return is_number(value) and 0 <= value <= YEAR_9999


def is_text(value: Any) -> bool:
    """Whether a value is a text."""
    return isinstance(value, str)


def is_object(value: Any) -> bool:
    """Whether a value is a JSON object."""
    return isinstance(value, dict)


def _is_finding(value: Any) -> bool:
    names = ("level", "code", "message", "hint", "where")
    return isinstance(value, dict) and "message" in value and all(is_text(value[n]) for n in names if n in value)


def _are_metrics(value: Any) -> bool:
    return isinstance(value, dict) and all(v is None or is_number(v) for v in value.values())


def is_panel(value: Any) -> bool:
    """Whether a value is a panel as it is stored."""
    return isinstance(value, dict) and is_text(value.get("kind"))


def optional(test: Test) -> Test:
    """Return the test of a field that may be null."""
    return lambda value: value is None or test(value)


_REASON: Mapping[str, Test] = {"reason": optional(is_text), "hint": optional(is_text)}
FIELDS: Mapping[str, Mapping[str, Test]] = {
    "interrupted": _REASON,
    "cancelled": _REASON,
    "failed": _REASON,
    "kill": _REASON,
    "state": {"state": is_text, "detail": optional(is_text)},
    "progress": {
        "step": is_count,
        "total": is_count,
        "epoch": is_count,
        "epochs": is_count,
        "unit": optional(is_text),
        "left": optional(is_number),
    },
    "metric": {"step": is_count, "values": _are_metrics},
    "result": {"values": _are_metrics},
    "sample": {"step": is_count, "panel": is_panel},
    "note": {name: optional(is_text) for name in ("level", "message", "hint")},
    "checkpoint": {"step": is_count, "path": is_text},
    "artifact": {"name": is_text, "path": is_text},
    "error": {"finding": _is_finding},
}
"""Kind → the tests of its fields, besides `kind`, `attempt` and `time`, which all have. Unknown kinds are kept: a later
version may have written them."""


def parse_line(line: bytes) -> Record | None:
    """Return the record of a line; None if it is not JSON, or if a field is missing or has another type."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and is_record(found) else None


def is_record(found: Mapping[str, Any]) -> bool:
    """Whether an object has the fields of its kind, with their types."""
    kind, attempt = found.get("kind"), found.get("attempt")
    if not isinstance(kind, str) or not is_time(found.get("time")):
        return False
    if not isinstance(attempt, int) or isinstance(attempt, bool) or not 0 < attempt <= MAX_ATTEMPT:
        return False
    return all(test(found.get(name)) for name, test in FIELDS.get(kind, {}).items())
