"""Uploads: validate the files and move them into a draft."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import format_bytes


def allow(paths: Sequence[Path], limit: int) -> int:
    """Validate an upload; return its total size in bytes.

    limit: maximum total size in bytes.

    Raises:
        DataError: no files were given, one is missing, or the total size is over the limit.
    """
    if not paths:
        raise DataError("No file was given.", "Drop a zip, or the files themselves.", code="no-files")
    for path in paths:
        if not path.is_file():
            raise DataError(
                f"The uploaded file '{path.name}' does not exist.", "Upload it again.", code="missing-upload"
            )
    total = sum(p.stat().st_size for p in paths)
    if total > limit:
        raise DataError(
            f"The files have {format_bytes(total)}; the limit is {format_bytes(limit)}.",
            "Upload fewer files, or run the app on the machine with the data and give the path of the folder.",
            code="upload-too-large",
        )
    return total


def move(paths: Sequence[Path], folder: Path) -> None:
    """Move uploaded files into a new folder; files with the same name are numbered.

    Raises:
        DataError: the disk is full or not writable; the folder is removed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        for path in paths:
            shutil.move(path, _free(folder / path.name))
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DataError(
            f"The upload could not be stored: {error.strerror or error}.",
            "Delete runs to free disk space, then upload the files again.",
            code="upload-failed",
        ) from error


def shown(paths: Sequence[Path], *, named: bool = True) -> str:
    """Return a short description of an upload: `photos.zip`, `a.csv and 3 more`.

    named: whether the names of several files may be shown; else only their number: `4 files`.
    """
    first = paths[0].name
    if len(paths) > 1 and not named:
        return f"{len(paths)} files"
    return first if len(paths) == 1 else f"{first} and {len(paths) - 1} more"


def _free(path: Path) -> Path:
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return free
