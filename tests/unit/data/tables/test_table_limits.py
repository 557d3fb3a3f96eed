"""Tables that ask for far more memory than they have bytes are refused before it is allocated."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import datasets
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from autotrain_gradio import data
from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.data.layouts import table as layout
from autotrain_gradio.data.tables import csv_reader, table_limits
from autotrain_gradio.data.tables.table_reader import read_sheet
from autotrain_gradio.data.tables.types import Sheet
from autotrain_gradio.data.tables.workbook_limits import require_workbook
from tests.unit.data import roles
from tests.unit.data.conftest import Check, errors, names, plant

SMALL = Limits(table_cells=40_000, table_columns=100, table_rows=5_000, table_bytes=400_000)


def read(path: Path, limits: Limits = SMALL) -> Sheet:
    return read_sheet(path, path.name, limits)


def refusal(path: Path, limits: Limits = SMALL) -> DataError:
    with pytest.raises(DataError) as caught:
        read(path, limits)
    assert caught.value.where.startswith(path.name) and caught.value.hint
    return caught.value


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


# -- checks

TEXTS = {"a.csv": "text,label\n" + "".join(f"hello number {i},{'ab'[i % 2]}\n" for i in range(12))}
FILES = {f"{i}.jpg": i for i in range(12)} | {
    "metadata.csv": "file_name,label\n" + "".join(f"{i}.jpg,{'ab'[i % 2]}\n" for i in range(12))
}


@pytest.mark.parametrize("path", ["", "metadata.csv"])
def test_limits_of_a_request_are_those_of_tables_that_name_files(tmp_path: Path, check: Check, path: str) -> None:
    place = plant(tmp_path / "in", FILES) / path
    assert not errors(check(place, limits=Limits(table_rows=12)))
    assert "12 rows; the limit is 11" in str(check(place, limits=Limits(table_rows=11))["findings"])


@pytest.mark.parametrize("saved", [False, True])
def test_limits_of_a_request_are_those_of_tables(tmp_path: Path, draft: Path, saved: bool) -> None:
    folder = plant(tmp_path / "in", TEXTS)
    if saved:
        rows = {"text": [f"hello number {i}" for i in range(12)], "label": ["a", "b"] * 6}
        datasets.Dataset.from_dict(rows).save_to_disk(str(tmp_path / "saved"))
        folder = tmp_path / "saved"
    for rows_allowed, found in ((12, []), (11, ["table-too-large"])):
        limits = Limits(table_rows=rows_allowed)
        request = roles.request(roles.TEXTS, limits=limits, source="path", path=str(folder))
        assert errors(data.check(draft, request)) == found


@pytest.mark.parametrize(("files", "path"), [(TEXTS, ""), (TEXTS, "a.csv"), (FILES, ""), (FILES, "metadata.csv")])
def test_a_table_is_parsed_once(
    tmp_path: Path, draft: Path, check: Check, monkeypatch: pytest.MonkeyPatch, files: dict[str, Any], path: str
) -> None:
    parsed = []
    monkeypatch.setattr(layout, "read_sheet", lambda path, *more: parsed.append(path) or read_sheet(path, *more))
    place = plant(tmp_path / "in", files) / path
    result = check(place) if files is FILES else roles.check(draft, roles.TEXTS, place)
    assert not errors(result) and result["rows"] == 12 and len(parsed) == 1


def test_the_sheet_of_a_workbook_that_names_files_can_be_chosen(tmp_path: Path, check: Check) -> None:
    book = openpyxl.Workbook()
    for sheet, label in ((book.active, "first"), (book.create_sheet("other"), "second")):
        for row in (["file_name", "label"], *([f"{i}.jpg", f"{label}{i % 2}"] for i in range(12))):
            sheet.append(row)
    folder = plant(tmp_path / "in", {name: i for name, i in FILES.items() if name != "metadata.csv"})
    book.save(folder / "a.xlsx")
    (fix,) = [f["fix"] for f in check(folder)["findings"] if f["code"] == "several-sheets"]
    assert names(check(folder, **fix["change"])) == ["second0", "second1"]


# -- delimited text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("before", ["", "a,b\n1,2\n", "\n\n"])
def test_a_line_of_delimiters(tmp_path: Path, before: str, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes((before + "x" + "," * 150 + "\n1,2\n").encode(encoding))
    assert "more than 100 columns" in refusal(path).message


def test_a_line_of_delimiters_over_several_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_limits, "CHUNK", 64)
    assert "columns" in refusal(write(tmp_path / "a.csv", "a,b\n1,2\n" + "," * 150)).message
    rows = "".join(f"{k},{'x' * 70}\n" for k in range(50))
    assert read(write(tmp_path / "b.csv", "a,b\n" + rows)).table.num_rows == 50


def test_delimiters_inside_quotes_are_no_columns(tmp_path: Path) -> None:
    text = "one, two, three, " * 60
    found = read(write(tmp_path / "a.csv", f'text,label\n"{text}",x\nplain,"{text}"\n'))
    assert found.table.num_rows == 2 and found.table.column("text")[0].as_py().strip() == text.strip()


def test_the_cells_of_a_text_table(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ",".join("abcdefghij") + "\n" + ("," * 9 + "\n") * 4100)
    assert "× 10 cells; the limit is 40,000" in refusal(path).message


def test_the_rows_of_a_text_table(tmp_path: Path) -> None:
    assert "5,001 rows" in refusal(write(tmp_path / "a.csv", "a\n" + "1\n" * 5001)).message
    assert read(write(tmp_path / "b.csv", "a\n" + "1\n" * 5000)).table.num_rows == 5000


def test_rows_of_another_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reader, "MOST_REJECTED", 50)
    assert (
        "More than 50 rows do not have 2 cells"
        in refusal(write(tmp_path / "a.csv", "a,b\n" + "1,2,3,4\n" * 60)).message
    )
    assert read(write(tmp_path / "b.csv", "a,b\n1,2\n" + "1,2,3\n" * 40)).findings


# -- JSON


@pytest.mark.parametrize(
    "row",
    [
        lambda k: {f"k{k}": 1},
        lambda k: {"nested": {f"k{k}": 1}},
        lambda k: {"list": [{"deep": {f"k{k}": 1}}]},
    ],
    ids=["names", "nested names", "names in lists"],
)
def test_new_names_in_each_row(tmp_path: Path, row: Any) -> None:
    lines = [json.dumps(row(k)) for k in range(150)]
    assert "more than 100 different names" in refusal(write(tmp_path / "a.jsonl", "\n".join(lines))).message
    assert "more than 100 different names" in refusal(write(tmp_path / "a.json", f"[{','.join(lines)}]")).message
    assert read(write(tmp_path / "b.jsonl", "\n".join(lines[:90]))).table.num_rows == 90


def test_many_names_and_many_rows(tmp_path: Path) -> None:
    limits = Limits(table_cells=3_000_000, table_columns=2000)
    path = write(tmp_path / "a.jsonl", "\n".join(json.dumps({f"k{k}": 1}) for k in range(1500)))
    assert "cells; the limit is 750,000" in refusal(path, limits).message
    same = json.dumps({f"k{k}": k for k in range(200)})
    assert read(write(tmp_path / "b.jsonl", f"{same}\n" * 1500), limits).table.num_columns == 200


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_json_whose_objects_need_more_memory_than_its_text(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autotrain_gradio.data.tables.json_reader.LONG_LINE", 1000)
    path = write(tmp_path / f"a{suffix}", "[" + "[]," * 10_000 + "[]]")
    assert "as one JSON value" in refusal(path).message
    long = json.dumps({"text": "x" * 90_000})
    assert read(write(tmp_path / f"b{suffix}", f"[{long}]" if suffix == ".json" else long)).table.num_rows == 1


# -- Parquet and Arrow


def parquet(path: Path, table: pa.Table) -> Path:
    pq.write_table(table, path, compression="zstd")
    return path


def repeated(text: str, rows: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([text]))


def test_a_parquet_file_of_many_rows(tmp_path: Path) -> None:
    assert "5,001 rows" in refusal(parquet(tmp_path / "a.parquet", pa.table({"a": [0] * 5001}))).message


def test_a_parquet_file_of_many_values_in_lists(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", pa.table({"a": [[0] * 41_000]}))
    assert path.stat().st_size < 5000 and "cells" in refusal(path).message


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_a_text_repeated_by_a_dictionary(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    for rows in (4000, 300):
        table = pa.table({"a": repeated("x" * 1000, rows), "b": range(rows)})
        if suffix == ".parquet":
            parquet(path, table)
        else:
            with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
        if rows == 4000:
            assert path.stat().st_size < 60_000 and "would take" in refusal(path).message
    found = read(path).table
    assert found.num_rows == 300 and found.column("a").to_pylist() == ["x" * 1000] * 300


def test_two_columns_of_a_parquet_file_with_one_name(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", pa.table([pa.array([1])] * 3, names=["a", "b", "a"]))
    assert refusal(path).code == "column-twice"


def test_a_parquet_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": ["a", None, "c"],
            "large": pa.array(["x", "y", None], pa.large_string()),
            "number": [1, 2, None],
            "list": [["a"], [], None],
            "struct": [{"a": "x", "b": 1}, None, {"a": None, "b": 2}],
        }
    )
    assert read(parquet(tmp_path / "a.parquet", table)).table.equals(table)
    files = parquet(tmp_path / "c.parquet", pa.table({"image": [b"x", b"y"]}))
    assert read(files).table.num_columns == 0 and len(read(files).number) == 2
    empty = table.slice(0, 0)
    assert read(parquet(tmp_path / "b.parquet", empty)).table.schema.equals(table.schema)


# -- workbooks


def workbook(path: Path, change: Any) -> Path:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["B1"], book.active["A2"], book.active["B2"] = "text", "label", "one", "x"
    book.save(path.parent / "plain.xlsx")
    with zipfile.ZipFile(path.parent / "plain.xlsx") as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            data = old.read(member)
            new.writestr(member.filename, change(data.decode()) if "worksheets/sheet1" in member.filename else data)
    return path


def test_a_far_cell_and_a_false_dimension_and_a_bomb(tmp_path: Path) -> None:
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    path = workbook(tmp_path / "far.xlsx", lambda xml: xml.replace("</sheetData>", far))
    assert "1,048,576 × 16,384 cells" in refusal(path, Limits()).message
    path = workbook(tmp_path / "false.xlsx", lambda xml: xml.replace('ref="A1:B2"', 'ref="A1:XFD1048576"'))
    assert "1,048,576 × 16,384 cells" in refusal(path, Limits()).message
    path = workbook(tmp_path / "bomb.xlsx", lambda xml: xml + " " * 200_000)
    assert "unpacked" in refusal(path).message
    assert read(workbook(tmp_path / "good.xlsx", lambda xml: xml)).table.num_rows == 1


@pytest.mark.parametrize(("columns", "rows", "refused"), [(1, 1, False), (900, 1, False), (900, 900, True)])
def test_repeated_cells_of_an_opendocument(tmp_path: Path, columns: int, rows: int, refused: bool) -> None:
    cell = f'<table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="{columns}"/>'
    empty = '<table:table-row table:number-rows-repeated="1048576"><table:table-cell/></table:table-row>'
    row = f'<table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-row>'
    with zipfile.ZipFile(tmp_path / "a.ods", "w") as file:
        file.writestr("content.xml", f'<x><table:table table:name="a">{row}{empty}</table:table></x>')
    if refused:
        with pytest.raises(DataError, match="900 × 900 cells"):
            require_workbook(tmp_path / "a.ods", "a.ods", SMALL)
    else:
        require_workbook(tmp_path / "a.ods", "a.ods", SMALL)


def test_lines_of_utf_16_are_those_of_its_characters(tmp_path: Path) -> None:
    # The bytes of 上 (U+4E0A) contain a line break, and those of Ĭ (U+012C) a comma.
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + "上Ĭ,b\n" * 100, encoding="utf-16")
    limits = Limits(table_columns=20)
    assert table_limits.count_lines(path, "a.csv", ",", "utf-16", limits).lines == 101
    path.write_text("Ĭ" * 50 + "\n", encoding="utf-16-le")
    assert table_limits.count_lines(path, "a.csv", ",", "utf-16-le", limits).lines == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    ("text", "zeros", "returns"), [("a\nb\n", False, False), ("a\r\nb\n", False, True), ("a\0\nb\n", True, False)]
)
def test_zero_bytes_and_carriage_returns_are_found(
    tmp_path: Path, encoding: str, text: str, zeros: bool, returns: bool
) -> None:
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    found = table_limits.count_lines(tmp_path / "a.csv", "a.csv", ",", encoding, Limits())
    assert found == (2, zeros, returns)
