"""Requests of OpenAI's API as arguments of the verbs `chat` and `complete`; and errors in its shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ROLES = ("system", "developer", "user", "assistant")
SHARED = ("temperature", "top_p", "seed")
"""Arguments with the same name in both."""
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (None, 1),
    "best_of": (None, 1),
    "tools": (None, []),
    "functions": (None, []),
    "tool_choice": (None, "none", "auto"),
    "response_format": (None, {"type": "text"}),
    "logprobs": (None, False, 0),
    "top_logprobs": (None, 0),
    "logit_bias": (None, {}),
    "presence_penalty": (None, 0),
    "frequency_penalty": (None, 0),
    "echo": (None, False),
    "suffix": (None, ""),
    "audio": (None,),
    "modalities": (None, ["text"]),
}
"""Parameters that are not supported → values that have no effect. Others that are unknown are ignored, as clients send
ever new ones."""


class ApiError(Exception):
    """An error with its HTTP status, in the shape of OpenAI."""

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code

    def body(self) -> dict[str, Any]:
        """Return the body of the response."""
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


def chat_arguments(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the verb `chat` for a body of `/v1/chat/completions`.

    Raises:
        ApiError: a parameter is invalid, or has an effect that is not supported.
    """
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise ApiError(400, "'messages' must be a list with at least one message.", param="messages")
    found = [_message(message, f"messages[{number}]") for number, message in enumerate(messages)]
    if found[-1]["role"] == "assistant":
        message = "The last message is one of the assistant; it must be a message to answer."
        raise ApiError(400, message, param=f"messages[{len(found) - 1}].role")
    limit = body.get("max_completion_tokens")
    return {"messages": found, **_settings(body, body.get("max_tokens") if limit is None else limit)}


def completion_arguments(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the verb `complete` for a body of `/v1/completions`.

    Raises:
        ApiError: a parameter is invalid, or has an effect that is not supported.
    """
    prompt = body.get("prompt")
    prompt = prompt[0] if isinstance(prompt, list) and len(prompt) == 1 else prompt
    if not isinstance(prompt, str) or not prompt.strip():
        raise ApiError(400, "'prompt' must be one text that is not empty.", param="prompt")
    return {"text": prompt, **_settings(body, body.get("max_tokens"))}


def includes_usage(body: Mapping[str, Any]) -> bool:
    """Return whether a stream ends with the numbers of tokens."""
    options = body.get("stream_options")
    return isinstance(options, Mapping) and options.get("include_usage") is True


def _settings(body: Mapping[str, Any], max_tokens: Any) -> dict[str, Any]:
    for name, neutral in NEUTRAL.items():
        if name in body and body[name] not in neutral:
            raise ApiError(400, f"'{name}' is not supported. Leave it out.", param=name, code="unsupported_parameter")
    found = {name: body[name] for name in SHARED if body.get(name) is not None}
    if max_tokens is not None:
        found["max_tokens"] = max_tokens
    if body.get("stop") is not None:
        found["stop"] = body["stop"]
    return found


def _message(message: Any, where: str) -> dict[str, str]:
    if not isinstance(message, Mapping) or message.get("role") not in ROLES:
        raise ApiError(400, f"A message has a role: {', '.join(ROLES)}.", param=f"{where}.role")
    content = message.get("content")
    if isinstance(content, list):
        parts = [p.get("text") for p in content if isinstance(p, Mapping) and p.get("type") == "text"]
        if len(parts) != len(content):
            raise ApiError(400, "The content of a message must be text.", param=f"{where}.content")
        content = "".join(map(str, parts))
    if not isinstance(content, str):
        raise ApiError(400, "The content of a message must be text.", param=f"{where}.content")
    role = str(message["role"])
    return {"role": "system" if role == "developer" else role, "content": content}
