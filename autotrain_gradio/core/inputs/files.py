"""Arguments that name files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.file_types import TABLE_SUFFIXES

SEPARATORS = tuple(s for s in ("/", "\\" if os.sep == "\\" else "", os.altsep or "") if s)


def parse_path(argument: Any, name: str) -> str:
    """Return the absolute path of a file.

    Raises:
        UserError: the file does not exist. name: of the input, for the message.
    """
    path = Path(argument).expanduser().resolve()
    if not path.is_file():
        raise UserError(f"The file '{argument}' does not exist.", where=name, code="missing-input")
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
