"""Read tar archives from visitors, with limits before anything is parsed or kept.

`tarfile` parses the extended headers (pax, GNU long names) of an archive itself: of any length, and up to Python 3.11.9
with regular expressions that take hours for a few kilobytes (CVE-2024-6232). Here only its parser of the 512 bytes of
a plain header is used, `TarInfo.frombuf`.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO

from autotrain_gradio.core.text_format import KIB, MIB, format_bytes

BLOCK = tarfile.BLOCKSIZE
CHUNK = 1 * MIB
PAX_BYTES = 1 * MIB
"""Maximum size of a pax header: extended attributes may have 64 KiB each."""
XZ_BYTES = 256 * MIB
"""Maximum memory of the decoder of xz: `xz -9` needs 65 MiB, other dictionaries up to 4 GiB."""
LONG_NAME_BYTES = 64 * KIB
EXTENDED_HEADERS = 8
"""Maximum number of extended headers of one member."""
PAX, PAX_GLOBAL = {tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE}, {tarfile.XGLTYPE}
LONG = {tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
LINKS = {tarfile.SYMTYPE, tarfile.LNKTYPE}


class DamagedTar(Exception):
    """The archive is damaged, or exceeds a limit of this module; the text says how."""


@dataclass(frozen=True)
class TarMember:
    """A member of a tar archive. kind: `file`, `folder`, or a description of what cannot be unpacked ("a link")."""

    name: str
    size: int
    kind: str


def read_tar(raw: BinaryIO, allow: Callable[[int], None]) -> Iterator[tuple[TarMember, IO[bytes]]]:
    """Yield each member with a stream of its bytes, which ends when the next member is asked for.

    raw: the file; gzip, bzip2 and xz are decompressed.
    allow: called with the number of decompressed bytes so far; raises to refuse more.

    Raises:
        DamagedTar: it is not a tar archive, or damaged.
        OSError, EOFError, zlib.error, lzma.LZMAError: the compressed data is damaged.
    """
    stream = _Counted(_decompressed(raw), allow)
    pax: dict[bytes, bytes] = {}
    while (header := _next_header(stream, pax)) is not None:
        info, name, size = header
        member = TarMember(name, size, _kind(info, pax))
        content = _Content(stream, size if member.kind == "file" else 0)
        yield member, content  # type: ignore[misc]  # it has `read`, which is all that is called
        content.skip()
        pax = {}
    while stream.read(CHUNK):
        pass  # compressed data is verified by the checksum at its end


def _decompressed(raw: BinaryIO) -> IO[bytes]:
    head = raw.read(6)
    raw.seek(0)
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
    if head.startswith(b"BZh"):
        return bz2.BZ2File(raw)
    if head.startswith((b"\xfd7zXZ\0", b"]\0\0")):
        return _XzReader(raw)  # type: ignore[return-value]
    return raw


class _XzReader:
    """Decompresses xz with a limit of memory, which `lzma.LZMAFile` does not have."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw, self._decoder = raw, lzma.LZMADecompressor(memlimit=XZ_BYTES)

    def read(self, size: int) -> bytes:
        """Return at most so many bytes, none at the end.

        Raises:
            DamagedTar: the decoder needs more memory.
        """
        while True:
            data = b""
            if self._decoder.eof:  # another stream may follow, after zeros
                data = self._decoder.unused_data.lstrip(b"\0")
                while not data and (chunk := self._raw.read(CHUNK)):
                    data = chunk.lstrip(b"\0")
                if not data:
                    return b""
                self._decoder = lzma.LZMADecompressor(memlimit=XZ_BYTES)
            elif self._decoder.needs_input and not (data := self._raw.read(CHUNK)):
                raise EOFError("the compressed data ends too early")
            try:
                found = self._decoder.decompress(data, size)
            except lzma.LZMAError as error:
                if "memory" not in str(error).lower():
                    raise
                text = f"it needs more than {format_bytes(XZ_BYTES)} of memory to be decompressed: pack it with 'xz -9'"
                raise DamagedTar(text) from None
            if found:
                return found


def _next_header(stream: _Counted, pax: dict[bytes, bytes]) -> tuple[tarfile.TarInfo, str, int] | None:
    """Read the headers of one member; return the plain one, the name and the size. None: the archive ends.

    pax: filled with the records of its pax headers.
    """
    long_name = ""
    for _ in range(EXTENDED_HEADERS + 1):
        block = stream.read(BLOCK)
        if not block and stream.count:
            return None
        if len(block) < BLOCK:
            raise DamagedTar("it ends too early")
        if block.count(0) == BLOCK:
            return None
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise DamagedTar(f"a header is invalid ({error})") from None
        if info.size < 0:
            raise DamagedTar("a member has a negative size")
        if info.type in PAX | PAX_GLOBAL:
            records = _pax_records(_payload(stream, info.size, PAX_BYTES, "pax header"))
            if info.type in PAX:  # a global header has comments, such as git's
                pax.update(records)
        elif info.type in LONG:
            payload = _payload(stream, info.size, LONG_NAME_BYTES, "long name")
            if info.type == tarfile.GNUTYPE_LONGNAME:
                long_name = payload.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
        else:
            name = pax[b"path"].decode("utf-8", "surrogateescape") if b"path" in pax else long_name or info.name
            return info, name, _number(pax[b"size"]) if b"size" in pax else info.size
    raise DamagedTar(f"a member has more than {EXTENDED_HEADERS} extended headers")


def _payload(stream: _Counted, size: int, limit: int, what: str) -> bytes:
    if size > limit:
        raise DamagedTar(f"a {what} has {format_bytes(size)}; at most {format_bytes(limit)} are read")
    content = _Content(stream, size)
    data = content.read(size)
    content.skip()
    if len(data) < size:
        raise DamagedTar("it ends too early")
    return data


def _pax_records(data: bytes) -> dict[bytes, bytes]:
    """Return the records `LENGTH KEY=VALUE` that matter here; LENGTH counts the whole record with its line break."""
    found, at = {}, 0
    while at < len(data) and data[at]:
        space = data.find(b" ", at, at + 12)
        end = at + _number(data[at:space]) if space > at else 0
        if not at < space < end <= len(data) or data[end - 1] != ord("\n"):
            raise DamagedTar("a pax header is invalid")
        key, _, value = data[space + 1 : end - 1].partition(b"=")
        if key in {b"path", b"size"} or key.startswith(b"GNU.sparse."):
            found[key] = value
        at = end
    return found


def _number(text: bytes) -> int:
    if not text.isdigit() or len(text) > 20:
        raise DamagedTar("a pax header is invalid")
    return int(text)


def _kind(info: tarfile.TarInfo, pax: dict[bytes, bytes]) -> str:
    if info.type == tarfile.GNUTYPE_SPARSE or any(key.startswith(b"GNU.sparse.") for key in pax):
        return "a sparse file"
    if info.type in tarfile.REGULAR_TYPES:
        return "file"
    if info.type == tarfile.DIRTYPE:
        return "folder"
    return "a link" if info.type in LINKS else "not a regular file"


class _Counted:
    """A stream that counts what is read. count: bytes so far."""

    def __init__(self, source: IO[bytes], allow: Callable[[int], None]) -> None:
        self._source, self._allow, self.count = source, allow, 0

    def read(self, size: int) -> bytes:
        """Read so many bytes, fewer only at the end; at most `CHUNK`, more than which is not held."""
        parts, missing = [], min(size, CHUNK)
        while missing and (part := self._source.read(missing)):
            parts.append(part)
            missing -= len(part)
            self.count += len(part)
            self._allow(self.count)
        return b"".join(parts)


class _Content:
    """The bytes of one member, with the rest of its last block."""

    def __init__(self, stream: _Counted, size: int) -> None:
        self._stream, self._left, self._padding = stream, size, -size % BLOCK

    def read(self, size: int = CHUNK) -> bytes:
        data = self._stream.read(min(size, self._left))
        self._left -= len(data)
        return data

    def skip(self) -> None:
        """Read to the end of the last block; an archive that ends in the middle is noticed by its reader."""
        left, self._left = self._left + self._padding, 0
        self._padding = 0
        while left and (data := self._stream.read(left)):
            left -= len(data)
