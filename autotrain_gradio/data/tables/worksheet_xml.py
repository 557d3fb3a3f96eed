"""What the XML of a worksheet says beside its values: hidden rows, and formulas whose values were never calculated."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from autotrain_gradio.core.text_format import MIB

CHUNK = 4 * MIB
LONGEST = 65_536
"""Bytes of a cell with a formula that are kept between two chunks."""
HIDDEN = re.compile(rb"<(?:\w+:)?row\b(?=[^<>]*\bhidden\s*=\s*[\"'](?:1|true)[\"'])[^<>]*?\br\s*=\s*[\"'](\d+)[\"']")
NO_VALUE = re.compile(
    rb"<(?:\w+:)?c\b[^<>]*?\br\s*=\s*[\"']([A-Z]{1,3})(\d+)[\"'][^<>]*>\s*"
    rb"<(?:\w+:)?f\b[^<>]*(?:/>|>[^<]*</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v\s*>\s*</(?:\w+:)?v>)?\s*"
    rb"</(?:\w+:)?c>"
)
"""A cell with a formula and an empty value, or none: programs that write workbooks do not calculate."""
SHEET = re.compile(rb"<(?:\w+:)?sheet\b[^<>]*>")
RELATION = re.compile(rb"<(?:\w+:)?Relationship\b[^<>]*>")


@dataclass
class Worksheet:
    """hidden: numbers of hidden rows. uncalculated: number of a column (from 0) → rows of formulas without values."""

    hidden: list[int] = field(default_factory=list)
    uncalculated: dict[int, list[int]] = field(default_factory=dict)


def scan_worksheet(path: Path, sheet: str) -> Worksheet:
    """Scan the XML of a sheet of an Excel workbook (.xlsx, .xlsm); of other files nothing is known.

    The size of the unpacked XML was checked before (`workbook_limits`).
    """
    found = Worksheet()
    if not zipfile.is_zipfile(path):
        return found
    with zipfile.ZipFile(path) as file:
        member = _member(file, sheet)
        if member is None:
            return found
        with file.open(member) as xml:
            for part in _parts(xml):
                found.hidden += [int(row) for row in HIDDEN.findall(part)]
                for letters, row in NO_VALUE.findall(part):
                    found.uncalculated.setdefault(column_number(letters) - 1, []).append(int(row))
    return found


def column_number(letters: bytes) -> int:
    """Return the number of a column by its letters: 1 for A."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _member(file: zipfile.ZipFile, sheet: str) -> str | None:
    """Return the name of the worksheet's XML; None if the workbook is none of Excel's."""
    known = set(file.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= known:
        return None
    ids = {
        _attribute(tag, rb"name"): _attribute(tag, rb"(?:\w+:)?id")
        for tag in SHEET.findall(file.read("xl/workbook.xml"))
    }
    targets = {
        _attribute(tag, rb"Id"): _attribute(tag, rb"Target")
        for tag in RELATION.findall(file.read("xl/_rels/workbook.xml.rels"))
    }
    target = targets.get(ids.get(sheet, ""), "")
    member = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return member if member in known else None


def _attribute(tag: bytes, name: bytes) -> str:
    found = re.search(rb"\s" + name + rb"\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", tag)
    return html.unescape((found[1] or found[2] or b"").decode("utf-8", "replace")) if found else ""


def _parts(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the XML in parts that end after a row or a cell, where these are not very long."""
    rest = b""
    while chunk := stream.read(CHUNK):
        text = rest + chunk
        at = max(text.rfind(b"</c>") + 4, text.rfind(b"</row>") + 6, len(text) - LONGEST)
        rest = text[at:]
        yield text[:at]
    yield rest
