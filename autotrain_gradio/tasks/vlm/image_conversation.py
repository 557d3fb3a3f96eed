"""Cells that are conversations about an image: messages with image parts, or with placeholders in their texts.

An image part becomes the placeholder `<image>`, as LLaVA's data writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from autotrain_gradio.data.kinds import conversation
from autotrain_gradio.data.kinds.conversation import gallery, guess, profile, recognize, text_array
from autotrain_gradio.data.kinds.conversation_messages import CONTENT_KEYS, LIST_KEYS, without_nulls
from autotrain_gradio.data.kinds.conversation_text import parse_json
from autotrain_gradio.data.rows import Cells, Context
from autotrain_gradio.tasks.vlm.image_questions import PLACEHOLDER

__all__ = ["gallery", "guess", "image_parts", "inspect", "profile", "recognize"]


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Parse each conversation, as `conversation.inspect`, with a placeholder for each image."""
    return conversation.inspect(text_array(_placed(value) for value in cells.to_pylist()), context)


def image_parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the parts of a conversation's messages that are images."""
    for message in _messages(value) or ():
        for part in _parts(message):
            if _is_image(part):
                yield part


def _placed(value: Any) -> str | None:
    """Return a conversation as JSON with placeholders for its images; other cells as they are."""
    messages = _messages(value)
    if messages is None:
        return value if value is None or isinstance(value, str) else json.dumps(value, default=str)
    found = []
    for message in messages:
        key = next((k for k in CONTENT_KEYS if isinstance(message, Mapping) and message.get(k) is not None), None)
        parts = _parts(message)
        if key is None or not any(_is_image(part) for part in parts):
            found.append(message)
            continue
        texts = [{"type": "text", "text": PLACEHOLDER} if _is_image(part) else part for part in parts]
        plain = all(isinstance(p, Mapping) and "text" in p for p in texts)
        found.append({**message, key: "".join(str(p["text"] or "") for p in texts) if plain else texts})
    return json.dumps(found, ensure_ascii=False, default=str)


def _messages(value: Any) -> list[Any] | None:
    value = parse_json(value.strip()) if isinstance(value, str) else without_nulls(value)
    if isinstance(value, Mapping):
        value = next((value[k] for k in LIST_KEYS if isinstance(value.get(k), list)), None)
    return value if isinstance(value, list) else None


def _parts(message: Any) -> list[Any]:
    if not isinstance(message, Mapping):
        return []
    content = next((message[k] for k in CONTENT_KEYS if message.get(k) is not None), None)
    return content if isinstance(content, list) else []


def _is_image(part: Any) -> bool:
    return isinstance(part, Mapping) and "image" in str(part.get("type", ""))
