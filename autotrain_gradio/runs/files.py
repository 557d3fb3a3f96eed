"""The files of a run: JSON that is replaced atomically, and JSON Lines that are appended to."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.json_files import write_json
from autotrain_gradio.core.text_format import MIB
from autotrain_gradio.runs.record_lines import Record, parse_line

__all__ = [
    "Record",
    "Tail",
    "append_line",
    "truncate_torn_line",
    "damaged",
    "read_json",
    "read_lines",
    "read_object",
    "read_text_from",
    "write_json",
    "write_whole",
]

LOG_BYTES = MIB
"""Maximum number of bytes of a log that one call returns."""
JSON_TYPES = {type(None): "null", list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number"}


def read_json(path: Path, missing: Any = None) -> Any:
    """Read JSON; `missing` if the file does not exist.

    Raises:
        DataError: the file cannot be read, or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return missing
    except RecursionError:
        raise damaged(path, "it is nested too deeply") from None
    except (OSError, ValueError) as error:
        raise damaged(path, str(error)) from None


def read_object(path: Path) -> Record | None:
    """Read a JSON object; None if the file does not exist.

    Raises:
        DataError: the file cannot be read, or is not a JSON object.
    """
    found = read_json(path, missing := object())
    if found is missing:
        return None
    if not isinstance(found, dict):
        kind = JSON_TYPES.get(type(found), type(found).__name__)
        raise damaged(path, f"it contains {kind} instead of an object")
    return found


def read_text_from(path: Path, offset: int, limit: int) -> dict[str, Any]:
    """Return `{text, offset, size}`: whole lines from a byte offset on, at most `limit` bytes (and at most 1 MiB).

    offset: counted from the end if negative. The returned offset is that of the next call. A file that does not exist
    is empty.
    """
    if not path.is_file():
        return {"text": "", "offset": 0, "size": 0}
    size = path.stat().st_size
    begin = max(0, size + offset) if offset < 0 else min(offset, size)
    with path.open("rb") as file:
        file.seek(begin)
        data = file.read(max(1, min(limit, LOG_BYTES)))
    whole = data[: data.rfind(b"\n") + 1] or data
    return {"text": whole.decode("utf-8", "replace"), "offset": begin + len(whole), "size": size}


def damaged(path: Path, reason: str, hint: str = "Restore it from a copy, or delete the run.") -> DataError:
    """Return the error for an invalid file of a run."""
    return DataError(
        f"The run's file {path.name} is damaged: {reason}.",
        hint,
        f"{path.parent.name}/{path.name}",
        "damaged-record",
    )


def append_line(path: Path, record: Record) -> None:
    """Append one JSON line with a single write; start a new line if the last one is incomplete.

    Raises:
        OSError: the line could not be written; a partial write is undone.
    """
    line = json.dumps(record, ensure_ascii=False).encode() + b"\n"
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            line = b"\n" + line
        write_whole(handle, line)
    finally:
        os.close(handle)


def write_whole(handle: int, line: bytes) -> None:
    """Write with one call; undo a partial write.

    Raises:
        OSError: nothing was written; `ENOSPC` if there was only space for a part.
    """
    written = os.write(handle, line)
    if written != len(line):
        os.ftruncate(handle, os.fstat(handle).st_size - written)
        # A second write could succeed, and leave the rest of the line alone.
        raise OSError(
            errno.ENOSPC, f"only {written} of {len(line)} bytes could be written: {os.strerror(errno.ENOSPC)}"
        )


def truncate_torn_line(path: Path) -> None:
    """Remove an incomplete last line, whose writer was killed."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        end = size = file.seek(0, os.SEEK_END)
        while end:
            begin = max(0, end - 65536)
            file.seek(begin)
            place = file.read(end - begin).rfind(b"\n")
            if place >= 0:
                end = begin + place + 1
                break
            end = begin
        if end < size:
            file.truncate(end)


def read_lines(path: Path, offset: int = 0) -> tuple[list[Record], int]:
    """Read the complete records from a byte offset on; return them and the offset after the last.

    An incomplete last line is left for the next call; invalid lines are skipped.
    """
    tail = Tail(path, offset)
    return tail.read()[0], tail.offset


class Tail:
    """Reads the records that were appended to a file since the last call (like `tail -f`).

    What a valid record is: see `record_lines`.

    wanted: filter of raw lines, before they are parsed; default: every line.

    Attributes:
        offset: number of bytes that were read.
        damaged: number of lines that were skipped because they are not valid records.
    """

    def __init__(self, path: Path, offset: int = 0, wanted: Callable[[bytes], bool] | None = None) -> None:
        self.path = path
        self.offset = offset
        self.damaged = 0
        self._wanted = wanted
        self._inode = 0

    def read(self) -> tuple[list[Record], bool]:
        """Return the new records, and whether the file was replaced or truncated: then these are all of its records."""
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return [], False
        replaced = found.st_size < self.offset or (self._inode not in {0, found.st_ino} and self.offset > 0)
        self._inode = found.st_ino
        if replaced:
            self.offset = self.damaged = 0
        if found.st_size == self.offset:
            return [], replaced
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                data = file.read()
        except FileNotFoundError:
            return [], replaced
        end = data.rfind(b"\n") + 1
        self.offset += end
        records = []
        for line in data[:end].split(b"\n"):
            if not line or (self._wanted is not None and not self._wanted(line)):
                continue
            record = parse_line(line)
            if record is None:
                self.damaged += 1
            else:
                records.append(record)
        return records, replaced
