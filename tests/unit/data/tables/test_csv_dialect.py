"""Delimiters, and a first line that names one."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotrain_gradio.core.settings import Limits
from autotrain_gradio.data.tables.csv_dialect import find_delimiter
from autotrain_gradio.data.tables.table_reader import read_sheet
from autotrain_gradio.data.tables.types import Sheet


def read(path: Path, content: str, codec: str = "utf-8") -> Sheet:
    path.write_bytes(content.encode(codec))
    return read_sheet(path, path.name, Limits())


@pytest.mark.parametrize(
    "text, delimiter",
    [
        ('a;b\n"1,5";2\n"2,5";3\n', ";"),
        ("a,b\n1;2,x\n3;4,y\n", ","),
        ("Results of spring\na;b;c\n1,5;2;3\n2,5;3;4\n" + "1;2;3\n" * 20, ";"),
        ("x\n1,5\n2,6\n3,7\n", ","),
        ('"a" "b"\n"1" 5.1 "x y"\n"2" 4.9 "z"\n"3" 4 "z"\n', " "),
        ("5.1  3.5   setosa\n4.9  3.0   virginica\n5.0 3.1 setosa\n", " "),
        ("text,label\n", ","),
    ],
)
def test_delimiter_splits_the_lines_into_the_same_number_of_cells(text: str, delimiter: str) -> None:
    assert find_delimiter(text) == delimiter


@pytest.mark.parametrize(
    "text",
    [
        "text\nno, delimiter here\n",
        "address\nBerlin, Germany\nParis, France\nRome, Italy\n",
        "It was so, I think.\nNo.\nWell; it, too, was.\nA | b\n",
        "one two three\nfour five six\nseven eight nine\n",
    ],
)
def test_texts_of_one_column_have_no_delimiter(text: str, tmp_path: Path) -> None:
    assert find_delimiter(text) not in text
    sheet = read(tmp_path / "a.csv", text)
    assert sheet.table.num_columns == 1 and sheet.table.num_rows >= len(text.splitlines()) - 1
    assert text.splitlines()[-1] in sheet.table.column(0).to_pylist()


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "line, delimiter", [("sep=;", ";"), ("sep=,", ","), ("sep=\t", "\t"), ('"sep=|"', "|"), ("SEP=^", "^")]
)
def test_a_first_line_that_names_the_delimiter(tmp_path: Path, line: str, delimiter: str, end: str, codec: str) -> None:
    rows = "".join(f"{i}.5{delimiter}é x{end}" for i in range(9))
    sheet = read(tmp_path / "a.csv", f"{line}{end}a{delimiter}b{end}{rows}", codec)
    assert sheet.table.column_names == ["a", "b"] and sheet.number.tolist() == list(range(3, 12))
    assert sheet.table.column("b").to_pylist() == ["é x"] * 9
    found = next(f for f in sheet.findings if f.code == "delimiter-line")
    assert line.replace("\t", "\\t") in found.message and found.where == "a.csv, row 1"


def test_a_column_that_is_called_sep(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "sep,oct\n1,2\n").table.column_names == ["sep", "oct"]


def test_a_tsv_without_tabs(tmp_path: Path) -> None:
    assert read(tmp_path / "a.tsv", "a,b\n1,2\n").table.column_names == ["a", "b"]
    assert read(tmp_path / "b.tsv", "a\tb, c\n1\t2, 3\n").table.column_names == ["a", "b, c"]


def test_spaces_as_the_delimiter(tmp_path: Path) -> None:
    """As R writes them: names of rows without one of their column, quotes around texts."""
    rows = "".join(f'"{i}" {i / 3:.1f} "iris {i % 2}"\n' for i in range(1, 9))
    sheet = read(tmp_path / "a.txt", f'"length" "kind"\n{rows}')
    assert sheet.table.column_names == ["row name", "length", "kind"]
    assert sheet.table.to_pylist()[1] == {"row name": "2", "length": "0.7", "kind": "iris 0"}
