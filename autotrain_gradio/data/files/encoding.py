"""The encoding of text files: UTF-8, UTF-16, else Western European."""

from __future__ import annotations

import codecs
from pathlib import Path

from autotrain_gradio.core.errors import Finding

MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
UNDEFINED = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")
"""Bytes that mean nothing in Windows' Western European encoding."""
CHUNK = 4 * 1024 * 1024


def by_head(head: bytes) -> str | None:
    """Return the encoding that a file's first bytes show, or None."""
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding
    head = head[: min(4000, len(head) // 2 * 2)]
    first, second = head[::2].count(0), head[1::2].count(0)
    # UTF-16 without its mark: every second byte of Western text is 0, and none of the others.
    if first + second > len(head) / 4 and min(first, second) < 0.02 * len(head):
        return "utf-16-be" if first > second else "utf-16-le"
    return None


def of_file(path: Path, name: str) -> tuple[str, list[Finding]]:
    """Return the encoding of a file, reading it once in parts; a guess is told.

    name: how messages call the file.
    """
    with path.open("rb") as file:
        known = by_head(file.read(4096))
        if known is not None and known != "utf-8-sig":
            return known, []
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        lines, western = 0, True
        bad: int | None = None
        while data := file.read(CHUNK):
            if bad is None:
                try:
                    decoder.decode(data)
                except UnicodeDecodeError as error:
                    bad = lines + data.count(b"\n", 0, error.start) + 1
                lines += data.count(b"\n")
            if bad is not None:
                western = western and not any(b in data for b in UNDEFINED)
    if bad is None:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            bad = lines + 1
    if bad is None:
        return known or "utf-8", []
    encoding = "cp1252" if western else "latin-1"
    return encoding, [_guessed(encoding, name, bad)]


def decode(data: bytes, name: str) -> tuple[str, list[Finding]]:
    """Turn bytes into text: UTF-8 (with or without mark), UTF-16, else Windows' Western European, which is told."""
    known = by_head(data)
    if known is not None:
        return data.decode(known, "replace"), []
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError as error:
        encoding = "cp1252" if not any(b in data for b in UNDEFINED) else "latin-1"
        return data.decode(encoding), [_guessed(encoding, name, data.count(b"\n", 0, error.start) + 1)]


def _guessed(encoding: str, name: str, line: int) -> Finding:
    return Finding(
        "info",
        "encoding-guessed",
        f"The file is not UTF-8 and was read as Western European text ({encoding}).",
        "Save it as UTF-8 if letters look wrong.",
        f"{name}, line {line}",
    )
