"""Lists in the cells of a table: of tokens, of tags or of spans, in the forms in which programs write them."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_WRAPPED = re.compile(r"(?:np\.|numpy\.)?(?:array|tensor|list|tuple)\((.*?)(?:,\s*dtype=[^)]*)?\)\s*", re.DOTALL)
_ITEM = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s,'"\[\]{}()]+)""", re.DOTALL)
_BETWEEN = re.compile(r"[\s,]*")
_START = ("start", "start_offset", "begin", "start_char", "start_idx", "from", "offset_start")
_END = ("end", "end_offset", "stop", "end_char", "end_idx", "to", "offset_end")
_LABEL = ("label", "labels", "entity_group", "entity", "type", "tag", "class", "category", "entity_type")
_NESTED = ("entities", "spans", "ents", "annotations", "result")
_LISTS = (*_NESTED, "labels", "label")
"""Keys of an object whose value is the list of spans."""


class Span(NamedTuple):
    """An annotated span as it is written. text: what it says, if the data repeats it."""

    start: int
    end: int
    label: str
    text: str | None = None


class Truncated(ValueError):
    """A list in which NumPy has replaced items by `...`."""


def parse_list(text: str, *, bare: bool = True) -> list[Any] | None:
    """Return the list that a text writes: JSON, Python, NumPy (`['a' 'b']`, `array([1, 2])`) or `[a, b]`; None: none.

    bare: whether names may lack quotation marks.

    Raises:
        Truncated: NumPy has left items out.
    """
    text = text.strip()
    if found := _WRAPPED.fullmatch(text):
        text = found[1].strip()
    if text[:1] not in {"[", "(", "{"}:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = _python(text, bare)
    return [value] if isinstance(value, dict) else list(value) if isinstance(value, list | tuple) else None


def _python(text: str, bare: bool) -> Any:
    if text[0] != "{" and text[-1:] in {"]", ")"}:
        items: list[Any] = []
        body, place = text[1:-1], 0
        while True:
            place = _BETWEEN.match(body, place).end()  # type: ignore[union-attr]
            if place == len(body):
                return items
            found = _ITEM.match(body, place)
            if found is None:
                break  # nested
            items.append(_item(found[0]))
            if not bare and isinstance(items[-1], str) and found[0][0] not in "'\"":
                return None
            place = found.end()
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _item(text: str) -> Any:
    if text == "...":
        raise Truncated
    if text[0] in "'\"":
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return text[1:-1]
    if re.fullmatch(r"[+-]?\d+\.?", text):
        return int(text.rstrip("."))
    return None if text in {"None", "nan", "null", "NaN"} else text


def flat(value: list[Any]) -> list[Any] | None:
    """Return a list of names or numbers, also of one that is nested by mistake; None: an item is a list of several.

    `["['a', 'b']"]` and `[["a", "b"]]` are one list in a list; `[["a"], ["b"]]` has a list for each item.
    """
    if len(value) > 1 and all(type(item) is str for item in value):
        return value
    if len(value) == 1:
        inner = parse_list(value[0]) if isinstance(value[0], str) else value[0]
        if isinstance(inner, list | tuple):
            return flat(list(inner))
    items = []
    for item in value:
        if isinstance(item, list | tuple):
            if len(item) != 1 or isinstance(item[0], list | tuple | dict):
                return None
            item = item[0]
        if isinstance(item, dict):
            return None
        items.append(item)
    return items


def is_missing(value: Any) -> bool:
    """Whether a cell has no value."""
    return value is None or (isinstance(value, float) and math.isnan(value)) or (isinstance(value, str) and not value)


def spans_of(value: Any) -> tuple[list[Span], int] | None:
    """Return the spans of a cell and the number of those that cannot be parsed; None: the cell holds no spans."""
    if isinstance(value, Mapping):
        if (lists := _columns(value)) is not None:
            value = lists
        else:
            inner = next((value[k] for k in _LISTS if isinstance(value.get(k), list | tuple)), None)
            value = [value] if inner is None else inner
    if not isinstance(value, list | tuple):
        return None
    if len(value) == 1 and isinstance(value[0], Mapping) and _holds_lists(value[0]):
        return spans_of(value[0])
    if is_span(value):
        value = [value]  # one span that is not in a list
    found, wrong = [], 0
    for item in value:
        if not isinstance(item, list | tuple | Mapping):
            return None
        span = _span(item)
        if span is None:
            wrong += 1
        else:
            found.append(span)
    return found, wrong


def _holds_lists(value: Mapping[str, Any]) -> bool:
    return _columns(value) is not None or any(isinstance(value.get(k), list) for k in _NESTED)


def is_span(value: Any) -> bool:
    """Whether a list is one span: two offsets and a label."""
    return len(value) == 3 and sum(_whole(v) is not None for v in value) == 2 and _span(value) is not None


def _columns(value: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the spans of an object with a list for each key, as the library datasets stores sequences of objects."""
    start = next((k for k in _START if isinstance(value.get(k), list | tuple)), None)
    if start is None:
        return None
    count = len(value[start])
    lists = {k: v for k, v in value.items() if isinstance(v, list | tuple) and len(v) == count}
    return [{k: v[i] for k, v in lists.items()} for i in range(count)]


def _span(item: Any) -> Span | None:
    """Return a span: `[start, end, label]` in any order, or an object with these keys."""
    text = None
    if isinstance(item, Mapping):
        inner = item.get("value")
        if isinstance(inner, Mapping):
            item = {**item, **inner}
        if isinstance(item.get("globalOffsets"), Mapping):  # rich text of Label Studio
            item = {**item, **item["globalOffsets"]}
        start, end, label = (next((item[k] for k in keys if not is_missing(item.get(k))), None) for keys in _KEYS)
        text = next((item[k] for k in ("text", "word", "value") if isinstance(item.get(k), str)), None)
    else:
        numbers = [v for v in item if _whole(v) is not None]
        names = [v for v in item if _whole(v) is None]
        if len(numbers) < 2:
            return None
        start, end, label = numbers[0], numbers[1], names[0] if names else (numbers[2:] or [None])[0]
    if isinstance(label, list | tuple):
        label = label[0] if label else None
    first, last = _whole(start), _whole(end)
    if first is None or last is None or is_missing(label):
        return None
    return Span(first, last, str(label).strip(), text)


_KEYS = (_START, _END, _LABEL)


def _whole(value: Any) -> int | None:
    """Return a whole number, also one that is written as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"\d{1,12}", value.strip()) else None
    return value if isinstance(value, int) else None
