"""Parsing of delimited text, and the findings about rows that do not fit."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.data.tables import csv_reader
from autotrain_gradio.data.tables.csv_dialect import Dialect
from autotrain_gradio.data.tables.csv_reader import read_csv
from autotrain_gradio.data.tables.table_reader import read_sheet
from autotrain_gradio.data.tables.types import ReadOptions, Sheet
from tests.unit.data import roles
from tests.unit.data.conftest import codes, errors, finding, plant

BODY = "text,label\n" + "".join(f"hello number {i} ö,{'ab'[i % 2]}\n" for i in range(12))


def quiet(message: str, fraction: float) -> None:
    return None


def read(path: Path, content: str | bytes) -> Sheet:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_sheet(path, path.name, Limits())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_every_usual_encoding(tmp_path: Path, encoding: str) -> None:
    sheet = read(tmp_path / "a.csv", BODY.encode(encoding))
    assert sheet.table.column_names == ["text", "label"]
    assert sheet.table.column("text")[3].as_py() == "hello number 3 ö" and sheet.number.tolist() == list(range(2, 14))
    assert {f.code for f in sheet.findings} == ({"encoding-guessed"} if encoding == "latin-1" else set())


def test_cell_longer_than_the_default_limit_of_csv(tmp_path: Path) -> None:
    csv.field_size_limit(131_072)  # as it is in a process that has read no table yet
    sheet = read(tmp_path / "a.csv", f"text,label\n{'long ' * 40_000},a\nshort,b\n")
    assert sheet.table.num_rows == 2


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_usual_delimiter_and_line_end(tmp_path: Path, delimiter: str, end: str) -> None:
    sheet = read(tmp_path / "a.txt", BODY.replace(",", delimiter).replace("\n", end))
    assert sheet.table.num_rows == 12 and sheet.table.column("label")[1].as_py() == "b"


@pytest.mark.parametrize("content", [b"", b" \n\n", "\ufeff".encode()])
def test_an_empty_file(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path / "a.csv", content)
    assert caught.value.code == "table-empty" and caught.value.where == "a.csv"


def test_header_without_rows_is_an_error(tmp_path: Path) -> None:
    for content in ("text,label\n", "text,label"):
        with pytest.raises(DataError) as caught:
            read(tmp_path / "a.csv", content)
        assert caught.value.code == "table-header-only" and "(text, label)" in caught.value.message


@pytest.mark.parametrize(
    "content, said",
    [
        (b"PK\x03\x04" + b"x" * 300, "workbook"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(1, 256)) * 4, "image"),
        (bytes(range(256)) * 40, "binary data"),
        (b"\x00\x01\x02" * 100, "binary data"),
        (b"text,label\na,b\0\n", "zero bytes"),
    ],
)
def test_binary_files_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path / "a.csv", content)
    assert caught.value.code == "table-damaged" and said in caught.value.message


def test_unclosed_quote_error_states_row_and_line(tmp_path: Path) -> None:
    two = '"two\nlines",a\n'
    with pytest.raises(DataError) as caught:
        read(tmp_path / "a.csv", BODY + two + '"this opens,a\nmore,b\nand more,a\n')
    assert caught.value.code == "quote-open" and caught.value.where == "a.csv, row 15"
    assert "row 15 (line 16)" in caught.value.message


def test_cell_of_many_lines_is_reported(tmp_path: Path) -> None:
    rows = "".join(f"more {i}\n" for i in range(600))
    sheet = read(tmp_path / "a.csv", BODY + '"this opens,a\n' + rows + 'end",b\n')
    (found,) = sheet.findings
    assert found.code == "cell-of-many-lines" and "row 14 (602 lines)" in found.message


def test_row_with_a_cell_of_ten_megabytes_is_skipped(tmp_path: Path) -> None:
    folder = plant(tmp_path / "in", {"a.csv": BODY + '"' + "x" * 10_000_000 + '",a\n'})
    (tmp_path / "draft").mkdir()
    result = roles.check(tmp_path / "draft", roles.TEXTS, folder)
    assert roles.dropped(result) == {"cell-too-large": 1} and result["rows"] == 13
    assert "row 14" in finding(result, "cell-too-large")["message"]


def test_ragged_rows_are_reported_with_their_numbers(tmp_path: Path) -> None:
    sheet = read(tmp_path / "a.csv", BODY + "one,b,too,many\nshort\n")
    long, short = sheet.findings
    assert long.code == "row-too-long" and "row 14" in long.message
    assert short.code == "row-too-short" and "row 15" in short.message
    assert sheet.table.num_rows == 14 and sheet.table.column("label")[13].as_py() is None


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_ragged_rows_are_parsed_by_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    parsed, fit_rows = [], csv_reader._fit_rows

    def fit(records: Iterable[tuple[int, list[str]]], *more: Any) -> Any:
        parsed.extend(records)
        return fit_rows(parsed, *more)

    monkeypatch.setattr(csv_reader, "_fit_rows", fit)
    ragged = ['"one, two",b,"too\nmany"', "short", "", "trailing,a,", '"last, but",b,"not, least"']
    rows = BODY.splitlines()
    for at, row in zip((2, 5, 5, 8, 17), ragged, strict=True):
        rows.insert(at, row)
    sheet = read(tmp_path / "a.csv", end.join([*rows, ""]))
    assert [number for number, _ in parsed] == [3, 7, 9, 18] and sheet.table.num_rows == 16
    assert sheet.number.tolist() == [n for n in range(2, 19) if n != 6]
    text, label = (sheet.table.column(n).to_pylist() for n in ("text", "label"))
    assert (text[1], label[1]) == ("one, two", "b") and (text[4], label[4]) == ("short", None)
    assert (text[6], label[6]) == ("trailing", "a") and text[15] == "last, but"
    assert [f.code for f in sheet.findings] == ["row-too-long", "row-too-short"]
    assert "2 rows have more" in sheet.findings[0].message and "row 3, row 18" in sheet.findings[0].message


def test_a_table_of_many_ragged_rows_is_parsed_by_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reader, "SOME_RAGGED", 4)
    for others, found in ((60, True), (0, False)):
        content = "a,b\n" + "1,2\n" * others + "3,4,\n" * 6
        path = tmp_path / "a.csv"
        path.write_text(content, encoding="utf-8")
        parsed = csv_reader._parse_with_arrow(
            path, "utf-8", Dialect(","), ["a", "b"], "a.csv", 1, lambda position: None
        )
        assert (parsed is not None) is found
        assert content_of(read(path, content)) == ([["1", "2"]] * others + [["3", "4"]] * 6, [*range(2, others + 8)])


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path / "a.csv", "text,label,text\na,b,c\n")
    assert caught.value.code == "column-twice" and caught.value.where == "a.csv, row 1"


def test_columns_without_a_name_are_called_by_their_number(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", ",b,\n1,2,3\n").table.column_names == ["column 1", "b"]


def test_blank_rows_do_not_shift_the_numbers(tmp_path: Path) -> None:
    sheet = read(tmp_path / "a.csv", "a,b\n1,2\n\n,\n  , \n3,4\n\n")
    assert sheet.table.to_pydict() == {"a": ["1", "3"], "b": ["2", "4"]} and sheet.number.tolist() == [2, 6]


def test_formulas_are_reported(tmp_path: Path) -> None:
    sheet = read(tmp_path / "a.csv", 'a,b\n1,"=SUM(A1:A3)"\n2,=\n')
    assert [f.code for f in sheet.findings] == ["formulas"] and "row 2, 'b'" in sheet.findings[0].message


def expected(content: str, delimiter: str = ",") -> tuple[list[list[str | None]], list[int]]:
    """Return the rows of three columns below the header, and their numbers, as Python's csv parses them."""
    rows, numbers = [], []
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, skipinitialspace=True)
    for number, cells in enumerate(reader, 1):
        if number > 1 and any(cell.strip() for cell in cells[:3]):
            row = [*cells[:3], *[""] * (3 - len(cells))]
            rows.append([cell if cell.strip() else None for cell in row])
            numbers.append(number)
    return rows, numbers


def content_of(sheet: Sheet) -> tuple[list[list[str | None]], list[int]]:
    """Return the same of a sheet."""
    return [list(row.values()) for row in sheet.table.to_pylist()], sheet.number.tolist()


CELLS = [
    "",
    "a",
    "  a",
    "a b",
    '"',
    'x "y" z',
    "1,5",
    "two\nlines",
    "ü",
    " ",
    "\u2028",
    "=1",
    "0012",
    "tab\there",
    "a\r\nb",
]


@pytest.mark.parametrize("seed", range(50))
def test_random_files_are_parsed_as_by_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rng = random.Random(seed)
    monkeypatch.setattr(csv_reader, "BLOCK", rng.choice([150, 200, 1 << 20]))
    chosen = CELLS if rng.random() < 0.5 else ["a", "b c", "", "ü", "12"]
    text = io.StringIO()
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    writer = csv.writer(text, lineterminator=rng.choice(["\n", "\r\n"]), quoting=quoting)
    writer.writerow(["x", "y", "z"])
    for _ in range(rng.randint(1, 40)):
        writer.writerow([rng.choice(chosen) for _ in range(rng.choice([3, 3, 3, 0, 1, 2, 4, 5]))])
    rows, numbers = expected(text.getvalue())
    if rows:
        path = tmp_path / "a.csv"
        path.write_text(text.getvalue(), encoding="utf-8", newline="")
        assert content_of(read_csv(path, "a.csv", ",", quiet, Limits(), ReadOptions())) == (rows, numbers)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "row", ['1, "a, b",3', '1,  "two{end}lines",3', '1, "a ""b""",3', '"1", "a", "open to the ""end"""']
)
def test_quotes_after_spaces(tmp_path: Path, end: str, row: str) -> None:
    content = end.join(["x,y,z", "7,8,9", row.format(end=end), "4, 5,6", ""])
    reader = csv.reader(io.StringIO(content, newline=""), skipinitialspace=True)
    assert content_of(read(tmp_path / "a.csv", content)) == (list(reader)[1:], [2, 3, 4])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_leading_spaces_are_kept_only_inside_quotes(tmp_path: Path, end: str) -> None:
    for row, cells in {'"  text",a': ["  text", "a"], 'a,"  text"': ["a", "  text"], '" ",a': [None, "a"]}.items():
        sheet = read(tmp_path / "a.csv", end.join(["x,y", row, "1,  2", '3, "4, 5"', ""]))
        assert [list(r.values()) for r in sheet.table.to_pylist()] == [cells, ["1", "2"], ["3", "4, 5"]]


def test_a_quoted_cell_that_begins_with_a_space_in_a_row_that_is_too_short(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", 'x,y,z\n1,"  2"\n').table.to_pylist() == [{"x": "1", "y": "  2", "z": None}]


def test_unclosed_quote_in_the_last_column(tmp_path: Path) -> None:
    for content in ('a,b\n1,2\n1,"open\n2\n', 'a,b\n1,2\n1, "open\n2,3,4\n'):
        with pytest.raises(DataError) as caught:
            read(tmp_path / "a.csv", content)
        assert caught.value.code == "quote-open" and "row 3 (line 3)" in caught.value.message


def test_a_cell_too_large_for_a_table_names_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reader, "BLOCK", 100_000)
    monkeypatch.setattr(csv_reader, "LARGEST_CELL", 300_000)
    with pytest.raises(DataError) as caught:
        read(tmp_path / "a.csv", BODY + f'"{"x" * 400_000}",a\n')
    assert caught.value.code == "cell-too-large" and caught.value.where == "a.csv, row 14"


def test_invalid_bytes_are_replaced(tmp_path: Path) -> None:
    sheet = read(tmp_path / "a.csv", b"\xff\xfe" + "a,b\n1,x\n".encode("utf-16-le") + b"2\x00,\x00\x00\xd8\n\x00")
    assert sheet.table.to_pylist() == [{"a": "1", "b": "x"}, {"a": "2", "b": "\ufffd"}]


def test_an_unreadable_table_beside_good_ones_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "draft").mkdir()
    folder = plant(tmp_path / "in", {"a.csv": BODY, "b.csv": 'a,b\n"open,a\nx\n', "c.csv": b"\0\0\0"})
    assert errors(roles.check(tmp_path / "draft", roles.TEXTS, folder)) == ["quote-open", "table-damaged"]


def test_an_empty_table_beside_good_ones_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "draft").mkdir()
    folder = plant(tmp_path / "in", {"a.csv": BODY, "b.csv": "text,label\n"})
    result = roles.check(tmp_path / "draft", roles.TEXTS, folder)
    assert "table-header-only" in codes(result, "warning") and not errors(result) and result["rows"] == 12


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_blank_rows_between_blocks_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    for content, rows in {
        f"a,b{end}1,2{end}{end}3,4{end}": [2, 4],
        f"a,b{end}1,2{end}3,4{end}{end}{end}": [2, 3],
        f"a{end}1{end}{end}3": [2, 4],
        f'a,b{end}"1{end}{end}x",2{end}{end}3,"4"{end}': [2, 4],
    }.items():
        for block in range(len(csv_reader.END) + 8, len(content) + 40):
            monkeypatch.setattr(csv_reader, "BLOCK", block)
            assert read(tmp_path / "a.csv", content).number.tolist() == rows
