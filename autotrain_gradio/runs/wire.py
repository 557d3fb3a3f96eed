"""The messages of a worker to its caller: tagged lines of JSON on stdout, between other output.

Kinds: `progress` (`message`, `fraction`), `found` (`value`: a partial result), `item` (`value`: one item of a stream),
`result` (`value`), `error` (`findings`).
"""

from __future__ import annotations

import json
from typing import Any

TAG = "@autotrain "


def line(message: dict[str, Any]) -> str:
    """Return the message as text to print, on a separate line even after output without a newline."""
    return f"\n{TAG}{json.dumps(message, ensure_ascii=False)}\n"


def parse(raw: bytes) -> dict[str, Any] | None:
    """Return the message of a printed line; None for other output. The tag may be anywhere in the line."""
    place = raw.find(TAG.encode())
    if place < 0:
        return None
    try:
        message = json.loads(raw[place + len(TAG) :])
    except ValueError:
        return None
    return message if isinstance(message, dict) and _complete(message) else None


def _complete(message: dict[str, Any]) -> bool:
    match message.get("kind"):
        case "progress":
            return isinstance(message.get("message"), str) and isinstance(message.get("fraction"), (int, float))
        case "found" | "item" | "result":
            return "value" in message
        case "error":
            return isinstance(message.get("findings"), list) and bool(message["findings"])
    return False
