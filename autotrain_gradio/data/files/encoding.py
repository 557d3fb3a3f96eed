"""The encoding of text files: UTF-8 and UTF-16 by their bytes, any other detected by chardet and reported.

chardet and not charset-normalizer, which detects German in Windows-1252 as Shift-JIS and French as Windows-1250.
"""

from __future__ import annotations

import codecs
import io
import re
from pathlib import Path
from typing import BinaryIO

import chardet

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import MIB

BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
WESTERN = "cp1252"
ENCODINGS = {
    WESTERN: "Western European",
    "cp1250": "Central European",
    "cp1251": "Cyrillic",
    "koi8-r": "Cyrillic",
    "cp1253": "Greek",
    "cp1254": "Turkish",
    "cp1255": "Hebrew",
    "cp1256": "Arabic",
    "cp874": "Thai",
    "cp932": "Japanese",
    "euc_jis_2004": "Japanese",
    "gb18030": "Chinese",
    "big5hkscs": "Chinese",
    "cp949": "Korean",
}
"""The encodings that spreadsheet programs write besides Unicode → the script or region."""
EAST_ASIAN = ("Japanese", "Chinese", "Korean")
"""Multi-byte encodings: bytes are rarely valid in one by chance."""
LATIN = ("Western European", "Central European", "Turkish")
LEAST_CONFIDENCE = 0.1
"""Confidence of chardet from which a single-byte encoding is used: 0.03 for one French word in Windows-1252
that it detects as Serbian, 0.1 for two lines of Polish, 0.6 for 40 lines of Russian."""
MIXED = re.compile(r"[A-Za-z][^\W\d_A-Za-z]|[^\W\d_A-Za-z][A-Za-z]")
"""A Latin letter next to one of another script, as when French is decoded as Cyrillic."""
CHUNK = 4 * MIB
SAMPLE = 200_000
"""Bytes of lines with non-ASCII letters from which the encoding is detected: the limit of chardet."""
PREVIEW = 40


def unicode_encoding(head: bytes) -> str | None:
    """Return the Unicode encoding that the first bytes of a file show, or None."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    head = head[: min(4000, len(head) // 2 * 2)]
    first, second = head[::2].count(0), head[1::2].count(0)
    # UTF-16 without its mark: every second byte of Western text is 0, and none of the others.
    if first + second > len(head) / 4 and min(first, second) < 0.02 * len(head):
        return "utf-16-be" if first > second else "utf-16-le"
    return None


def detect_encoding(path: Path, name: str) -> tuple[str, list[Finding]]:
    """Return the encoding of a file, reading it once in chunks, and a finding if it is not Unicode.

    name: how messages call the file.
    """
    with path.open("rb") as file:
        return _detect(file, name)


def decode(data: bytes, name: str) -> tuple[str, list[Finding]]:
    """Return the text that these bytes of a file hold, and a finding if they are not Unicode."""
    encoding, findings = _detect(io.BytesIO(data), name)
    return data.decode(encoding, "replace"), findings


def _detect(file: BinaryIO, name: str) -> tuple[str, list[Finding]]:
    known = unicode_encoding(file.read(4096))
    if known is not None and known != "utf-8-sig":
        return known, []
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, invalid = 0, 0
    sample = b""
    while data := file.read(CHUNK):
        if not invalid:
            try:
                decoder.decode(data)
            except UnicodeDecodeError as error:
                invalid = lines + data.count(b"\n", 0, error.start) + 1
            lines += data.count(b"\n")
        if len(sample) < SAMPLE and not data.isascii():
            # Lines that are all ASCII would outvote the others.
            sample += b"\n".join(line for line in data.split(b"\n") if not line.isascii())[:SAMPLE]
        elif invalid:
            break
    if not invalid and decoder.getstate()[0]:  # the last letter is not complete
        invalid = lines + 1
    return _detect_legacy(sample, name, invalid) if invalid else (known or "utf-8", [])


def _detect_legacy(sample: bytes, name: str, line: int) -> tuple[str, list[Finding]]:
    """Return the encoding of lines that are not UTF-8, and the finding that reports it.

    line: the first line of the file that is not UTF-8.
    """
    found = chardet.detect(
        sample,
        include_encodings=ENCODINGS,
        prefer_superset=True,
        compat_names=False,  # the names of Python's codecs
        no_match_encoding=WESTERN,
    )
    encoding = found["encoding"] if found["encoding"] in ENCODINGS else WESTERN
    title = ENCODINGS[encoding]
    text, western = sample.decode(encoding, "replace"), sample.decode(WESTERN, "replace")
    if title not in EAST_ASIAN and "\ufffd" not in western:
        words = [word for word in text.split() if not word.isascii()]
        mixed = title not in LATIN and sum(MIXED.search(word) is not None for word in words) > len(words) / 5
        if mixed or text == western or float(found["confidence"] or 0.0) < LEAST_CONFIDENCE:
            encoding = WESTERN
    title = ENCODINGS[encoding]
    if encoding == WESTERN and "\ufffd" in western:  # bytes that mean nothing in Windows' encoding
        encoding = "latin-1"
    shown = next((line for line in sample.decode(encoding, "replace").splitlines() if not line.isascii()), "").strip()
    start = max(0, next((i for i, letter in enumerate(shown) if not letter.isascii()), 0) - PREVIEW // 2)
    message = (
        f"The file is not UTF-8. Its encoding was detected as {title} ({encoding}); decoded, a line has "
        f"'{shown[start : start + PREVIEW]}'."
    )
    hint = "Save it as UTF-8 if these letters are wrong."
    return encoding, [Finding("info", "encoding-guessed", message, hint, f"{name}, line {line}")]
