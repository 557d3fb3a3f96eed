"""One worker for a run: a lock on `worker.lock` that the training worker holds as long as it lives.

A POSIX record lock: the kernel frees it with the process, and processes that the worker forks do
not inherit it (fcntl(2), "Advisory record locking"). So it says that the worker itself lives, where
its process id is unknown or belongs to another container.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path

NAME = "worker.lock"
UNSUPPORTED = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})


def hold(directory: Path, seconds: float = 2.0) -> bool:
    """Take the run's lock until this process ends; return False when another process has it.

    Tries for some seconds, because `held` takes the lock for a moment. Where the file system knows
    no locks, True.
    """
    handle = os.open(directory / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError as error:
            if error.errno in UNSUPPORTED:
                return True
            if error.errno not in {errno.EACCES, errno.EAGAIN}:
                raise
        if time.monotonic() > end:
            os.close(handle)
            return False
        time.sleep(0.05)


def held(directory: Path) -> bool:
    """Whether another process holds the run's lock. Not for the holder itself, who would lose it."""
    try:
        handle = os.open(directory / NAME, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False  # no such file, or not ours to open: nobody is known to hold it
    try:
        fcntl.lockf(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in {errno.EACCES, errno.EAGAIN}
    finally:
        os.close(handle)
    return False
