"""Which files the page has received, how many bytes each address has sent, and which session uses a file.

Gradio stores an upload under a digest of its content, without an owner: whoever knows the path could use it. Here the
session that uses an upload first claims it, and a file that was uploaded n times can be claimed n times.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import DataError, Forbidden
from autotrain_gradio.core.text_format import GIB, format_bytes
from autotrain_gradio.service.visitor_files import is_upload

HOUR = 3600.0
KEEP_FREE = GIB
"""Free disk space that an upload must leave."""
ENTRIES = 100_000


class UploadLedger:
    """Records the uploads of one server.

    folder: Gradio's upload folder.
    per_hour: bytes that one address may upload in an hour, before and after it has a session; None: no limit.
    """

    def __init__(
        self, folder: Path, *, largest: int, per_hour: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder = folder.resolve()
        self._largest, self._per_hour, self._clock = largest, per_hour, clock
        self._sent: dict[str, deque[tuple[float, int]]] = {}
        self._uploads: dict[str, int] = {}
        self._claims: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def admit(self, address: str, size: int) -> None:
        """Count an upload of so many bytes, before it is received.

        Raises:
            DataError: it is too large, or exceeds the limit of the address or the free disk space.
        """
        if size > self._largest:
            raise DataError(
                f"The upload has {format_bytes(size)}; the limit is {format_bytes(self._largest)}.",
                "Upload fewer or smaller files.",
                code="upload-too-large",
            )
        free = shutil.disk_usage(_existing(self.folder)).free
        if size + KEEP_FREE > free:
            raise DataError(
                f"The disk of the server is full: the upload has {format_bytes(size)}, and {format_bytes(free)} are "
                f"free, of which {format_bytes(KEEP_FREE)} are reserved.",
                "Delete runs to free disk space, then upload the files again.",
                code="disk-full",
            )
        now = self._clock()
        with self._lock:
            self._sent = {a: s for a, s in self._sent.items() if s and s[-1][0] > now - HOUR}
            sent = self._sent.setdefault(address, deque())
            while sent and sent[0][0] <= now - HOUR:
                sent.popleft()
            total = sum(n for _, n in sent)
            if self._per_hour is not None and total + size > self._per_hour:
                raise DataError(
                    f"Uploads are limited to {format_bytes(self._per_hour)} an hour; {format_bytes(total)} were sent.",
                    "Upload the rest later, or run the app on your own machine.",
                    code="upload-limit",
                )
            sent.append((now, size))

    def record(self, paths: Iterable[str]) -> None:
        """Record the paths of files that were received."""
        with self._lock:
            for path in paths:
                self._uploads[path] = self._uploads.get(path, 0) + 1
            while len(self._uploads) > ENTRIES:
                oldest = next(iter(self._uploads))
                del self._uploads[oldest]
                self._claims.pop(oldest, None)

    def claim(self, path: str, session: str) -> None:
        """Record that a session uses an upload.

        Raises:
            Forbidden: it is not an upload, or one that another session uses.
        """
        with self._lock:
            users = self._claims.setdefault(path, set()) if path in self._uploads else set()
            if path not in self._uploads or (session not in users and len(users) >= self._uploads[path]):
                raise Forbidden("This file is not an upload of yours.", "Upload it again.", code="not-your-upload")
            users.add(session)

    def claim_all(self, value: Any, session: str) -> None:
        """Claim every file in the value of a component.

        Raises:
            Forbidden: see `claim`.
        """
        for path in _files(value):
            self.claim(path, session)

    def may_be_shown(self, path: str) -> bool:
        """Whether a path is that of an uploaded file; nothing else in the folder is shown."""
        return is_upload(path, self.folder)


def _files(value: Any) -> Iterator[str]:
    """Find the paths of all files in a value that a client has sent; what has a path counts, whatever else it has."""
    if isinstance(value, dict):
        if "path" in value:
            yield value["path"] if isinstance(value["path"], str) else ""
        for item in value.values():
            yield from _files(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _files(item)


def _existing(folder: Path) -> Path:
    return next(p for p in (folder, *folder.parents) if p.is_dir())
