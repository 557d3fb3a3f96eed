"""The small JSON files of a draft, which are complete or absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autotrain_gradio.core import json_files


def write_json(path: Path, value: Any) -> None:
    """Write JSON for programs: compact, whole or not at all."""
    json_files.write_json(path, value, indent=None)


def read_json(path: Path) -> Any:
    """Return the content of the file; None if it is missing or incomplete."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
