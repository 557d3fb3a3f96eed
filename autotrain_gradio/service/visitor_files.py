"""Files and inputs in shared mode: a visitor's path is that of an upload, and an input has the declared kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autotrain_gradio.core import inputs as input_kinds
from autotrain_gradio.core.errors import Forbidden
from autotrain_gradio.core.inputs import Input

DIGEST = re.compile(r"[0-9a-f]{64}")
SERVER_PATH = re.compile(r"(?:~|/|[A-Za-z]:[/\\]|\\\\)\S*[/\\]\S*|file:\S*", re.IGNORECASE)
"""A text that names a file of a machine: an absolute path with at least two parts."""


def is_upload(path: str | Path, folder: Path) -> bool:
    """Whether a path is that of an uploaded file: `<folder>/<digest>/<name>`, and nothing else in that folder."""
    try:
        found = Path(path).resolve(strict=True)
        parts = found.relative_to(folder.resolve()).parts
    except (OSError, ValueError, RuntimeError):
        return False
    return len(parts) == 2 and bool(DIGEST.fullmatch(parts[0])) and found.is_file()


def require_uploads(paths: Iterable[str | Path], folder: Path) -> None:
    """Accept only uploaded files.

    Raises:
        Forbidden: one is not. The message does not tell whether the file exists.
    """
    if not all(is_upload(path, folder) for path in paths):
        raise Forbidden(
            "Files of the server cannot be used on a shared page.", "Upload the file.", code="folder-refused"
        )


def require_inputs(declared: Sequence[Input], given: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Accept inputs whose names and kinds are those of the model; files must be uploads.

    Raises:
        Forbidden: a file is not an upload, or an input has another name or kind.
    """
    by_name = {item.name: item for item in declared}
    for values in given:
        for name, value in values.items():
            if name not in by_name:
                known = ", ".join(f"'{known}'" for known in by_name)
                raise Forbidden(f"The model has no input '{str(name)[:80]}'.", f"It has {known}.", code="wrong-input")
            item = by_name[name]
            if getattr(input_kinds.KINDS.get(item.kind).load(), "FILE", False):
                require_uploads([value] if isinstance(value, str) else [""], folder)
            elif not isinstance(value, str):
                if input_kinds.is_text(item):
                    raise Forbidden(f"The input '{name}' must be a text.", code="wrong-input")
                require_no_server_paths(value, folder)


def require_no_server_paths(value: Any, folder: Path) -> None:
    """Accept JSON data in which every text that is an absolute path is that of an upload.

    Raises:
        Forbidden: one is not.
    """
    require_uploads((text for text in _texts(value) if SERVER_PATH.fullmatch(text.strip())), folder)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
