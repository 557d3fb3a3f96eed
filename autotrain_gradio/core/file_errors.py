"""The error for a file or folder that the system refuses to open, create or write."""

from __future__ import annotations

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.text_format import truncate

NAME_CHARACTERS = 200
"""Characters of a path that an error shows."""


def unusable_file(
    error: OSError | ValueError,
    name: str | None = None,
    *,
    subject: str = "",
    reason: str = "",
    hint: str = "Check the path, and that it may be read and written.",
    where: str = "",
    code: str = "file-unusable",
) -> UserError:
    """Return the error "'name' cannot be used: reason."

    name: of the file; default: the one that the exception names. subject: what the file is, before its name.
    reason: default: that of the system.
    """
    shown = truncate(str(getattr(error, "filename", "")) if name is None else name, NAME_CHARACTERS)
    reason = reason or getattr(error, "strerror", None) or str(error)
    return UserError(f"{subject}'{shown}' cannot be used: {reason}.", hint, where, code)
