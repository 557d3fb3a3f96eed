"""What the quotes of a delimited text mean: the ends of cells, or ordinary characters.

Many files hold quotes that enclose nothing: `"Come here, said the boy` in a TSV of Common Voice, `id|"Hi," he said|…`
in LJSpeech. Parsed as a quoted cell, such a text loses its quotes, or swallows the rows up to the next quote. So where
text follows the second quote of a cell, or a quoted cell has several lines, the file is also parsed with quotes as
ordinary characters. That is the reading unless rows have as many cells as the others only with enclosing quotes.
"""

from __future__ import annotations

import codecs
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from autotrain_gradio.core.errors import Finding, Fix, Level
from autotrain_gradio.core.text_format import MIB
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.tables.missing_header import HEADER, ROW, evidence

CHUNK = 8 * MIB
COMPARED = 300
"""Lines with quotes, and without, that are compared where two readings are possible."""
FEW = 0.05
"""Rows that prove that quotes enclose cells, by chance, for each one with an uneven quote."""
OPTION = "quotes"
DOUBLE = 'Write a quote inside a quoted cell twice ("").'

Quotes = Literal["enclosing", "literal", "stripped"]
"""`enclosing`: as in RFC 4180. `literal`: ordinary characters. `stripped`: the first and last character of cells, but
quotes inside are not doubled, and a line break always ends a row."""


def detect_quotes(path: Path, name: str, codec: str, head: str, delimiter: str) -> tuple[Quotes, list[Finding]]:
    """Return what the quotes of a file mean, and findings where that is not evident. head: its beginning."""
    counts = [line.count(delimiter) for line in head.splitlines()[:1000] if line.strip()]
    width = Counter(counts[1:] or counts).most_common(1)[0][0] + 1
    if not _may_be_literal(path, codec, delimiter, width):
        return "enclosing", []
    scan = _scan_lines(path, codec, delimiter, width)
    if not scan.stray and (scan.misfits or scan.proofs or width == 1 and not scan.unclosed):
        return "enclosing", []
    shown = [f"line {number}: {text}" for number, text in scan.stray[:5]]
    if scan.proofs > FEW * len(scan.stray):
        text = "More text follows the quote that ends a cell in {n}; the quotes were removed"
        return "enclosing", report_examples(
            "warning", "quotes-uneven", text, shown, "place", DOUBLE, name, total=len(scan.stray)
        )
    if not scan.stray and not scan.unclosed:
        return _choose(scan, name, delimiter) if scan.spanning else ("enclosing", [])
    if scan.enclosed > scan.lines / 2:
        text = "Quotes inside a quoted cell are not doubled in {n}; only those around the cell were removed"
        return "stripped", report_examples(
            "info", "quotes-uneven", text, shown, "place", DOUBLE, name, total=len(scan.stray)
        )
    return "literal", _report_literal("info", scan, name)


def _report_literal(level: Level, scan: _Scan, name: str) -> list[Finding]:
    places = sorted({*scan.stray, *scan.spanning, *scan.unclosed})
    text = "Quotes were parsed as ordinary characters: {n} {begins} with one and {lacks} a second one at the end"
    shown = [f"line {number}: {text}" for number, text in places[:5]]
    found = report_examples(level, "quotes-literal", text, shown, "cell", "", name, total=len(places))
    return [replace(f, fix=Fix("Quotes enclose cells", {"options": {OPTION: True}})) for f in found]


def _choose(scan: _Scan, name: str, delimiter: str) -> tuple[Quotes, list[Finding]]:
    """Choose a reading where quoted cells of several lines are closed, and each line could be a row as well.

    It is where the cells of these lines are like those of the lines without quotes in the same columns.
    """
    columns = [[cell for cell in column if cell.strip()] for column in zip(*scan.plain, strict=True)]
    votes = Counter(evidence(*pair) for row in scan.quoted for pair in zip(row, columns, strict=False))
    likely = votes[ROW] > 3 * votes[HEADER] if votes[ROW] or votes[HEADER] else delimiter in "\t|"
    if likely:
        return "literal", _report_literal("warning", scan, name)
    shown = [f"line {number}: {text}" for number, text in scan.spanning[:5]]
    text = "{n} {spans} several lines, each with as many cells as a row, and {was} read as one cell"
    found = report_examples("info", "quotes-over-lines", text, shown, "quoted cell", "", name, total=len(scan.spanning))
    fix = Fix("Read each line as a row", {"options": {OPTION: False}})
    return "enclosing", [replace(f, fix=fix) for f in found]


def _may_be_literal(path: Path, codec: str, delimiter: str, width: int) -> bool:
    """Return whether the quotes of a file need a closer look.

    They do if one is inside a cell, or if all lines of the quoted cells of several lines could be rows. Blocks are
    counted as a whole, so that regular files with millions of quotes cost little. width: cells of a row.
    """
    mark, parity, before = ord(delimiter), 0, False
    spanning, fits = False, True
    for block in _blocks(path, codec):
        if b'"' not in block and not parity:
            continue
        letters = np.frombuffer(block, np.uint8)
        quotes, ends = np.flatnonzero(letters == ord('"')), np.flatnonzero(letters == ord("\n"))
        opens = (np.arange(len(quotes)) + parity) % 2 == 0
        first = np.where(quotes > 0, letters[quotes - 1], ord("\n"))[opens]
        last = letters[quotes[~opens] + 1]
        if not np.isin(np.concatenate((first, last)), (mark, ord("\n"), ord('"'))).all():
            return True
        inside = (np.searchsorted(quotes, ends) + parity) % 2 == 1
        if before or inside.any():
            spanning = True
            touched = inside | np.concatenate(([before], inside[:-1]))
            counts = np.diff(np.searchsorted(np.flatnonzero(letters == mark), ends), prepend=0)
            fits = fits and bool((counts[touched] == width - 1).all())
        before, parity = bool(inside[-1]), (parity + len(quotes)) % 2
    return parity == 1 or (spanning and fits)


def _blocks(path: Path, codec: str) -> Iterator[bytes]:
    """Yield blocks of whole lines of a text, as UTF-8, each line ending in a line feed."""
    decoder = None if codec.startswith("utf-8") else codecs.getincrementaldecoder(codec)("replace")
    rest, held = b"", b""
    with path.open("rb") as file:
        file.seek(len(codecs.BOM_UTF8) if codec == "utf-8-sig" else 0)
        while data := file.read(CHUNK):
            if decoder is not None:
                data = decoder.decode(data).encode("utf-8", "replace")
            data, held = held + data, b""
            if b"\r" in data:
                if data.endswith(b"\r"):
                    data, held = data[:-1], b"\r"
                data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            whole, end, after = data.rpartition(b"\n")
            if end:
                yield rest + whole + end
                rest = after
            else:
                rest += after
    if rest:
        yield rest + b"\n"


_Place = tuple[int, str]


@dataclass
class _Scan:
    """What the lines of a file show if quotes enclose cells. A place is a line number, and the text there."""

    misfits: int = 0
    """Number of lines with a quote, or inside a quoted cell, that do not have the width of a row."""
    proofs: int = 0
    """Number of rows that have their width because quotes enclose a delimiter or line end, or with doubled quotes."""
    lines: int = 0
    """Number of lines that are not blank."""
    enclosed: int = 0
    """Number of lines with a cell that begins and ends with a quote."""
    stray: list[_Place] = field(default_factory=list)
    """Cells with text after the quote that ends them."""
    spanning: list[_Place] = field(default_factory=list)
    """Cells that are closed in a later line."""
    unclosed: list[_Place] = field(default_factory=list)
    """The last quote, if it is never closed."""
    quoted: list[list[str]] = field(default_factory=list)
    plain: list[list[str]] = field(default_factory=list)
    """Cells of the first lines with a quote, and without."""


def _scan_lines(path: Path, codec: str, delimiter: str, width: int) -> _Scan:
    mark = re.escape(delimiter)
    opening = re.compile(rf'(?:^|(?<={mark})) *"')
    closing = re.compile(r'(?:[^"]|"")*"(?!")')
    after = re.compile(rf" *(?:{mark}|$)")
    scan = _Scan()
    opened: _Place | None = None
    # Of the row so far: delimiters outside of quotes; whether its lines have its width, no quote is uneven, one double.
    cells, fits, proper, doubled = 0, True, True, False
    with path.open("rb") as raw, io.TextIOWrapper(raw, codec, "replace", newline=None) as lines:
        for number, text in enumerate(lines, 1):
            line = text.removesuffix("\n")
            scan.lines += bool(line.strip())
            if opened is None and '"' not in line:
                if len(scan.plain) < COMPARED and line.count(delimiter) == width - 1:
                    scan.plain.append(line.split(delimiter))
                continue
            fits_line = line.count(delimiter) == width - 1
            scan.misfits += not fits_line
            fits = fits and fits_line
            scan.enclosed += any(len(c) > 1 and c[0] == c[-1] == '"' for c in map(str.strip, line.split(delimiter)))
            if len(scan.quoted) < COMPARED:
                scan.quoted.append(line.split(delimiter))
            position = 0
            while True:
                if opened is None:
                    found = opening.search(line, position)
                    cells += line.count(delimiter, position, found.end() if found else len(line))
                    if found is None:
                        scan.proofs += proper and (doubled or not fits) and cells == width - 1
                        cells, fits, proper, doubled = 0, True, True, False
                        break
                    opened, position = (number, line[found.end() - 1 :][:40]), found.end()
                end = closing.match(line, position)
                if end is None:
                    if opened[0] == number:
                        scan.spanning.append(opened)
                    break
                position = end.end()
                doubled = doubled or '""' in end[0]
                if not after.match(line, position):
                    scan.stray.append(opened)
                    proper = False
                opened = None
    if opened is not None:
        scan.unclosed.append(scan.spanning.pop())
    return scan
