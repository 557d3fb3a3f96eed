"""Cells of text that should hold messages: JSON or Python, wrapped once too often, or damaged."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

MOST_CHARACTERS = 1_000_000
"""Characters of a cell from which it is not parsed as Python."""
MOST_LAYERS = 3
"""Layers of JSON texts inside JSON texts that are unwrapped."""
START = 400
"""Characters of a cell in which its first message has a key."""
OPENING, CLOSING = ("[", "{", "("), ("]", "}", ")")
_BETWEEN_OBJECTS = re.compile(r"\}\s*\n\s*\{")
_WRAPPED = re.compile(r'\s*["\'][\[{]')
_KEY = re.compile(r"[\"'“”„](?:role|from|speaker)\\*[\"'“”„]")
NESTED, DOUBLED, ESCAPED = "JSON inside a JSON text", "doubled quotation marks", "quotation marks with backslashes"
PYTHON = "Python's notation instead of JSON"
"""How a cell was written that could be parsed all the same."""


def parse_json(text: str) -> Any:
    """Return the list or object that a text writes as JSON or as Python; None: neither."""
    value = _json(text)
    return _python(text) if value is None else value


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text[:1] in OPENING else None
    except (ValueError, RecursionError):
        return None


def _python(text: str) -> Any:
    if text[:1] not in OPENING:
        return None
    if len(text) > MOST_CHARACTERS:
        return None
    # pandas writes the arrays of a Parquet file into CSV without commas between the objects.
    for written in (text, _BETWEEN_OBJECTS.sub("}, {", text)):
        try:
            return json.loads(json.dumps(ast.literal_eval(written), default=str))
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    return None


def unwrap(text: str) -> tuple[Any, str]:
    """Return what `parse_json` does, also of texts that were quoted or escaped once too often, and how they were.

    Returns (None, "") if the text holds no list or object.
    """
    how = ""
    for _ in range(MOST_LAYERS):
        value = _json(text)
        if value is not None:
            return value, how
        value = _python(text)
        if value is not None:
            return value, how or PYTHON
        if text[:1] in OPENING:
            break
        try:
            inner = json.loads(text) if _WRAPPED.match(text) else None
        except (ValueError, RecursionError):
            inner = None
        if not isinstance(inner, str):
            break
        text, how = inner.strip(), NESTED
    # A wrong program has escaped the quotation marks for a CSV or JSON file that escapes them itself.
    for marks, name in (('""', DOUBLED), ('\\"', ESCAPED)):
        if marks in text[:START] and (value := parse_json(text.strip('"').replace(marks, '"'))) is not None:
            return value, name
    return None, ""


def is_cut(text: str) -> bool:
    """Whether a text begins as a list or object of JSON or Python, and ends before that does."""
    text = text.strip()
    if text[:1] not in OPENING:
        return False
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg.startswith("Unterminated string") or error.pos >= len(text):
            return True
    except RecursionError:
        return False
    return text[-1] not in CLOSING


def resembles_messages(text: str) -> bool:
    """Whether a text begins as messages do, parseable or not: with a quoted key of a role."""
    begin = text[:START].lstrip()
    return begin.lstrip("\"'")[:1] in OPENING and _KEY.search(begin) is not None
