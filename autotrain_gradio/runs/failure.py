"""Convert the exceptions of a worker to findings, with a hint for the user."""

from __future__ import annotations

import errno
import shutil
import traceback
from pathlib import Path

from autotrain_gradio.core.errors import Finding, UserError
from autotrain_gradio.core.file_errors import unusable_file
from autotrain_gradio.core.text_format import format_bytes
from autotrain_gradio.runs import memory_limit

PACKAGE = Path(__file__).resolve().parents[1]
NO_THREAD = "can't start new thread"
"""Message of Python's `threading` when the system refuses a thread."""
UNUSABLE = frozenset(
    getattr(errno, name)
    for name in ("EACCES", "EPERM", "EROFS", "ENAMETOOLONG", "ELOOP", "ENOTDIR", "EIO", "ESTALE", "ETIMEDOUT")
    if hasattr(errno, name)
)
"""Errors of a file that its path, its permissions or its drive cause; not a bug."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def findings_of(error: BaseException, directory: Path, *, training: bool = True) -> list[Finding]:
    """Return the findings of an exception, at least one.

    directory: of the run, for the free disk space. training: it can be resumed; a call, such as a check, can only be
    repeated. An unknown exception becomes the finding `bug`, with its type, its
    message and its location in this package.
    """
    if isinstance(error, UserError):
        return list(error.findings)
    # Compared by name, because torch is not imported here.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        told = memory_limit.describe(error)
        smaller = "a smaller batch size or model" if training else "less data, smaller files or a smaller model"
        hint = memory_limit.ADVICE if told else f"Choose {smaller}, then try again."
        return [Finding("error", "out-of-memory", f"The machine's memory ran out. {told}".rstrip(), hint)]
    if is_disk_full(error):
        return [_disk_full(error, directory, training)]
    if isinstance(error, RuntimeError) and NO_THREAD in str(error):
        message = f"The system refused to start a thread ({error}): a limit of memory, threads or processes is reached."
        hint = "Close other programs, or raise the limit ('ulimit -u', 'ulimit -v', or the limits of the container)."
        return [Finding("error", "no-thread", message, hint)]
    if isinstance(error, OSError) and error.errno in UNUSABLE and error.filename is not None:
        return list(unusable_file(error).findings)
    return [_bug(error)]


def is_disk_full(error: BaseException) -> bool:
    """Whether an error says that the disk is full; libraries wrap it, or have it only in the message."""
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    text = str(error).lower()
    if "no space left on device" in text or "os error 28" in text:
        return True
    cause = error.__cause__ or error.__context__
    return cause is not None and is_disk_full(cause)


def _disk_full(error: BaseException, directory: Path, training: bool) -> Finding:
    try:
        free = f"{format_bytes(shutil.disk_usage(directory).free)} of disk space left"
    except OSError:
        free = "the free disk space is unknown"
    name = str(getattr(error, "filename", None) or "")
    path = Path(name)
    where = path.relative_to(directory).as_posix() if path.is_relative_to(directory) else path.name
    then = "resume this one from its last checkpoint" if training else "try again"
    hint = f"Delete runs to free disk space, then {then}."
    return Finding("error", "disk-full", f"The disk is full: {free}.", hint, where if name else "")


def _bug(error: BaseException) -> Finding:
    frames = traceback.extract_tb(error.__traceback__)
    own = next((f for f in reversed(frames) if Path(f.filename).is_relative_to(PACKAGE)), None)
    frame = own or (frames[-1] if frames else None)
    where = ""
    if frame is not None:
        path = Path(frame.filename)
        where = f"{path.relative_to(PACKAGE) if own else path.name}:{frame.lineno}"
    text = str(error).strip().splitlines()
    message = f"{type(error).__name__}: {text[0][:300]}" if text else type(error).__name__
    return Finding("error", "bug", message, "This is a bug. Please report it with the traceback in the log.", where)
