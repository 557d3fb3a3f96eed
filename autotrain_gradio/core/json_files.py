"""Atomic writes of files: a reader sees the old content or the new one, never a partial file."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any


def write_json(path: Path, value: Any, *, indent: int | None = 1) -> None:
    """Write JSON to a temporary file, then rename it.

    indent: for readability; None is several times faster.
    """
    write_text(path, json.dumps(value, ensure_ascii=False, indent=indent))


def write_text(path: Path, text: str) -> None:
    """Write a text to a temporary file, then rename it."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
