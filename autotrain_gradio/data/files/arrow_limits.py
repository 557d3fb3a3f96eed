"""Memory that the compressed buffers of an Arrow file need, from its messages alone: nothing is decompressed.

Format: https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc.
A buffer of a compressed batch begins with its uncompressed length (int64; -1: it is stored as it is). The metadata of a
message is a FlatBuffer, of which only these fields are read: https://flatbuffers.dev/internals.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pyarrow as pa

MAGIC = b"ARROW1"
DICTIONARY_BATCH, RECORD_BATCH = 2, 3
"""Values of the union `MessageHeader` (Message.fbs)."""
HEADER_TYPE, HEADER = 1, 2
"""Fields of `Message`."""
DATA = 1
"""Field of `DictionaryBatch`."""
BUFFERS, COMPRESSION = 2, 3
"""Fields of `RecordBatch`."""


def stream_start(source: pa.NativeFile) -> int:
    """Return where the stream of messages begins: after the magic of a file, else at its beginning."""
    source.seek(0)
    magic = source.read(len(MAGIC))
    source.seek(0)
    return 8 if magic == MAGIC else 0


def decompressed_bytes(source: pa.NativeFile) -> int:
    """Return the number of bytes that all compressed buffers have after decompression.

    Raises:
        ArrowInvalid: it is not an Arrow file, or damaged.
    """
    source.seek(stream_start(source))
    total = 0
    for message in pa.ipc.MessageReader.open_stream(source):
        try:
            total += sum(_lengths(memoryview(message.metadata), message.body))
        except struct.error as error:
            raise pa.ArrowInvalid(f"the metadata of a message is damaged ({error})") from None
    return total


def _lengths(metadata: memoryview, body: pa.Buffer | None) -> Iterator[int]:
    """Yield the uncompressed length of each compressed buffer of a message."""
    message = _follow(metadata, 0)
    kind = _field(metadata, message, HEADER_TYPE)
    header = _field(metadata, message, HEADER)
    if body is None or kind is None or header is None or metadata[kind] not in (DICTIONARY_BATCH, RECORD_BATCH):
        return
    batch: int | None = _follow(metadata, header)
    if metadata[kind] == DICTIONARY_BATCH:
        data = _field(metadata, _follow(metadata, header), DATA)
        batch = None if data is None else _follow(metadata, data)
    buffers = None if batch is None else _field(metadata, batch, BUFFERS)
    if batch is None or buffers is None or _field(metadata, batch, COMPRESSION) is None:
        return
    vector = _follow(metadata, buffers)
    (count,) = struct.unpack_from("<I", metadata, vector)
    content = memoryview(body)
    for k in range(count):
        offset, length = struct.unpack_from("<qq", metadata, vector + 4 + 16 * k)
        if length > 0:
            yield max(0, struct.unpack_from("<q", content, offset)[0])


def _follow(metadata: memoryview, position: int) -> int:
    """Return the position that the offset (uint32) at a position refers to."""
    return position + int(struct.unpack_from("<I", metadata, position)[0])


def _field(metadata: memoryview, table: int, number: int) -> int | None:
    """Return the position of a field of a table; None: it has its default."""
    vtable = table - int(struct.unpack_from("<i", metadata, table)[0])
    entry = 4 + 2 * number
    if vtable < 0 or entry + 2 > int(struct.unpack_from("<H", metadata, vtable)[0]):
        return None
    offset = int(struct.unpack_from("<H", metadata, vtable + entry)[0])
    return table + offset if offset else None
