"""Arguments and environment variables of a script, as a user writes them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PAIR = re.compile(r"[A-Za-z_][\w.-]*(=[^;]*)?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=[^;]*")
TOKEN = re.compile(r"\b(hf_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{20,}|ghp_[A-Za-z0-9]{20,}|AKIA[A-Z0-9]{16})\b")
"""Texts that are access tokens of well-known services."""
RESERVED = "AUTOTRAIN_"
"""Prefix of the variables that the app sets."""


def normalize_arguments(value: Any) -> Any:
    """Return arguments as they are written in a shell.

    value: such a text; a list of arguments; or, as in AutoTrain, a mapping `{name: value}` or its text
    `name=value;name;…`, which become `--name value` and `--name`.

    Raises:
        ValueError: a quotation mark has no counterpart, or the text contains an access token.
    """
    if isinstance(value, str):
        parts = [part.strip() for part in value.split(";")]
        if len(parts) > 1 and all(_PAIR.fullmatch(part) for part in parts if part):
            value = dict(part.partition("=")[::2] for part in parts if part)
        else:
            _refuse_tokens(value)
            _split(value, "arguments")
            return value.strip()
    if isinstance(value, Mapping):
        flags = [[f"--{str(name).lstrip('-')}", *_values(given)] for name, given in value.items() if given is not False]
        value = [word for words in flags for word in words]
    if isinstance(value, Sequence):
        text = shlex.join(str(word) for word in value)
        _refuse_tokens(text)
        return text
    return "" if value is None else value


def _values(given: Any) -> list[str]:
    """Return the words behind a flag: none for a switch."""
    if given in (None, "") or given is True:
        return []
    return [str(item) for item in given] if isinstance(given, list | tuple) else [str(given)]


def split_arguments(text: str) -> list[str]:
    """Return the arguments that a script gets.

    Raises:
        ValueError: a quotation mark has no counterpart.
    """
    return _split(text, "arguments")


def normalize_variables(value: Any) -> Any:
    """Return environment variables as they are written in a shell: `NAME=value OTHER="two words"`.

    value: such a text; or, as in AutoTrain, a mapping or the text `NAME=value;OTHER=value`.

    Raises:
        ValueError: an entry is not `NAME=value`, the app sets the variable, or its value is an access token.
    """
    if isinstance(value, str):
        parts = [part.strip() for part in value.split(";") if part.strip()]
        if len(parts) > 1 and not any(c in value for c in " \t\n'\"") and all(map(_VARIABLE.fullmatch, parts)):
            value = dict(part.partition("=")[::2] for part in parts)
        else:
            split_variables(value)
            return value.strip()
    if isinstance(value, Mapping):
        text = " ".join(f"{name}={shlex.quote('' if given is None else str(given))}" for name, given in value.items())
        split_variables(text)
        return text
    return "" if value is None else value


def split_variables(text: str) -> dict[str, str]:
    """Return name → value.

    Raises:
        ValueError: see `normalize_variables`.
    """
    found = {}
    for word in _split(text, "environment variables"):
        name, equals, value = word.partition("=")
        if not equals or not NAME.fullmatch(name):
            raise ValueError(
                f"'{word[:60]}' is not an environment variable: write NAME=value, in quotes if it has spaces."
            )
        if name.startswith(RESERVED):
            raise ValueError(f"'{name}' is set by the app: names that begin with {RESERVED} are reserved.")
        found[name] = value
    _refuse_tokens(text)
    return found


def check_names(names: Sequence[str]) -> list[str]:
    """Return the names of variables, each once.

    Raises:
        ValueError: one is not a name; a value is not repeated in the message.
    """
    for name in names:
        if not NAME.fullmatch(name):
            raise ValueError("only names of variables are expected, such as HF_TOKEN, without their values.")
        if name.startswith(RESERVED):
            raise ValueError(f"'{name}' is set by the app: names that begin with {RESERVED} are reserved.")
    return list(dict.fromkeys(names))


def _split(text: str, what: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ValueError(f"the {what} cannot be parsed as in a shell: {str(error).lower()}.") from None


def _refuse_tokens(text: str) -> None:
    """Refuse access tokens, which would be stored with the run's settings."""
    if TOKEN.search(text):
        raise ValueError(
            "it contains an access token, which would be stored on disk. Set an environment variable of the app "
            "instead, and name it in inherit_env."
        )
