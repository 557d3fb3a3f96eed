"""Cells with the tools of a conversation: a list of JSON schemas, stored as JSON; it may be missing."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa

from autotrain_gradio.data.kinds.conversation import text_array
from autotrain_gradio.data.kinds.conversation_messages import without_nulls
from autotrain_gradio.data.kinds.conversation_text import parse_json
from autotrain_gradio.data.rows import Cells, Context

UNREADABLE = "tools-unreadable"


def tools_of(cell: str | None) -> list[dict[str, Any]] | None:
    """Return the schemas of a stored cell, as `apply_chat_template` takes them; None without any."""
    return json.loads(cell) if cell else None


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Parse lists of schemas, as objects or as JSON; rows whose tools cannot be parsed are skipped and reported."""
    wrong: list[int] = []

    def parsed(number: int, value: Any) -> str | None:
        if isinstance(value, str):
            text = value.strip()
            value = parse_json(text)
            if value is None and text and text.lower() not in {"null", "none", "nan"}:
                wrong.append(number)
                return None
        else:
            value = without_nulls(value)
        value = [value] if isinstance(value, dict) else value
        if not value or value != value:  # missing, also as not a number
            return None
        if not isinstance(value, list | tuple) or not all(isinstance(tool, dict) for tool in value):
            wrong.append(number)
            return None
        return json.dumps([_schema(tool) for tool in value], ensure_ascii=False)

    values = text_array(parsed(number, value) for number, value in enumerate(cells.to_pylist()))
    rows = [number for number in wrong if context.needed[number]]
    result = Cells(values, {UNREADABLE: np.array(rows, dtype=np.int64)})
    hint = 'Write a list of JSON schemas: [{"type": "function", "function": {"name": …, "parameters": …}}].'
    result.findings += context.skipped(UNREADABLE, "{n} {has} tools that are not a list of JSON schemas", rows, hint)
    return result


def _schema(tool: dict[str, Any]) -> dict[str, Any]:
    """Return a schema in the form that chat templates expect: `{"type": "function", "function": {…}}`."""
    return (
        tool if "function" in tool or "type" in tool and "name" not in tool else {"type": "function", "function": tool}
    )
