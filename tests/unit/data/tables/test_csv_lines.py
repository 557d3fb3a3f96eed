"""No line of a delimited text gets lost: each is a row, blank, the header, inside a quoted cell, or in a finding."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.data.tables import csv_quotes, csv_reader
from autotrain_gradio.data.tables.table_reader import read_sheet
from autotrain_gradio.data.tables.types import Sheet

REFUSED = {"quote-open", "column-twice", "table-header-only", "table-empty"}
TEXTS = [
    "good morning",
    '"Come here, said the boy',
    'he said "no"',
    '"Hi," he said',
    'the end."',
    '"all of it"',
    "a, b",
    "x;y",
    '5" wide',
    "",
    "  spaces",
    "Grüße aus Köln",
    "12",
    "1,5",
]
NAMED = {"delimiter-line": 1, "units-row": 1}
"""Code of a finding → lines that it names."""


def table(rng: random.Random) -> tuple[str, str]:
    """Return a random delimited text, and its line end."""
    delimiter, end = rng.choice([",", ";", "\t", "|", ","]), rng.choice(["\n", "\n", "\r\n", "\r"])
    width = rng.choice([1, 2, 3, 3, 5])
    style = rng.choice(["none", "minimal", "all", "sloppy"])
    texts = rng.sample(TEXTS, rng.randint(2, len(TEXTS)))
    multiline = style in {"minimal", "all"} and rng.random() < 0.5

    def cell(text: str) -> str:
        if style == "none":
            return text.replace(delimiter, " ")
        if style == "sloppy":
            return f'"{text.replace(delimiter, " ")}"'
        if style == "all" or any(letter in text for letter in (delimiter, '"', "\n", "\r")):
            return '"' + text.replace('"', '""') + '"'
        return text

    def row(k: int) -> str:
        cells = [rng.choice([*texts, f"id{k}", str(k)]) for _ in range(width)]
        if multiline and rng.random() < 0.2:
            cells[-1] = rng.choice(["two{0}lines", "and, so{0}on, with{0}three", "a{0}b"]).format(end)
        elif rng.random() < 0.01:
            return delimiter.join(cell(text) for text in cells * 2)
        return delimiter.join(cell(text) for text in cells)

    lines = [row(k) for k in range(rng.randint(1, 60))]
    if rng.random() < 0.8:
        lines.insert(0, delimiter.join(cell(f"name {chr(97 + k)}") for k in range(width)))
    if rng.random() < 0.1:
        lines.insert(0, "Results of spring")
    if rng.random() < 0.1:
        lines.insert(len(lines) // 2, lines[0])
    if rng.random() < 0.1:
        lines.insert(0, f"sep={delimiter}")
    for _ in range(rng.choice([0, 0, 1, 3])):
        lines.insert(rng.randint(1, len(lines)), rng.choice(["", "  ", delimiter * (width - 1)]))
    return end.join(lines) + rng.choice(["", end]), end


def explained(sheet: Sheet, lines: list[str]) -> int:
    """Return how many of the lines of a file its rows and findings account for."""
    codes = [f.code for f in sheet.findings]
    cells = [cell for column in sheet.table.columns for cell in column.to_pylist() if cell]
    inside = sum(len(re.findall(r"\r\n|\r|\n", cell)) for cell in cells)
    blank = sum(not line.replace(sheet.delimiter, "").replace('""', "").strip() for line in lines)
    numbered = any(f.code == "no-header" and f.fix and f.fix.change["options"]["header"] for f in sheet.findings)
    named = sum(NAMED.get(code, 0) for code in codes) + sheet.skipped["header-repeated"]
    named += sum(len(re.findall(r"row \d+:", f.message)) for f in sheet.findings if f.code == "title-above")
    if numbered:
        headers = 0
    else:
        lines_of_header = 1 + sum(len(re.findall(r"\r\n|\r|\n", name)) for name in sheet.table.column_names)
        headers = lines_of_header + sheet.skipped["header-repeated"] * (lines_of_header - 1)
    headers += sum(
        int(re.findall(r"has (\d+) rows", f.message)[0]) - 1 for f in sheet.findings if f.code == "header-joined"
    )
    return sheet.table.num_rows + inside + blank + headers + named


@pytest.mark.parametrize("seed", range(300))
def test_every_line_is_accounted_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rng = random.Random(seed)
    for module in (csv_reader, csv_quotes):
        monkeypatch.setattr(module, "BLOCK" if module is csv_reader else "CHUNK", rng.choice([300, 1 << 20]))
    text, end = table(rng)
    path = tmp_path / rng.choice(["a.csv", "a.txt"])
    path.write_text(text, encoding="utf-8", newline="")
    try:
        sheet = read_sheet(path, path.name, Limits())
    except DataError as error:
        assert error.code in REFUSED
        return
    if any(f.code == "row-too-long" for f in sheet.findings):
        return  # cells that are skipped may have lines
    lines = text.removesuffix(end).split(end)
    count = explained(sheet, lines)
    if any(f.code in {"quotes-uneven", "quotes-literal"} for f in sheet.findings):
        assert count >= len(lines)  # a blank line may be part of a cell, and "" be one
    else:
        assert count == len(lines), [str(f) for f in sheet.findings]
