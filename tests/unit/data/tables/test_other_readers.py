"""JSON, Parquet, workbooks, several files, splits by name and by column."""

from __future__ import annotations

import datetime
import json
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
from autotrain_gradio.data.tables.table_reader import read_sheet
from tests.unit.data import roles
from tests.unit.data.conftest import codes, errors, finding, plant

ROWS = [{"text": f"hello number {i}", "label": "ab"[i % 2]} for i in range(12)]
BODY = "text,label\n" + "".join(f"{r['text']},{r['label']}\n" for r in ROWS)


def workbook(path: Path, **tables: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in tables.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "json", "parquet", "arrow", "xlsx"])
def test_every_form_gives_the_same_rows(tmp_path: Path, draft: Path, form: str) -> None:
    path = tmp_path / f"in/rows.{form}"
    path.parent.mkdir()
    table = pa.Table.from_pylist(ROWS)
    if form == "parquet":
        pq.write_table(table, path)
    elif form == "arrow":
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    elif form == "xlsx":
        workbook(path, rows=[["text", "label"], *([r["text"], r["label"]] for r in ROWS)])
    elif form in {"csv", "tsv"}:
        path.write_text(BODY.replace(",", "\t") if form == "tsv" else BODY)
    else:
        path.write_text("\n".join(map(json.dumps, ROWS)) if form == "jsonl" else json.dumps({"data": ROWS}))
    result = roles.check(draft, roles.TEXTS, path.parent)
    assert result["splits"] == {"train": 10, "validation": 2} and not codes(result)
    loaded = data.load(draft)
    names = loaded["train"].features["target"].names
    assert {(r["text"], names[r["target"]]) for part in loaded.values() for r in part} == {
        (r["text"], r["label"]) for r in ROWS
    }


def test_one_file_of_a_folder(tmp_path: Path, draft: Path) -> None:
    folder = plant(tmp_path / "in", {"a.csv": BODY, "b.csv": "x\n", "good/1.txt": "x", "bad/2.txt": "y"})
    result = roles.check(draft, roles.TEXTS, folder / "a.csv")
    assert result["rows"] == 12 and result["layout"]["name"] == "table"


def test_json_lines_with_different_names_and_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autotrain_gradio.data.tables.json_reader.BATCH", 2)
    records: list[dict[str, Any]] = [{"a": 1}, {"a": 2}, {"a": "x", "b": [1]}, {"b": []}, {"a": 1.5}, {"a": None}]
    path = plant(tmp_path, {"a.jsonl": "\n\n".join(map(json.dumps, records))}) / "a.jsonl"
    sheet = read_sheet(path, "a.jsonl", Limits())
    assert sheet.table.to_pydict() == {"a": ["1", "2", "x", None, "1.5", None], "b": [None, None, [1], [], None, None]}
    assert sheet.number.tolist() == [1, 3, 5, 7, 9, 11]


@pytest.mark.parametrize(
    "name, content, code, where",
    [
        ("a.jsonl", '{"a": 1}\n{oops\n', "json-damaged", "a.jsonl, row 2"),
        ("a.jsonl", '{"a": 1}\n[1]\n', "json-no-table", "a.jsonl, row 2"),
        ("a.json", '{"a": \n oops', "json-damaged", "a.json, line 2"),
        ("a.json", '{"a": 1}', "json-no-table", "a.json"),
        ("a.json", "[]", "table-empty", "a.json"),
        ("a.parquet", "PAR1xx", "parquet-damaged", "a.parquet"),
        ("a.xlsx", "no workbook", "workbook-damaged", "a.xlsx"),
    ],
)
def test_damaged_file_error_states_the_location(tmp_path: Path, name: str, content: str, code: str, where: str) -> None:
    with pytest.raises(DataError) as caught:
        read_sheet(plant(tmp_path, {name: content}) / name, name, Limits())
    assert (caught.value.code, caught.value.where) == (code, where)


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_unpaired_surrogates_are_replaced_and_reported(tmp_path: Path, form: str) -> None:
    rows = [*ROWS, {"text": "cut \ud83d", "label": "a", "tags": ["\udc00"]}, {"text": "whole \U0001f600", "label": "b"}]
    path = tmp_path / f"a.{form}"
    path.write_text(json.dumps(rows) if form == "json" else "\n".join(map(json.dumps, rows)), encoding="ascii")
    sheet = read_sheet(path, path.name, Limits())
    assert sheet.table.column("text").to_pylist()[-2:] == ["cut \ufffd", "whole \U0001f600"]
    (told,) = sheet.findings
    assert told.code == "half-characters" and "1 row" in told.message and "row 13" in told.message


def test_nan_among_texts_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "one", "label": "a"}\n{"text": "two", "label": NaN}\n', encoding="utf-8")
    assert read_sheet(path, path.name, Limits()).table.column("label").to_pylist() == ["a", None]


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_number_of_thousands_of_digits_is_an_error(tmp_path: Path, form: str) -> None:
    row = '{"text": "one", "number": ' + "9" * 5000 + "}"
    path = tmp_path / f"a.{form}"
    path.write_text(f"[{row}]" if form == "json" else row, encoding="utf-8")
    with pytest.raises(DataError, match="limit"):
        read_sheet(path, path.name, Limits())


def test_a_table_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_sheet(plant(tmp_path, {"a.csv": BODY}) / "a.csv", "a.csv", Limits(table_bytes=10))
    assert caught.value.code == "table-too-large"


def test_cells_of_a_workbook(tmp_path: Path) -> None:
    rows = [
        [None, None, None],
        ["a", "b", "c"],
        [1, 2.5, "x"],
        [None, None, None],
        [2, None, datetime.datetime(2024, 5, 31, 10, 0)],
    ]
    sheet = read_sheet(workbook(tmp_path / "a.xlsx", first=rows), "a.xlsx", Limits())
    assert sheet.table.to_pydict() == {"a": [1, 2], "b": [2.5, None], "c": ["x", "2024-05-31 10:00:00"]}
    assert sheet.number.tolist() == [3, 5]


@pytest.mark.parametrize("uploaded", [True, False])
def test_a_workbook_alone_is_not_unpacked(tmp_path: Path, draft: Path, uploaded: bool) -> None:
    rows = [["text", "label"], *([r["text"], r["label"]] for r in ROWS)]
    folder = draft / "data" / "upload" if uploaded else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    path = workbook(folder / "rows.xlsx", first=rows)
    given = {"source": "upload"} if uploaded else {"source": "path", "path": str(path)}
    result = data.check(draft, roles.request(roles.TEXTS, **given))
    assert not errors(result) and result["rows"] == 12 and result["layout"]["name"] == "table"


def test_several_sheets_are_reported_and_can_be_selected(tmp_path: Path, draft: Path) -> None:
    first = [["text", "label"], *([r["text"], r["label"]] for r in ROWS)]
    (tmp_path / "in").mkdir()
    workbook(tmp_path / "in" / "a.xlsx", One=first, Two=first[:7])
    found = finding(roles.check(draft, roles.TEXTS, tmp_path / "in"), "several-sheets")
    assert "'One'" in found["message"] and found["fix"]["change"] == {"options": {"sheet": "Two"}}
    assert roles.check(draft, roles.TEXTS, tmp_path / "in", options={"sheet": "Two"})["rows"] == 6
    missing = roles.check(draft, roles.TEXTS, tmp_path / "in", options={"sheet": "Tow"})
    assert "'Two'" in finding(missing, "sheet-missing")["hint"]


def test_several_files_are_concatenated_and_differences_reported(tmp_path: Path, draft: Path) -> None:
    files = {"a.csv": BODY, "b.csv": "label,text,extra\na,one more,1\n", "c.jsonl": '{"text": "x y", "label": 3}\n'}
    result = roles.check(draft, roles.TEXTS, plant(tmp_path / "in", files))
    assert result["rows"] == 14 and [label["name"] for label in result["labels"]] == ["3", "a", "b"]
    message = finding(result, "columns-differ")["message"]
    assert "a.csv lacks 'extra'" in message and "c.jsonl lacks 'extra'" in message
    assert sum(len(part) for part in data.load(draft).values()) == 14


def test_same_table_in_two_formats_is_read_once(tmp_path: Path, draft: Path) -> None:
    files = {"a.csv": BODY, "a.jsonl": "\n".join(map(json.dumps, ROWS))}
    result = roles.check(draft, roles.TEXTS, plant(tmp_path / "in", files))
    assert result["rows"] == 12 and "same-table-twice" in codes(result)


def test_files_named_after_splits(tmp_path: Path, draft: Path) -> None:
    files = {"train.csv": BODY, "valid.csv": BODY.replace("hello", "other"), "test.csv": BODY}
    result = roles.check(draft, roles.TEXTS, plant(tmp_path / "in", files))
    assert result["splits"] == {"train": 12, "validation": 12} and roles.dropped(result) == {"split-unused": 12}


def test_a_column_that_names_the_split(tmp_path: Path, draft: Path) -> None:
    lines = [f"hello {i},{'ab'[i % 2]},{'train' if i < 9 else 'dev'}\n" for i in range(12)]
    result = roles.check(draft, roles.TEXTS, plant(tmp_path / "in", {"a.csv": "text,label,split\n" + "".join(lines)}))
    assert result["splits"] == {"train": 9, "validation": 3}


@pytest.mark.parametrize(
    "body, odd",
    [
        (BODY, False),
        (BODY.partition("\n")[2], True),
        ("".join(f"{i / 7:.3f},{i % 5 + 0.5}\n" for i in range(12)), True),
        ("2019,2020\n" + "".join(f"{i},{i * 2}\n" for i in range(12)), False),
        ("text,label\nlabel,label\nno,text\nmore,label\n", True),
    ],
)
def test_first_line_that_is_not_a_header_is_reported(tmp_path: Path, draft: Path, body: str, odd: bool) -> None:
    result = roles.check(draft, roles.TEXTS, plant(tmp_path / "in", {"a.csv": body}))
    assert ("no-header" in codes(result)) is odd


def test_other_files_are_reported(tmp_path: Path, draft: Path) -> None:
    result = roles.check(draft, roles.TEXTS, plant(tmp_path / "in", {"a.csv": BODY, "README.md": "x", "c.json": "{}"}))
    assert "c.json, README.md" in finding(result, "other-files")["message"] and not errors(result)


def test_parquet_with_class_names(tmp_path: Path, draft: Path) -> None:
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["z", "y", "x"])}
    )
    rows = {"text": [f"hello {i}" for i in range(12)], "label": [i % 2 for i in range(12)]}
    (tmp_path / "in").mkdir()
    datasets.Dataset.from_dict(rows, features=features).to_parquet(str(tmp_path / "in" / "train.parquet"))
    result = roles.check(draft, roles.TEXTS, tmp_path / "in")
    assert [label["name"] for label in result["labels"]] == ["z", "y"] and not errors(result)


def test_a_saved_dataset_without_media(tmp_path: Path, draft: Path) -> None:
    parts = {
        n: datasets.Dataset.from_list([{**r, "text": f"{n} {r['text']}"} for r in ROWS]) for n in ("train", "test")
    }
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "in"))
    result = roles.check(draft, roles.TEXTS, tmp_path / "in", valid_split="test")
    assert result["layout"]["name"] == "saved-dataset" and result["splits"] == {"train": 12, "validation": 12}
    assert len(data.load(draft)["validation"]) == 12


def test_a_data_set_of_labels_in_lists_of_numbers(tmp_path: Path, draft: Path) -> None:
    label = datasets.List(datasets.ClassLabel(names=["x", "y", "z"]))
    features = datasets.Features({"text": datasets.Value("string"), "labels": label})
    rows = {"text": [f"hello {i}" for i in range(12)], "labels": [[0, 2], [1], []] * 4}
    datasets.DatasetDict({"train": datasets.Dataset.from_dict(rows, features=features)}).save_to_disk(
        str(tmp_path / "in")
    )
    result = roles.check(draft, roles.TEXTS, tmp_path / "in")
    assert {x["name"]: x["rows"] for x in result["labels"]} == {"x": 4, "y": 4, "z": 4}, result["findings"]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())])
def test_string_types_of_other_libraries(tmp_path: Path, draft: Path, kind: pa.DataType) -> None:
    table = pa.table({n: pa.array([r[n] for r in ROWS]).cast(kind) for n in ("text", "label")})
    (tmp_path / "in").mkdir()
    with pa.OSFile(str(tmp_path / "in/a.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    result = roles.check(draft, roles.TEXTS, tmp_path / "in")
    assert result["splits"] == {"train": 10, "validation": 2} and not codes(result)
    assert {t for part in data.load(draft).values() for t in part["text"]} == {r["text"] for r in ROWS}


def test_dates_of_a_workbook_are_shown_without_midnight(draft: Path) -> None:
    days = [datetime.datetime(2024, 1, 1 + i % 28) for i in range(40)]
    hours = [day.replace(hour=i % 3) for i, day in enumerate(days)]
    rows = [["day", "hour", "target"], *([d, h, "ab"[i % 2]] for i, (d, h) in enumerate(zip(days, hours, strict=True)))]
    workbook(draft.parent / "in.xlsx", rows=rows)
    result = roles.check(draft, roles.TABLES, draft.parent / "in.xlsx", options={"kinds": {"hour": "category"}})
    shown = {c["name"]: c["examples"] for c in result["columns"]}
    assert shown["day"] == ["2024-01-01", "2024-01-02", "2024-01-03"]
    assert shown["hour"] == ["2024-01-01", "2024-01-02 01:00:00", "2024-01-03 02:00:00"]
    assert "2024-01-07" in data.load(draft)["train"]["features:hour"]
