"""Lock file `worker.lock`: at most one training worker per run.

A POSIX record lock: the kernel releases it when the process exits, and forked processes do not inherit
it (fcntl(2), "Advisory record locking"). A held lock means that the worker itself is alive, also where
its process id is unknown or belongs to another container.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import sys
import time
from pathlib import Path

NAME = "worker.lock"
UNSUPPORTED = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})


def acquire(directory: Path, seconds: float = 2.0) -> bool:
    """Acquire the run's lock until this process exits; return False if another process holds it.

    Retries for some seconds, because `is_held` takes the lock for a moment. True on file systems
    without locks.
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


def is_held(directory: Path) -> bool:
    """Whether another process holds the run's lock. The holder itself must not call it: it would release the lock."""
    try:
        handle = os.open(directory / NAME, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False  # the file does not exist or cannot be opened: assume that it is not held
    try:
        fcntl.lockf(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in {errno.EACCES, errno.EAGAIN}
    finally:
        os.close(handle)
    return False


def holder(directory: Path) -> int | None:
    """Return the process that holds the run's lock; None if there is none, or if the system does not tell.

    Linux only: fcntl(2), F_GETLK. A holder in another container or on another machine has no id here.
    """
    if sys.platform != "linux" or struct.calcsize("P") != 8:
        return None
    try:
        handle = os.open(directory / NAME, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        wanted = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(handle, fcntl.F_GETLK, wanted))
    except OSError:
        return None
    finally:
        os.close(handle)
    return pid if kind != fcntl.F_UNLCK and pid > 1 else None


_FLOCK = "hhqqi4x"
"""`struct flock` on 64-bit Linux: type, whence, start, length, process id."""
