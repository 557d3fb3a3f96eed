"""The folder of an installation (AUTOTRAIN_GRADIO_HOME): errors if it cannot be read or written."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.file_errors import unusable_file

REASONS = {
    errno.EACCES: "access is denied",
    errno.EPERM: "access is denied",
    errno.EROFS: "its file system is read-only",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.ENOTDIR: "a file is in its place",
    errno.EEXIST: "a file is in its place",
    errno.ENAMETOOLONG: "its path is too long",
    errno.ELOOP: "its links lead in a circle",
    errno.ENOENT: "it does not exist and cannot be created",
}


def unusable(home: Path, error: OSError) -> UserError:
    """Return the error for a home that cannot be used."""
    reason = REASONS.get(error.errno or 0, error.strerror or str(error))
    return unusable_file(
        error,
        str(home),
        subject="The folder for runs ",
        reason=reason,
        hint="Set the environment variable AUTOTRAIN_GRADIO_HOME to a folder that you may write to.",
        where="AUTOTRAIN_GRADIO_HOME",
        code="home-unusable",
    )


@contextmanager
def usable(home: Path) -> Iterator[None]:
    """Translate an OSError of reading or writing the home itself to a `UserError`."""
    try:
        yield
    except OSError as error:
        raise unusable(home, error) from error


def require_readable(home: Path) -> None:
    """Check that the folder of runs can be listed, or does not exist yet.

    Raises:
        UserError: it cannot be listed.
    """
    with usable(home):
        try:
            os.scandir(home / "runs").close()
        except FileNotFoundError:
            if home.exists() and not home.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, "not a directory", str(home)) from None


def require_writable(home: Path) -> None:
    """Create the folder of runs, and check that files can be created in it.

    Raises:
        UserError: they cannot.
    """
    with usable(home):
        (home / "runs").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home / "runs"):
            pass
