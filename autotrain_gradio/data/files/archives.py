"""Extraction of archives: the only place that opens one.

An archive is untrusted input. Every member is validated before it is written, the bytes are counted while it is
written, and the folder gets its final name only when it is complete.
"""

from __future__ import annotations

import errno
import hashlib
import lzma
import os
import re
import shutil
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.file_types import ARCHIVE_SUFFIXES, REFUSED_ARCHIVE_SUFFIXES, TAR_SUFFIXES
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import MIB, format_bytes
from autotrain_gradio.data.files.tar_reader import DamagedTar, read_tar
from autotrain_gradio.data.files.tree import skip_reason
from autotrain_gradio.data.files.zip_directory import most_members
from autotrain_gradio.data.rows import Progress

RATIO_FROM = 64 * MIB
"""Bytes from which the compression ratio is checked: small text files compress very well."""
RESERVE = 256 * MIB
"""Bytes of the disk that an archive may not use."""
CHUNK = 1 * MIB
MEMBERS_PER_REPORT = 128
"""Members that are written between two reports of progress."""
NOT_REGULAR = "not a regular file"
LONGEST_NAME = 200
"""Maximum bytes of the name of a file or folder."""
DEEPEST = 64
"""Maximum folders above a member, and itself."""
DOCUMENTS = (".xlsx", ".xlsm", ".ods", ".docx", ".odt", ".pptx", ".odp", ".epub")
"""Documents in the zip format: never extracted."""


@dataclass
class _Member:
    """One member of an archive, as the archive describes it.

    special: what it is, if it is neither a file nor a folder.
    """

    name: str
    size: int
    folder: bool
    special: str
    open: Callable[[], AbstractContextManager[IO[bytes]]]
    encrypted: bool = False


def is_archive(path: Path) -> bool:
    """Return whether a file is, or claims to be, an archive: by its name, then by its first bytes."""
    name = path.name.lower()
    if name.endswith(DOCUMENTS):
        return False
    if name.endswith((*ARCHIVE_SUFFIXES, *REFUSED_ARCHIVE_SUFFIXES)):
        return True
    with path.open("rb") as file:
        return file.read(4) in {b"PK\x03\x04", b"PK\x05\x06"}


def extract(archive: Path, target: Path, limits: Limits, progress: Progress) -> Counter[str]:
    """Extract an archive (zip, tar, tar.gz, tar.bz2, tar.xz) into a new or existing folder.

    Returns reason → number of skipped members: hidden files and files of operating systems (`.DS_Store`, `Thumbs.db`).
    On an error the target can hold some files: the caller extracts into a folder of its own and removes it.

    Raises:
        DataError: the archive is damaged, encrypted, too large, or a member would be written outside the folder, is
            not a regular file, or has the name of another one.
    """
    name = archive.name
    is_tar = name.lower().endswith(TAR_SUFFIXES)
    if not is_tar and name.lower().endswith(REFUSED_ARCHIVE_SUFFIXES):
        message = f"'{name}' cannot be opened: only zip and tar archives can."
        raise DataError(message, "Pack the files as a zip.", name, "archive-kind")
    size = max(1, archive.stat().st_size)
    skipped: Counter[str] = Counter()
    with archive.open("rb") as raw, _damage_reported(name):
        if is_tar:
            found = _tar_members(raw, lambda read: _allow_bytes(read, name, size, limits))
        else:
            _allow_members(most_members(raw, limits.archive_members), name, limits)
            found = _zip_members(zipfile.ZipFile(raw), name)
        members = _validate(found, name, size, limits, skipped)
        if not is_tar:  # all members are known: nothing is written unless all are valid
            _write_zip(list(members), target, name, progress)
            return skipped
        for count, (member, relative) in enumerate(members, 1):
            allow_disk(target, member.size, "archive")
            _write(member, target, relative, name)
            if count % MEMBERS_PER_REPORT == 0:
                progress(f"Extracting {name}", min(1.0, raw.tell() / size))
    return skipped


def _write_zip(members: Sequence[tuple[_Member, str]], target: Path, name: str, progress: Progress) -> None:
    """Write the members in as many threads as there are cores: `zipfile` shares its file among threads."""
    allow_disk(target, sum(member.size for member, _ in members), "archive")

    def write(first: int) -> None:
        part = members[first : first + MEMBERS_PER_REPORT]
        allow_disk(target, sum(member.size for member, _ in part), "archive")
        for member, relative in part:
            _write(member, target, relative, name)

    firsts = range(0, len(members), MEMBERS_PER_REPORT)
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        for first, _ in zip(firsts, pool.map(write, firsts), strict=True):
            progress(f"Extracting {name}", first / len(members))
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _damage_reported(name: str, member: str = "") -> Iterator[None]:
    """Turn what the libraries raise for damaged and unsupported archives into a DataError."""
    at = f" at {member!r}" if member else ""
    try:
        yield
    except (zipfile.BadZipFile, DamagedTar, zlib.error, lzma.LZMAError, EOFError, ValueError, OSError) as error:
        if getattr(error, "errno", None) not in {None, errno.EINVAL}:
            raise  # of the disk; gzip, bz2 and lzma report damage as an OSError without a number
        message = f"The archive is damaged{at}: {error or 'it ends too early'}."
        hint = "Pack it again, and check that the upload was complete."
        raise DataError(message, hint, name, "archive-damaged") from None
    except NotImplementedError as error:  # of zipfile, for a compression method or an encryption that it does not know
        message = f"The archive cannot be extracted{at}: {error}."
        raise DataError(message, "Pack the files as an ordinary zip.", name, "archive-method") from None


def _zip_members(file: zipfile.ZipFile, name: str) -> Iterator[_Member]:
    end = 0
    for info in sorted(file.infolist(), key=lambda i: i.header_offset):
        if info.header_offset < end:
            message = f"'{info.filename}' overlaps another member: the archive is refused as a zip bomb."
            raise DataError(message, "Pack the files yourself.", name, "archive-bomb")
        end = info.header_offset + info.compress_size
    for info in file.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        special = "" if kind in {0, stat.S_IFREG, stat.S_IFDIR} else "a link" if kind == stat.S_IFLNK else NOT_REGULAR
        shown = info.orig_filename if "\0" in info.orig_filename else info.filename
        if not info.flag_bits & 0x800:
            # Without the UTF-8 flag `zipfile` decodes names as cp437; many tools write UTF-8 anyway.
            with suppress(UnicodeEncodeError, UnicodeDecodeError):
                shown = shown.encode("cp437").decode("utf-8")
        yield _Member(
            shown, info.file_size, info.is_dir(), special, partial(file.open, info), bool(info.flag_bits & 0x1)
        )


def _tar_members(raw: BinaryIO, allow: Callable[[int], None]) -> Iterator[_Member]:
    for member, content in read_tar(raw, allow):
        special = "" if member.kind in {"file", "folder"} else member.kind
        read = partial(nullcontext, content)
        yield _Member(member.name, member.size, member.kind == "folder", special, read)  # type: ignore[arg-type]


def _allow_members(count: int, name: str, limits: Limits) -> None:
    if count > limits.archive_members:
        message = f"The archive has more than {limits.archive_members:,} members."
        raise DataError(message, "Pack fewer files.", name, "archive-too-many-members")


def _allow_bytes(total: int, name: str, size: int, limits: Limits) -> None:
    """Raise a DataError for too many extracted bytes. size: of the archive."""
    if total > limits.archive_bytes:
        message = f"Extracted, the archive has more than {format_bytes(limits.archive_bytes)}."
        hint = "Pack fewer files, or give the path of the extracted folder on the machine of the app."
        raise DataError(message, hint, name, "archive-too-large")
    if total > RATIO_FROM and total / size > limits.archive_ratio:
        message = f"The archive would grow {total / size:,.0f} times or more: it is refused as a zip bomb."
        hint = "Pack the files themselves: images hardly shrink when they are compressed."
        raise DataError(message, hint, name, "archive-bomb")


def _validate(
    members: Iterable[_Member], name: str, size: int, limits: Limits, skipped: Counter[str]
) -> Iterator[tuple[_Member, str]]:
    """Yield the members to write with their path below the target; count the others.

    size: bytes of the archive.
    """
    total = 0
    for count, member in enumerate(members, 1):
        _allow_members(count, name, limits)
        if member.special:
            message = f"The member {member.name!r} is {member.special}: the archive is refused."
            hint = "Pack the files themselves, not links to them."
            raise DataError(message, hint, name, "archive-special-member")
        path = member.name.replace("\\", "/")
        parts = path.split("/")
        if path.startswith("/") or ".." in parts or "\0" in path or re.match("[A-Za-z]:", path):
            message = f"The member {member.name!r} would be written outside the folder: the archive is refused."
            raise DataError(message, "Pack the files with relative paths.", name, "archive-escape")
        parts = [part for part in parts if part not in {"", "."}]
        if len(parts) > DEEPEST:
            message = f"'{member.name[:80]}…' lies {len(parts)} folders deep."
            raise DataError(message, "Pack fewer folders.", name, "archive-too-deep")
        if member.folder or not parts:
            continue
        if why := skip_reason(path):
            skipped[why] += 1
            continue
        if member.encrypted:
            hint = "Pack the files again without a password."
            raise DataError(f"'{member.name}' is encrypted.", hint, name, "archive-encrypted")
        total += member.size
        _allow_bytes(total, name, size, limits)
        yield member, "/".join(_shorten(part) for part in parts)


def _shorten(part: str) -> str:
    data = part.encode("utf-8", "surrogateescape")
    if len(data) <= LONGEST_NAME:
        return part
    suffix = os.path.splitext(part)[1]
    kept = data[: LONGEST_NAME - 40].decode("utf-8", "ignore")
    return f"{kept}-{hashlib.sha256(data).hexdigest()[:12]}{suffix if len(suffix) <= 10 else ''}"


def _write(member: _Member, target: Path, relative: str, name: str) -> None:
    """Write one member; never over another one, never more than its declared size."""
    path = os.path.join(target, relative)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with _damage_reported(name, member.name), open(path, "xb", buffering=0) as out, member.open() as source:
            left = member.size
            while chunk := source.read(CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise EOFError("it is larger than its header says")
                out.write(chunk)
            if left:
                raise EOFError(f"{member.size - left:,} of {member.size:,} bytes are there")
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        message = f"Two members have the name '{relative}'."
        hint = "Names that differ only by upper and lower case are the same on some computers. Rename one of them."
        raise DataError(message, hint, name, "archive-duplicate-member") from None


def allow_disk(target: Path, needed: int, what: str) -> None:
    """Raise a DataError when fewer bytes are free than needed, and a reserve; `what` is what needs them."""
    free = shutil.disk_usage(target).free
    if needed + RESERVE > free:
        message = (
            f"The {what} needs {format_bytes(needed)}, and {format_bytes(RESERVE)} of the disk must stay free; "
            f"{format_bytes(free)} are left."
        )
        raise DataError(message, "Delete runs that are not needed, or use a larger disk.", code="disk-full")
