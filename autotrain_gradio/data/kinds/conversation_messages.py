"""One conversation: the forms in which programs write its messages, and the one in which it is stored."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

from autotrain_gradio.data.kinds.conversation_text import NESTED, is_cut, parse_json, unwrap

SYSTEM, USER, ASSISTANT, TOOL = "system", "user", "assistant", "tool"
ROLES = {
    **dict.fromkeys((SYSTEM, "developer"), SYSTEM),
    **dict.fromkeys((USER, "human", "prompter"), USER),
    **dict.fromkeys((ASSISTANT, "gpt", "chatgpt", "bot", "model", "ai", "bard", "bing", "function_call"), ASSISTANT),
    **dict.fromkeys((TOOL, "function", "observation", "ipython", "function_response", "tool_response"), TOOL),
}
"""Role as written, in lower case → role of the message."""
ROLE_KEYS, CONTENT_KEYS = ("role", "from", "speaker"), ("content", "value", "text")
KEPT = ("name", "tool_calls", "tool_call_id", "reasoning_content", "thinking")
"""Further keys of a message that chat templates read."""
LIST_KEYS = ("messages", "conversations", "conversation")
"""Keys of an object whose value is the list of messages."""
OPENAI, SHAREGPT, CHATML = "OpenAI", "ShareGPT", "ChatML"
CHATML_MESSAGE = re.compile(r"\s*<\|im_start\|>[ ]*([\w-]+)\n(.*?)(?:<\|im_end\|>|\Z)", re.DOTALL)

_ENCODE = json.JSONEncoder(ensure_ascii=False, default=str).encode
_FURTHER = frozenset((*KEPT, "function_call"))


class Message(TypedDict):
    """A message in the form of OpenAI and TRL. role: `system`, `user`, `assistant` or `tool`."""

    role: str
    content: str
    name: NotRequired[str]
    tool_calls: NotRequired[list[dict[str, Any]]]
    tool_call_id: NotRequired[str]
    reasoning_content: NotRequired[str]
    thinking: NotRequired[str]


@dataclass
class Parsed:
    """What a cell holds.

    problem: code of the reason why it cannot be used; "" if it can. text: as it is stored. form: how it is written.
    unknown: roles that no message can have. unused: keys of messages that are not stored. nulls: its objects have the
    keys of all others, with null, as Arrow makes them. wrapped: how it was quoted once too often. values: contents that
    are no texts, such as numbers.
    """

    messages: list[Message] = field(default_factory=list)
    problem: str = ""
    text: str = ""
    form: str = OPENAI
    unknown: list[str] = field(default_factory=list)
    unused: set[str] = field(default_factory=set)
    nulls: bool = False
    wrapped: str = ""
    values: int = 0


class _Unusable(Exception):
    """The cell cannot be used. code: of the reason."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


UNREADABLE, EMPTY = "conversation-unreadable", "conversation-empty"
UNKNOWN_ROLE, IMAGES = "conversation-role-unknown", "conversation-images"
CUT, NO_CONTENT = "conversation-cut", "conversation-no-content"


def messages_of(cell: str) -> list[Message]:
    """Return the messages of a stored cell."""
    messages: list[Message] = json.loads(cell)
    return messages


def stored(messages: list[Message]) -> str:
    """Return the messages as a cell is stored: JSON."""
    return _ENCODE(messages)


def parse(value: Any) -> Parsed:
    """Parse a cell: a list of messages, JSON or Python of one, an object that holds one, or ChatML."""
    found = Parsed()
    try:
        items = _items(value, found)
        if not items:
            raise _Unusable(EMPTY)
        for item in items:
            found.messages.append(_message(item, found))
        if found.unknown:
            raise _Unusable(UNKNOWN_ROLE)
        found.text = stored(found.messages)
    except _Unusable as error:
        found.problem, found.messages = error.code, []
    except RecursionError:
        found.problem, found.messages = UNREADABLE, []
    return found


def is_conversation(value: Any, *, answered: bool = False) -> bool:
    """Whether a cell holds messages, usable or not. answered: if they can be used, those of a user and an assistant."""
    found = parse(value)
    if found.problem:
        return found.problem in {UNKNOWN_ROLE, IMAGES, NO_CONTENT}
    return not answered or {USER, ASSISTANT} <= {message["role"] for message in found.messages}


def _items(value: Any, found: Parsed) -> list[Any]:
    """Return the messages as they are written."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        raise _Unusable(EMPTY)
    if isinstance(value, str):
        text = value.strip()
        if not text or text.lower() in {"null", "none", "nan"}:
            raise _Unusable(EMPTY)
        if text.startswith("<|im_start|>"):
            found.form = CHATML
            return _chatml(text)
        value, found.wrapped = unwrap(text)
        if value is None and is_cut(text):
            raise _Unusable(CUT)
    else:
        found.nulls = True
    if isinstance(value, dict):
        value = {key: _unwrapped(part, found) if key in LIST_KEYS else part for key, part in value.items()}
        inner = next((value[k] for k in LIST_KEYS if isinstance(value.get(k), list)), None)
        if inner is None and _first(value, ROLE_KEYS) is not None:
            inner = [value]  # a single message
        value = inner
    if not isinstance(value, list | tuple):
        raise _Unusable(UNREADABLE)
    return [_unwrapped(item, found) for item in value]


def _unwrapped(value: Any, found: Parsed) -> Any:
    """Return a list or object that is written as a text inside another one."""
    if not isinstance(value, str):
        return value
    inner = unwrap(value.strip())[0]
    if inner is None:
        return value
    found.wrapped = NESTED
    return inner


def _chatml(text: str) -> list[Any]:
    messages, place = [], 0
    while place < len(text.rstrip()):
        match = CHATML_MESSAGE.match(text, place)
        if match is None:
            raise _Unusable(UNREADABLE)
        messages.append({"role": match[1], "content": match[2]})
        place = match.end()
    return messages


def _first(item: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        if item.get(key) is not None:
            return key
    return None


def _message(item: Any, found: Parsed) -> Message:
    # Called for each message of the data: most have a role as it is stored, a text, and nothing else.
    if not isinstance(item, dict):
        raise _Unusable(UNREADABLE)
    role_key, content_key = _first(item, ROLE_KEYS), _first(item, CONTENT_KEYS)
    if role_key is None or not isinstance(item[role_key], str):
        raise _Unusable(UNREADABLE)
    if role_key == "from":
        found.form = SHAREGPT
    written = item[role_key]
    role = ROLES.get(written)
    usual = role is not None and written != "function_call"
    role = role or ROLES.get(written.strip().lower())
    if role is None:
        found.unknown.append(written.strip()[:40])
        role = USER
    content = None if content_key is None else item[content_key]
    if type(content) is not str:
        found.values += isinstance(content, int | float)
        content = _content(without_nulls(content) if found.nulls else content)
    message: Message = {"role": role, "content": content}
    if usual and content_key is not None and len(item) == 2:
        return message
    return _with_further_keys(message, item, found, role_key, content_key)


def _with_further_keys(
    message: Message, item: Mapping[str, Any], found: Parsed, role_key: str, content_key: str | None
) -> Message:
    """Return a message with the keys beside role and content that are stored: calls, reasoning, the tool's name."""
    for key, value in item.items():
        if value is None or key in (role_key, content_key):
            continue
        if key not in _FURTHER:
            found.unused.add(key)
    further = {key: item[key] for key in KEPT if item.get(key) is not None}
    called = item.get("function_call")
    if found.nulls:
        further, called = without_nulls(further), without_nulls(called)
    for key in KEPT:
        if further.get(key) not in (None, "", []):
            message[key] = further[key]  # type: ignore[literal-required]
    calls = message.pop("tool_calls", None) or called
    if item[role_key].strip().lower() == "function_call" and not calls:
        calls, message["content"] = message["content"], ""
    if calls:
        message["tool_calls"] = _tool_calls(calls)
    elif content_key is None and message["role"] != ASSISTANT:
        raise _Unusable(NO_CONTENT)
    return message


def _content(value: Any) -> str:
    """Return the text of a message, of parts that are texts all of them.

    Raises:
        _Unusable: a part is an image or of another kind.
    """
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, list | tuple):
        return "" if value is None else str(value)
    texts = []
    for part in value:
        if isinstance(part, str):
            texts.append(part)
            continue
        if not isinstance(part, Mapping):
            raise _Unusable(UNREADABLE)
        if str(part.get("type", "text")).endswith("text"):  # text, input_text, output_text
            texts.append("" if part.get("text") is None else str(part["text"]))
        elif any(word in str(part["type"]) for word in ("image", "audio", "video", "file")):
            raise _Unusable(IMAGES)
        else:
            raise _Unusable(UNREADABLE)
    return "\n".join(texts)


def _tool_calls(value: Any) -> list[dict[str, Any]]:
    """Return calls as `{"type": "function", "function": {"name": …, "arguments": {…}}}`.

    Raises:
        _Unusable: they cannot be parsed.
    """
    if isinstance(value, str):
        value = parse_json(value.strip())
    calls = [value] if isinstance(value, Mapping) else value
    if not isinstance(calls, list | tuple) or not calls:
        raise _Unusable(UNREADABLE)
    found = []
    for call in calls:
        function = call.get("function", call) if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise _Unusable(UNREADABLE)
        arguments = function.get("arguments", function.get("parameters"))
        if isinstance(arguments, str):
            written = parse_json(arguments.strip())
            arguments = written if isinstance(written, dict) else arguments
        outer = {k: v for k, v in call.items() if k == "id" and v is not None}
        function = {"name": function["name"], "arguments": {} if arguments is None else arguments}
        found.append({**outer, "type": "function", "function": function})
    return found


def without_nulls(value: Any) -> Any:
    """Return a value without the keys whose value is null: Arrow gives each object the keys of all others."""
    if isinstance(value, Mapping):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [without_nulls(v) for v in value]
    return value
