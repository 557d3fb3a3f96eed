"""Files whose rows are inputs: read by the data layer, parsed as the training data was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from autotrain_gradio.core.errors import DataError, UserError
from autotrain_gradio.core.inputs import ROWS_OF
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.worker.input_rows import predict, read_inputs


@pytest.fixture()
def run(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    manifest = {"columns": {"text": ["review"], "target": ["stars"]}}
    (tmp_path / "data" / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def _resolved(**data: Any) -> Any:
    return resolve({"task": "text-classification", "data": {"path": "x", "source": "path", **data}})


def _read(path: Path, run: Path, **data: Any) -> list[tuple[int, dict[str, Any]]]:
    return read_inputs(path, run, _resolved(**data))[0]


ROWS = [{"id": "1", "review": "fine, really", "note": "a"}, {"id": "2", "review": "bad", "note": "b"}]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "json", "parquet", "xlsx"])
def test_the_input_column_is_read_from_every_table_format(suffix: str, run: Path) -> None:
    path, table = run / f"new.{suffix}", pd.DataFrame(ROWS)
    write = {
        "csv": lambda: table.to_csv(path, index=False),
        "tsv": lambda: table.to_csv(path, index=False, sep="\t"),
        "jsonl": lambda: table.to_json(path, orient="records", lines=True),
        "json": lambda: table.to_json(path, orient="records"),
        "parquet": lambda: pq.write_table(pa.Table.from_pandas(table), path),
        "xlsx": lambda: path.write_bytes(_xlsx(table)),
    }
    write[suffix]()
    assert [row for _, row in _read(path, run)] == [{"text": "fine, really"}, {"text": "bad"}]


def _xlsx(table: pd.DataFrame) -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    import io

    book = openpyxl.Workbook()
    for row in (list(table.columns), *table.values.tolist()):
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_a_text_file_has_one_text_a_line(run: Path) -> None:
    (run / "new.txt").write_text("first, with a comma\n\nsecond\tone\n")
    found = read_inputs(run / "new.txt", run, _resolved())
    assert found == ([(1, {"text": "first, with a comma"}), (3, {"text": "second\tone"})], [])


def test_the_only_text_column_is_used_and_several_are_an_error(run: Path) -> None:
    (run / "one.csv").write_text("words\nfine\n")
    rows, warnings = read_inputs(run / "one.csv", run, _resolved())
    assert [row for _, row in rows] == [{"text": "fine"}]
    assert warnings == ["one.csv: the input 'text' is read from the only column, 'words'; the training used 'review'."]
    (run / "two.csv").write_text("words,more\nfine,x\n")
    with pytest.raises(DataError, match="columns words, more") as caught:
        _read(run / "two.csv", run)
    assert "'review'" in caught.value.message and caught.value.code == "missing-column"


def test_another_column_is_not_used_because_it_is_the_only_one_with_text(run: Path) -> None:
    table = [{"id": 1, "stars": 4, "reviewer": "Ann"}, {"id": 2, "stars": 1, "reviewer": "Ben"}]
    (run / "new.json").write_text(json.dumps(table))
    with pytest.raises(DataError, match="the training used 'review', and the file has the columns id, stars, reviewer"):
        _read(run / "new.json", run)
    (run / "data" / "manifest.json").unlink()  # the column of the training is unknown
    rows, warnings = read_inputs(run / "new.json", run, _resolved())
    assert [row for _, row in rows] == [{"text": "Ann"}, {"text": "Ben"}]
    assert warnings == [
        "new.json: the input 'text' is read from the only column with text, 'reviewer'; "
        "the column of the training data is unknown.",
        "new.json: 2 columns are not used for the input 'text': id, stars.",
    ]


def test_columns_of_a_file_that_are_not_inputs_are_reported(run: Path) -> None:
    (run / "new.csv").write_text("id,review,stars,note\n1,fine,5,x\n")
    rows, warnings = read_inputs(run / "new.csv", run, _resolved())
    assert [row for _, row in rows] == [{"text": "fine"}]
    assert warnings == ["new.csv: 2 columns are not used for the input 'text': id, note."], "the target is known"


@pytest.mark.parametrize("name", ["Review", "reviews", "REVIEW "])
def test_a_similar_name_of_the_column_of_the_training_is_suggested(name: str, run: Path) -> None:
    (run / "new.csv").write_text(f"id,{name}\n1,fine\n")
    with pytest.raises(DataError, match="the training used 'review'") as caught:
        _read(run / "new.csv", run)
    assert caught.value.hint == f"Did you mean '{name.strip()}' for 'review'?"


def test_names_that_look_the_same_are_the_same_column(run: Path) -> None:
    (run / "data" / "manifest.json").write_text(json.dumps({"columns": {"text": ["Gr\u00f6\u00dfe der  Welt"]}}))
    (run / "new.csv").write_text("id,Gro\u0308\u00dfe der\u00a0Welt\n1,fine\n")
    assert [row for _, row in _read(run / "new.csv", run)] == [{"text": "fine"}]


def test_the_sheet_of_the_training_is_read(run: Path) -> None:
    manifest = {"columns": {"text": ["review"], "target": ["stars"]}, "sheet": "Reviews"}
    (run / "data" / "manifest.json").write_text(json.dumps(manifest))
    with pd.ExcelWriter(run / "new.xlsx") as writer:
        pd.DataFrame({"about": ["cover"]}).to_excel(writer, sheet_name="Cover", index=False)
        pd.DataFrame({"review": ["fine"]}).to_excel(writer, sheet_name="Reviews", index=False)
    assert read_inputs(run / "new.xlsx", run, _resolved()) == ([(2, {"text": "fine"})], [])
    with pd.ExcelWriter(run / "new.xlsx") as writer:
        for name in ("New", "Old"):
            pd.DataFrame({"review": [name]}).to_excel(writer, sheet_name=name, index=False)
    rows, (warning,) = read_inputs(run / "new.xlsx", run, _resolved())
    assert [row for _, row in rows] == [{"text": "New"}]
    assert "no sheet 'Reviews'" in warning and "'New' was loaded" in warning


def test_joined_columns_are_all_needed(run: Path) -> None:
    (run / "data" / "manifest.json").write_text(json.dumps({"columns": {"text": ["title", "body"]}}))
    (run / "new.csv").write_text("body\nlong\n")
    with pytest.raises(DataError, match="not all columns for the input 'text'") as caught:
        _read(run / "new.csv", run)
    assert "('title' missing)" in caught.value.message and caught.value.code == "missing-column"
    assert caught.value.hint == "Write a file with the columns 'title', 'body'."


def test_rows_without_a_text_are_an_error_with_their_numbers(run: Path) -> None:
    (run / "new.csv").write_text("id,review\n1,fine\n2,\n3,  \n")
    with pytest.raises(DataError, match="2 rows of new.csv") as caught:
        _read(run / "new.csv", run)
    assert "row 3" in caught.value.message and "row 4" in caught.value.message
    with pytest.raises(DataError, match="does not exist"):
        _read(run / "nowhere.csv", run)


def test_texts_of_several_columns_are_joined_as_in_the_training(run: Path) -> None:
    (run / "data" / "manifest.json").write_text(json.dumps({"columns": {"text": ["title", "body"]}}))
    (run / "new.csv").write_text("body,title\nlong,Short\n,Alone\n")
    found = _read(run / "new.csv", run, options={"text_separator": " | "})
    assert [row["text"] for _, row in found] == ["Short | long", "Alone"]


def test_predictions_of_rows_have_panels_number_and_input(run: Path) -> None:
    (run / "new.csv").write_bytes("review\ngrün\nrot\n".encode("latin-1"))
    asked: list[Any] = []

    def predictor(inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        asked.extend(inputs)
        return [{"label": i["text"]} for i in inputs]

    found = predict(predictor, [{"text": "typed"}, {ROWS_OF: str(run / "new.csv")}], run, _resolved())
    assert asked == [{"text": "typed"}, {"text": "grün"}, {"text": "rot"}]
    assert [p["label"] for p in found] == ["typed", "grün", "rot"] and all(p["panels"] for p in found)
    assert "row" not in found[0] and [p["row"] for p in found[1:]] == [2, 3]
    assert found[1]["input"] == {"text": "grün"}
    assert any("Western" in w or "1252" in w for w in found[1]["warnings"]) and "warnings" not in found[2]


def test_a_task_without_row_inputs_refuses_files_of_rows(run: Path) -> None:
    (run / "new.csv").write_text("image\na.png\n")
    resolved = resolve({"task": "image-classification", "data": {"path": "x", "source": "path"}})
    with pytest.raises(UserError, match="cannot predict the rows"):
        read_inputs(run / "new.csv", run, resolved)
