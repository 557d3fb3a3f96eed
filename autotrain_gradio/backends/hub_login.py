"""The Hub token of this machine's user: `HF_TOKEN`, or that of `hf auth login`."""

from __future__ import annotations

import os
from pathlib import Path


def saved_token() -> str | None:
    """Return the token, None if there is none. The environment is read at each call, not when the library is loaded."""
    if token := os.environ.get("HF_TOKEN", "").strip():
        return token
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or f"{cache}/huggingface"
    path = Path(os.environ.get("HF_TOKEN_PATH") or f"{home}/token").expanduser()
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
