"""Opening archives: the only place that does.

An archive is untrusted input. Every member is validated before it is written, the bytes are counted while it is
written, and the folder gets its final name only when it is complete.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import shutil
import stat
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import MIB, format_bytes
from autotrain_gradio.data.files.tar_reader import DamagedTar, read_tar
from autotrain_gradio.data.files.tree import CLUTTER
from autotrain_gradio.data.files.zip_directory import most_members
from autotrain_gradio.data.rows import Progress

RATIO_FROM = 64 * MIB
"""Bytes from which the compression ratio is checked: small text files compress very well."""
RESERVE = 256 * MIB
"""Bytes of the disk that an archive may not use."""
CHUNK = 1 * MIB
MEMBERS_PER_REPORT = 128
"""Members that are written between two reports of progress."""
LONGEST_NAME = 200
DEEPEST = 64
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
DOCUMENTS = (".xlsx", ".xlsm", ".ods", ".docx", ".odt", ".pptx", ".odp", ".epub")
"""Documents in the zip format: never unpacked."""
REFUSED_SUFFIXES = (".rar", ".7z", ".gz", ".bz2", ".xz", ".zst")


@dataclass
class Extracted:
    """Number of files, their bytes, and reason → number of members that were skipped."""

    files: int = 0
    bytes: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


def is_archive(path: Path) -> bool:
    """Say whether a file is, or claims to be, an archive: by its name, then by its first bytes."""
    name = path.name.lower()
    if name.endswith(DOCUMENTS):
        return False
    if name.endswith((".zip", *TAR_SUFFIXES, *REFUSED_SUFFIXES)):
        return True
    with path.open("rb") as file:
        return file.read(4) in {b"PK\x03\x04", b"PK\x05\x06"}


def extract(archive: Path, target: Path, limits: Limits, progress: Progress) -> Extracted:
    """Unpack an archive (zip, tar, tar.gz, tar.bz2, tar.xz) into a new or existing folder.

    Hidden files and files of operating systems (`.DS_Store`, `Thumbs.db`) are skipped and counted. On an error the
    target can hold some files: the caller unpacks into a folder of its own and removes it.

    Raises:
        DataError: the archive is damaged, encrypted, too large, or a member would be written outside the folder, is
            not a regular file, or has the name of another one.
    """
    name = archive.name
    lower = name.lower()
    if lower.endswith(TAR_SUFFIXES):
        return _extract_tar(archive, target, limits, progress)
    if lower.endswith(REFUSED_SUFFIXES):
        raise DataError(
            f"'{name}' cannot be opened: only zip and tar archives can.",
            "Pack the files as a zip.",
            name,
            "archive-kind",
        )
    return _extract_zip(archive, target, limits, progress)


def _damaged(name: str, why: str, member: str = "") -> DataError:
    return DataError(
        f"The archive is damaged{f' at {member!r}' if member else ''}: {why}.",
        "Pack it again, and check that the upload was complete.",
        name,
        "archive-damaged",
    )


def _extract_zip(archive: Path, target: Path, limits: Limits, progress: Progress) -> Extracted:
    name = archive.name
    with archive.open("rb") as raw:
        _allow_members(name, most_members(raw, limits.archive_members), limits)
        try:
            file = zipfile.ZipFile(raw)
        except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, OSError) as error:
            why = "it is not a zip, or its end is missing" if "zip file" in str(error) else str(error)
            raise _damaged(name, why) from None
        members = _zip_members(file, name, limits)
        total = sum(info.file_size for info, _ in members)
        _allow_bytes(name, total, max(1, archive.stat().st_size), limits)
        allow_disk(target, total, "archive")
        writer = _Writer(name, target)
        writer.result.skipped.update(_clutter(info.filename) for info in file.infolist() if not info.is_dir())
        del writer.result.skipped[""]
        for info, relative in members:
            writer.result.bytes += _write_zip_member(file, info, relative, writer)
            writer.result.files += 1
            if writer.result.files % MEMBERS_PER_REPORT == 0:
                progress(f"Unpacking {name}", writer.result.bytes / max(1, total))
    return writer.result


def _write_zip_member(file: zipfile.ZipFile, info: zipfile.ZipInfo, relative: str, writer: _Writer) -> int:
    """Write one member; return its bytes."""
    try:
        with file.open(info) as source:
            return writer.write(relative, source, info.file_size)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise _damaged(writer.name, str(error), info.filename) from None
    except (NotImplementedError, RuntimeError) as error:
        raise DataError(
            f"'{info.filename}' cannot be unpacked: {error}.",
            "Pack the files as an ordinary zip.",
            writer.name,
            "archive-method",
        ) from None


def _zip_members(file: zipfile.ZipFile, name: str, limits: Limits) -> list[tuple[zipfile.ZipInfo, str]]:
    """Return the members to unpack with the path of each, all of them checked."""
    infos = file.infolist()
    _allow_members(name, len(infos), limits)
    end = 0
    for info in sorted(infos, key=lambda i: i.header_offset):
        if info.header_offset < end:
            raise DataError(
                f"'{info.filename}' overlaps another member: the archive is refused as a zip bomb.",
                "Pack the files yourself.",
                name,
                "archive-bomb",
            )
        end = info.header_offset + info.compress_size
    members = []
    for info in infos:
        mode = info.external_attr >> 16
        kind = stat.S_IFMT(mode)
        if kind and kind not in {stat.S_IFREG, stat.S_IFDIR}:
            raise _special(name, info.filename, "a link" if kind == stat.S_IFLNK else "not a regular file")
        if "\0" in info.orig_filename:
            raise _escape(name, info.orig_filename)
        shown = info.filename
        if not info.flag_bits & 0x800:
            # Without the UTF-8 flag `zipfile` reads names as cp437; many tools write UTF-8 anyway.
            try:
                shown = shown.encode("cp437").decode("utf-8")
            except (UnicodeEncodeError, UnicodeDecodeError):
                shown = info.filename
        relative = _safe(name, shown)
        if info.is_dir() or not relative:
            continue
        if _clutter(shown):
            continue
        if info.flag_bits & 0x1:
            raise DataError(
                f"'{shown}' is encrypted.", "Pack the files again without a password.", name, "archive-encrypted"
            )
        members.append((info, relative))
    return members


def _extract_tar(archive: Path, target: Path, limits: Limits, progress: Progress) -> Extracted:
    name = archive.name
    size = max(1, archive.stat().st_size)
    writer = _Writer(name, target)
    total = count = 0
    try:
        with archive.open("rb") as raw:
            for member, source in read_tar(raw, lambda read: _allow_bytes(name, read, size, limits)):
                count += 1
                _allow_members(name, count, limits)
                if member.kind not in {"file", "folder"}:
                    raise _special(name, member.name, member.kind)
                relative = _safe(name, member.name)
                if member.kind == "folder" or not relative:
                    continue
                if why := _clutter(member.name):
                    writer.result.skipped[why] += 1
                    continue
                total += member.size
                _allow_bytes(name, total, size, limits)
                allow_disk(target, member.size, "archive")
                writer.result.bytes += writer.write(relative, source, member.size)
                writer.result.files += 1
                if count % MEMBERS_PER_REPORT == 0:
                    progress(f"Unpacking {name}", min(1.0, raw.tell() / size))
    except (DamagedTar, zlib.error, lzma.LZMAError, EOFError) as error:
        raise _damaged(name, str(error) or "it ends too early") from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise _damaged(name, str(error)) from None  # gzip and bz2 report damage as an OSError without a number
    return writer.result


@dataclass
class _Writer:
    name: str
    target: Path
    result: Extracted = field(default_factory=Extracted)
    _folders: set[str] = field(default_factory=set)

    def write(self, relative: str, source: IO[bytes], size: int) -> int:
        """Write one member; never over another one, never more than its declared size. Return its bytes."""
        path = os.path.join(self.target, relative)
        folder = os.path.dirname(path)
        try:
            if folder not in self._folders:
                os.makedirs(folder, exist_ok=True)
                self._folders.add(folder)
            with open(path, "xb", buffering=0) as out:
                return _copy(source, out, size, self.name, relative)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise DataError(
                f"Two members have the name '{relative}'.",
                "Names that differ only by upper and lower case are the same on some computers. Rename one of them.",
                self.name,
                "archive-duplicate-member",
            ) from None


def _copy(source: IO[bytes], out: BinaryIO | IO[bytes], size: int, name: str, member: str) -> int:
    written = 0
    while chunk := source.read(CHUNK):
        written += len(chunk)
        if written > size:
            raise _damaged(name, "it is larger than it says", member)
        out.write(chunk)
    if written != size:
        raise _damaged(name, f"{written:,} of {size:,} bytes are there", member)
    return written


def _safe(name: str, member: str) -> str:
    """Return the path of a member below the target; empty for the root itself."""
    path = member.replace("\\", "/")
    parts = path.split("/")
    if (
        "\0" in path
        or path.startswith("/")
        or ".." in parts
        or (len(path) > 1 and path[1] == ":" and path[0].isalpha())
    ):
        raise _escape(name, member)
    parts = [p for p in parts if p not in {"", "."}]
    if len(parts) > DEEPEST:
        raise DataError(
            f"'{member[:80]}…' lies {len(parts)} folders deep.", "Pack fewer folders.", name, "archive-too-deep"
        )
    return "/".join(_short(p) for p in parts)


def _short(part: str) -> str:
    data = part.encode("utf-8", "surrogateescape")
    if len(data) <= LONGEST_NAME:
        return part
    stem, suffix = os.path.splitext(part)
    suffix = suffix if len(suffix) <= 10 else ""
    kept = data[: LONGEST_NAME - 40].decode("utf-8", "ignore")
    return f"{kept}-{hashlib.sha256(data).hexdigest()[:12]}{suffix}"


def _clutter(member: str) -> str:
    parts = member.replace("\\", "/").split("/")
    for part in parts:
        if part.startswith(".") and part not in {".", ".."}:
            return "hidden"
        if part.lower() in CLUTTER:
            return "clutter"
    return ""


def _escape(name: str, member: str) -> DataError:
    return DataError(
        f"The member {member!r} would be written outside the folder: the archive is refused.",
        "Pack the files with relative paths.",
        name,
        "archive-escape",
    )


def _special(name: str, member: str, what: str) -> DataError:
    return DataError(
        f"The member {member!r} is {what}: the archive is refused.",
        "Pack the files themselves, not links to them.",
        name,
        "archive-special-member",
    )


def _allow_members(name: str, count: int, limits: Limits) -> None:
    if count > limits.archive_members:
        raise DataError(
            f"The archive has {'more than ' if count == limits.archive_members + 1 else ''}{count:,} members; "
            f"at most {limits.archive_members:,} are unpacked.",
            "Pack fewer files.",
            name,
            "archive-too-many-members",
        )


def _allow_bytes(name: str, total: int, size: int, limits: Limits) -> None:
    if total > limits.archive_bytes:
        raise DataError(
            f"Unpacked, the archive has {format_bytes(total)}; the limit is {format_bytes(limits.archive_bytes)}.",
            "Pack less, or name the unpacked folder where the app runs.",
            name,
            "archive-too-large",
        )
    if total > RATIO_FROM and total / size > limits.archive_ratio:
        raise DataError(
            f"The archive would grow {total / size:,.0f} times, to {format_bytes(total)}: it is refused as a zip bomb.",
            "Pack the files themselves: images hardly shrink when they are compressed.",
            name,
            "archive-bomb",
        )


def allow_disk(target: Path, needed: int, what: str) -> None:
    """Raise a DataError when fewer bytes are free than needed, and a reserve; `what` is what needs them."""
    free = shutil.disk_usage(target).free
    if needed + RESERVE > free:
        raise DataError(
            f"The {what} needs {format_bytes(needed)}, and {format_bytes(RESERVE)} of the disk must stay free; "
            f"{format_bytes(free)} are left.",
            "Delete runs that are not needed, or use a larger disk.",
            code="disk-full",
        )
