"""The encoding of text files: UTF-8 and UTF-16 by their bytes, any other as the spec names it, or a guess of chardet.

A guess is a warning that shows a line as decoded; its alternatives show lines in other encodings, and set
`data.encoding`. The guess is chardet's and not charset-normalizer's, which detects German in Windows-1252 as
Shift-JIS and French as Windows-1250.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import chardet

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.text_format import MIB, join_examples, pluralize

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
TAG = re.compile(rb"<[^<>\x80-\xff]{0,200}>")
"""A tag of XML or HTML."""
CHUNK = 4 * MIB
SAMPLE = 200_000
"""Bytes of lines with non-ASCII letters from which the encoding is detected: the limit of chardet."""
PREVIEW = 40
MOST_OTHERS = 3
"""Other encodings that are offered for a guess."""
XML_ENCODING = re.compile(
    rb"\s*<\?xml[^>]*\sencoding=[\"']((?:windows|iso|cp|koi8|shift|gb|euc|big5|us-ascii|latin)[\w-]*)", re.IGNORECASE
)
"""The declaration of an XML file in another encoding than Unicode."""
GUESSED = "encoding-guessed"


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


def detect_encoding(path: Path, name: str, asked: str = "") -> tuple[str, list[Finding]]:
    """Return the encoding of a file, reading it in chunks, and findings if it is not Unicode.

    name: how messages call the file. asked: encoding of files that are not Unicode; empty: it is detected.
    """
    with path.open("rb") as file:
        return _detect(file, name, asked)


def decode(data: bytes, name: str, asked: str = "") -> tuple[str, list[Finding]]:
    """Return the text that these bytes of a file hold, and findings if they are not Unicode."""
    encoding, findings = _detect(io.BytesIO(data), name, asked)
    return data.decode(encoding, "replace"), findings


def decode_together(
    contents: Sequence[bytes], names: Sequence[str], asked: str = ""
) -> tuple[list[str], list[Finding]]:
    """Return the texts of several files, and findings if some are not Unicode: these have one encoding, guessed once.

    A short text by itself shows its encoding badly. names: how messages call the files.
    """
    encoding, findings = common_encoding(contents, names, asked)
    return [decode_as(data, encoding) for data in contents], findings


def decode_as(data: bytes, encoding: str) -> str:
    """Return the text that these bytes of a file hold. encoding: where they are not Unicode."""
    return data.decode(_stated(data) or encoding, "replace")


def common_encoding(contents: Iterable[bytes], names: Sequence[str], asked: str = "") -> tuple[str, list[Finding]]:
    """Return the encoding of those files that are not Unicode, and findings if there are some."""
    sample, found = b"", []
    for name, data in zip(names, contents, strict=True):
        if _stated(data) is None:
            found.append((name, data))
            sample += _not_ascii(data)[: max(0, SAMPLE - len(sample))]
    if not found:
        return asked or WESTERN, []
    if asked:
        broken = [(name, count) for name, data in found if (count := data.decode(asked, "replace").count("\ufffd"))]
        return asked, [f for name, count in broken for f in _report_broken(asked, count, name)]
    where = found[0][0] if len(found) == 1 else ""
    encoding, guess = _guess(sample, where)
    if len(found) > 1:
        shown = f"{pluralize(len(found), 'file')} ({join_examples([name for name, _ in found])})"
        guess = replace(guess, message=guess.message.replace("The file is", f"{shown} are", 1))
    return encoding, [guess]


def merge_findings(found: Sequence[Finding]) -> list[Finding]:
    """Return findings without fixes that would write names of a guessed encoding, if there is a guess.

    The guess may be wrong; such names would stay in `data.labels`.
    """
    if not any(f.code == GUESSED for f in found):
        return list(found)
    kept = []
    for finding in found:
        change: Mapping[str, Any] = finding.fix.change if finding.fix else {}
        if not str(change.get("labels", "")).isascii():
            hint = f"{finding.hint} Choose the encoding of the file first: it was guessed."
            finding = replace(finding, fix=None, hint=hint.strip())
        kept.append(finding)
    return kept


def _stated(data: bytes) -> str | None:
    """Return the encoding of a whole file that is certain: the one that XML declares, or Unicode; None otherwise."""
    if declared := XML_ENCODING.match(data):
        with suppress(LookupError):  # a name that Python does not know: the encoding is detected
            return codecs.lookup(declared[1].decode()).name
    known = unicode_encoding(data[:4096])
    if known is not None and known != "utf-8-sig":
        return known
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return known or "utf-8"


def _not_ascii(data: bytes) -> bytes:
    """Return the lines with non-ASCII characters, which lines and tags that are all ASCII would outvote."""
    return b"".join(TAG.sub(b" ", line) + b"\n" for line in data.split(b"\n") if not line.isascii())


def _detect(file: BinaryIO, name: str, asked: str) -> tuple[str, list[Finding]]:
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
            sample += _not_ascii(data)[:SAMPLE]
        elif invalid:
            break
    if not invalid and decoder.getstate()[0]:  # the last character is incomplete
        invalid = lines + 1
    if not invalid:
        return known or "utf-8", []
    if not asked:
        encoding, guess = _guess(sample, f"{name}, line {invalid}")
        return encoding, [guess]
    file.seek(0)
    replacing = codecs.getincrementaldecoder(asked)("replace")
    broken = sum(replacing.decode(chunk).count("\ufffd") for chunk in iter(lambda: file.read(CHUNK), b""))
    return asked, _report_broken(asked, broken, name)


def _report_broken(encoding: str, count: int, name: str) -> list[Finding]:
    if not count:
        return []
    message = f"{pluralize(count, 'character')} could not be decoded with the encoding {encoding}, and became '\ufffd'."
    hint = "Choose another encoding, or leave it empty to have it detected."
    return [Finding("warning", "encoding-wrong", message, hint, name, Fix("Detect the encoding", {"encoding": ""}))]


def _guess(sample: bytes, where: str) -> tuple[str, Finding]:
    """Return the encoding of lines that are not UTF-8, and the finding that reports it and its alternatives."""
    found = chardet.detect_all(
        sample,
        ignore_threshold=True,
        include_encodings=ENCODINGS,
        prefer_superset=True,
        compat_names=False,  # the names of Python's codecs
        no_match_encoding=WESTERN,
    )
    ranked = [str(f["encoding"]) for f in found if f["encoding"] in ENCODINGS]
    encoding = ranked[0] if ranked else WESTERN
    title = ENCODINGS[encoding]
    text, western = sample.decode(encoding, "replace"), sample.decode(WESTERN, "replace")
    if title not in EAST_ASIAN and "\ufffd" not in western:
        words = [word for word in text.split() if not word.isascii()]
        mixed = title not in LATIN and sum(MIXED.search(word) is not None for word in words) > len(words) / 5
        if mixed or text == western or float(found[0]["confidence"] or 0.0) < LEAST_CONFIDENCE:
            encoding = WESTERN
    title = ENCODINGS[encoding]
    if encoding == WESTERN and "\ufffd" in western:  # bytes that are undefined in Windows-1252
        encoding = "latin-1"
    seen = {sample.decode(encoding, "replace")}
    message = (
        f"The file is not UTF-8. Its encoding was detected as {title} ({encoding}); decoded, a line has "
        f"'{_preview(sample, encoding)[0]}'."
    )
    hint = "If these characters are wrong, choose another encoding, or save the file as UTF-8."
    others: list[Fix] = []
    scripts = LATIN if title in LATIN else (title,)
    for other in sorted(dict.fromkeys([*ranked, WESTERN]), key=lambda name: ENCODINGS[name] not in scripts):
        text = sample.decode(other, "replace")
        if text in seen or "\ufffd" in text:
            continue
        seen.add(text)
        shown, instead = _preview(sample, encoding, other)
        note = f"In {other} ({ENCODINGS[other]}), '{shown}' is '{instead}'."
        others.append(Fix(f"Use {other}", {"encoding": other}, note))
        if len(others) == MOST_OTHERS:
            break
    fix = Fix(f"Confirm {encoding}", {"encoding": encoding})
    return encoding, Finding("warning", GUESSED, message, hint, where, fix, tuple(others))


def _preview(sample: bytes, *encodings: str) -> list[str]:
    """Return an excerpt of the first line that these encodings decode differently, as decoded by each.

    With one encoding it is from the first line. It begins shortly before the first character that is not ASCII.
    """
    found = [""] * len(encodings)
    for line in sample.split(b"\n"):
        start = next((k for k, byte in enumerate(line) if byte > 127), 0)
        excerpt = line[max(0, start - PREVIEW // 2) : start + PREVIEW]
        found = [excerpt.decode(encoding, "replace").strip()[:PREVIEW] for encoding in encodings]
        if line and len(set(found)) == len(encodings):
            break
    return found
