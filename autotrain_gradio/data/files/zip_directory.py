"""The size of a zip's central directory, before `zipfile` makes an object of each of its entries."""

from __future__ import annotations

import struct
from typing import BinaryIO

TAIL = 65_535 + 22
"""The end of a zip: its last record, and a comment of any length."""
END, END64, LOCATOR64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
LOCATOR_BYTES = 20
ENTRY, ENTRY_BYTES = b"PK\x01\x02", 46


def most_members(raw: BinaryIO, limit: int) -> int:
    """Return an upper bound of the number of members of a zip, or, if that is over the limit, the number itself.

    The number is counted up to one more than the limit.

    `zipfile` reads as many entries as the directory's size has room for, whatever number the end record says. 0: it is
    no zip, or its end is missing, which `zipfile` reports.
    """
    size = raw.seek(0, 2)
    begin = max(0, size - TAIL)
    raw.seek(begin)
    tail = raw.read(TAIL)
    at = tail.rfind(END)
    if at < 0 or len(tail) < at + 22:
        return 0
    (length,) = struct.unpack("<L", tail[at + 12 : at + 16])
    locator = tail[at - LOCATOR_BYTES : at] if at >= LOCATOR_BYTES else b""
    end = begin + at
    if locator.startswith(LOCATOR64):
        raw.seek(max(0, end - LOCATOR_BYTES - 56))
        record = raw.read(56)
        if record.startswith(END64):
            (length,) = struct.unpack("<Q", record[40:48])
            end -= LOCATOR_BYTES + 56
    bound = min(length, size) // ENTRY_BYTES
    return bound if bound <= limit else _count(raw, max(0, end - length), end, limit)


def _count(raw: BinaryIO, at: int, end: int, limit: int) -> int:
    """Count the entries between two offsets, without keeping them."""
    count = 0
    while at + ENTRY_BYTES <= end and count <= limit:
        raw.seek(at)
        entry = raw.read(ENTRY_BYTES)
        if not entry.startswith(ENTRY):
            break
        at += ENTRY_BYTES + sum(struct.unpack("<HHH", entry[28:34]))
        count += 1
    return count
