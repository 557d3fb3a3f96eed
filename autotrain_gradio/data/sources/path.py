"""A folder or a file on this computer. Files are read where they are, never copied."""

from __future__ import annotations

from pathlib import Path

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.data.files.archives import is_archive
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Fetched, Progress
from autotrain_gradio.data.sources.upload import unpack_all


def fetch(request: Request, draft: Path, progress: Progress) -> Fetched:
    """Return the folder or file of the spec; an archive is extracted into the run.

    Raises:
        DataError: it does not exist, or the archive cannot be extracted.
    """
    given = request.spec.path
    path = Path(given).expanduser()
    if not given:
        raise DataError("The path is empty.", "Enter the folder that contains the data.", "data.path", "path-missing")
    if not path.exists():
        parent = next(p for p in path.absolute().parents if p.exists())
        message, hint = f"The folder or file '{given}' does not exist.", f"Check the spelling; '{parent}' exists."
        raise DataError(message, hint, "data.path", "path-missing")
    path = path.resolve()
    if path.is_file() and is_archive(path):
        return unpack_all([path], draft, request, progress, keep=True)
    if path.is_file() and request.media is not None and path.suffix.lower() in request.media.suffixes:
        hint = "Enter the folder that contains all of them, or a table."
        raise DataError(f"'{given}' is a single {request.media.name}.", hint, "data.path", "path-one-file")
    return Fetched(path)
