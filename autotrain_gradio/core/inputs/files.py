"""Arguments that name files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.file_types import TABLE_SUFFIXES
from autotrain_gradio.core.inputs.plain_values import wrong_type

SEPARATORS = tuple(s for s in ("/", "\\" if os.sep == "\\" else "", os.altsep or "") if s)


def parse_path(argument: Any, name: str, also: str = "") -> str:
    """Return the absolute path of a file.

    name: of the input, for messages. also: what else is accepted in Python.

    Raises:
        UserError: the file does not exist, or the argument is not a path.
    """
    if not isinstance(argument, str | os.PathLike):
        raise wrong_type(argument, f"the path of a file{also and f', {also}'}", name)
    path = Path(argument).expanduser().resolve()
    if not path.is_file():
        raise UserError(f"The file '{argument}' does not exist.", where=name, code="missing-input")
    return str(path)


def write_file(content: tuple[bytes, str], folder: Path) -> str:
    """Write bytes into a new file of a folder; return its path. content: bytes and extension."""
    data, suffix = content
    path = folder / f"{len(list(folder.iterdir()))}{suffix}"
    path.write_bytes(data)
    return str(path)


def existing_file(text: str) -> Path | None:
    """Return the file that a text names, if it exists; None also for a text that cannot be a path."""
    try:
        path = Path(text).expanduser()
        return path.resolve() if path.is_file() else None
    except (OSError, RuntimeError, ValueError):  # too long for a path, an unknown user's home, a null character
        return None


def looks_like_path(text: str) -> bool:
    """Return whether a text is meant as a path: it ends like a table, or has a separator where a path may have one.

    A sentence that contains "and/or" is not a path: a text with spaces must begin like a path, or with an existing
    folder.
    """
    text = text.strip()
    if text.lower().endswith(TABLE_SUFFIXES):
        return True
    if not any(separator in text for separator in SEPARATORS):
        return False
    if not any(character.isspace() for character in text):
        return True
    return text.startswith(("./", "../", "~", "/")) or _parent_exists(text)


def _parent_exists(text: str) -> bool:
    try:
        return Path(text).parent.is_dir()
    except (OSError, ValueError):
        return False
