"""Objects of Python as data to train on, and as inputs of a model."""

from __future__ import annotations

import datetime
import decimal
import io
import zipfile
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from autotrain_gradio.api.python_data import parse_inputs, write_data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.inputs import ROWS_OF, Input
from tests.cases.conftest import check_path

ROWS = [
    {"n": 1, "x": 0.5, "ok": True, "day": datetime.date(2024, 5, 31), "name": "a"},
    {"n": None, "x": np.float32(1.5), "ok": np.bool_(False), "day": datetime.date(2024, 6, 1), "name": None},
]
RED = Image.new("RGB", (4, 3), "red")


def _read(data: Any, folder: Path) -> pa.Table:
    (path,) = write_data(data, folder)
    return pq.read_table(path)


@pytest.mark.parametrize(
    "data",
    [
        ROWS,
        {name: [row[name] for row in ROWS] for name in ROWS[0]},
        {name: np.array([row[name] for row in ROWS], dtype=object) for name in ROWS[0]},
        pd.DataFrame({name: pd.Series([row[name] for row in ROWS], dtype=object) for name in ROWS[0]}),
        datasets.Dataset.from_list([{**row, "x": float(row["x"]), "ok": bool(row["ok"])} for row in ROWS]),
    ],
    ids=["rows", "columns", "arrays", "frame", "dataset"],
)
def test_types_are_kept(data: Any, tmp_path: Path) -> None:
    table = _read(data, tmp_path)
    assert table.to_pylist() == [
        {"n": 1, "x": 0.5, "ok": True, "day": datetime.date(2024, 5, 31), "name": "a"},
        {"n": None, "x": 1.5, "ok": False, "day": datetime.date(2024, 6, 1), "name": None},
    ]
    assert table.schema.field("n").type == pa.int64(), "a missing value makes no floats of integers"


def test_columns_of_frames(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            ("size", "cm"): pd.array([1, None], dtype="Int64"),
            ("kind", ""): pd.Categorical(["a", "b"]),
            ("when", ""): pd.to_datetime(["2024-05-31 10:30", None]).tz_localize("UTC"),
            ("month", ""): pd.PeriodIndex(["2024-05", "2024-06"], freq="M"),
            ("mixed", ""): [1, "x"],
            ("took", ""): [datetime.timedelta(seconds=90), None],
            ("cost", ""): [decimal.Decimal("1.50"), None],
            ("file", ""): [Path("a/b.txt"), None],
        },
        index=pd.Index(["first", "second"], name="plot"),
    )
    before = frame.copy()
    row = _read(frame, tmp_path).to_pylist()[0]
    assert list(row) == ["plot", "size cm", "kind", "when", "month", "mixed", "took", "cost", "file"]
    moment = datetime.datetime(2024, 5, 31, 10, 30, tzinfo=datetime.UTC)
    assert (row["plot"], row["size cm"], row["kind"], row["when"]) == ("first", 1, "a", moment)
    assert (row["month"], row["mixed"], row["cost"], row["file"]) == (
        "2024-05",
        "1",
        decimal.Decimal("1.50"),
        "a/b.txt",
    )
    assert row["took"].total_seconds() == 90
    pd.testing.assert_frame_equal(frame, before)


def test_row_numbers_of_a_frame_are_no_column(tmp_path: Path) -> None:
    filtered = pd.DataFrame({"n": [1, 2, 3]}, index=[4, 7, 9]).query("n > 1")
    assert _read(filtered, tmp_path).to_pylist() == [{"n": 2}, {"n": 3}]


def test_splits_are_files(tmp_path: Path) -> None:
    train, valid = datasets.Dataset.from_list(ROWS[:1]), datasets.Dataset.from_list(ROWS[:1])
    paths = write_data(datasets.DatasetDict({"train": train, "validation": valid}), tmp_path)
    assert [p.name for p in paths] == ["train.parquet", "validation.parquet"]
    paths = write_data({"train": pd.DataFrame({"n": [1]}), "test": [{"n": 2}]}, tmp_path)
    assert [p.name for p in paths] == ["train.parquet", "test.parquet"]
    (path,) = write_data({"train": [1, 2], "n": [3, 4]}, tmp_path)
    assert pq.read_table(path).column_names == ["train", "n"], "a column may have the name of a split"


@pytest.mark.parametrize(
    "image", [RED, np.asarray(RED), RED.convert("RGBA"), RED.convert("L"), np.uint16([[1, 60000]])]
)
def test_images_in_memory(image: Any, tmp_path: Path) -> None:
    cell = _read([{"image": image, "label": "red"}, {"image": None, "label": "?"}], tmp_path)["image"].to_pylist()
    opened = Image.open(io.BytesIO(cell[0]["bytes"]))
    assert (np.asarray(opened) == np.asarray(image)).all() and cell[1] is None
    (given,) = parse_inputs([Input("image", "Image", "image")], [image], tmp_path)
    assert (np.asarray(Image.open(given["image"])) == np.asarray(image)).all()


def test_images_of_a_dataset(tmp_path: Path) -> None:
    RED.save(tmp_path / "red.png")
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["red", "blue"])})
    rows = {"image": [str(tmp_path / "red.png")], "label": [0]}
    table = _read(datasets.Dataset.from_dict(rows, features), tmp_path)
    assert table["image"].to_pylist()[0]["bytes"] == (tmp_path / "red.png").read_bytes()
    assert b"ClassLabel" in table.schema.metadata[b"huggingface"]


def test_files_of_media_are_packed_with_the_table(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        RED.save(tmp_path / name / "a.png")
    paths = [tmp_path / "one" / "a.png", str(tmp_path / "two" / "a.png"), tmp_path / "one" / "a.png"]
    (tmp_path / "out").mkdir()
    (path,) = write_data({"image": paths, "label": ["x", "y", "x"]}, tmp_path / "out", [".png", ".jpg"])
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["data.parquet", "media/0-a.png", "media/1-a.png"]
        table = pq.read_table(io.BytesIO(archive.read("data.parquet")))
    assert table["image"].to_pylist() == ["media/0-a.png", "media/1-a.png", "media/0-a.png"]


@pytest.mark.parametrize("samples", [np.int16([1, -2, 3]), np.float64([0.5, -0.25, 1]), np.zeros((2, 50), np.float32)])
def test_audio_in_memory(samples: Any, tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    (given,) = parse_inputs([Input("audio", "Clip", "audio")], [{"array": samples, "sampling_rate": 8000}], tmp_path)
    read, rate = soundfile.read(given["audio"], dtype="int16" if samples.dtype == np.int16 else "float64")
    assert rate == 8000 and (read == (samples.T if samples.ndim == 2 else samples)).all()


def _clips(count: int) -> list[dict[str, Any]]:
    tone = np.sin(np.arange(16_000) / 9)
    clips = [{"array": (tone * (k + 1) / count).astype(np.float32), "sampling_rate": 16_000} for k in range(count)]
    return [{"audio": clip, "text": f"clip number {k}"} for k, clip in enumerate(clips)]


@pytest.mark.parametrize(
    ("task", "rows"),
    [
        ("image-classification", [{"image": Image.new("L", (40, 40), k), "label": "ab"[k % 2]} for k in range(20)]),
        ("automatic-speech-recognition", _clips(8)),
    ],
)
def test_media_in_memory_are_data_of_a_task(task: str, rows: list[dict[str, Any]], tmp_path: Path) -> None:
    (path,) = write_data(rows, tmp_path)
    checked = check_path(tmp_path, task, path)
    assert not checked.errors and checked.result["rows"] == len(rows)
    assert sum(checked.result["splits"].values()) == len(rows)


def test_packed_files_are_data_of_a_task(tmp_path: Path) -> None:
    paths = [tmp_path / f"{k}.png" for k in range(20)]
    for k, path in enumerate(paths):
        Image.new("L", (40, 40), 9 * k).save(path)
    (tmp_path / "out").mkdir()
    (path,) = write_data({"picture": paths, "kind": ["a", "b"] * 10}, tmp_path / "out", [".png"])
    checked = check_path(tmp_path, "image-classification", path)
    assert not checked.errors and checked.result["rows"] == 20 and checked.classes == ["a", "b"]


@pytest.mark.parametrize(
    "data", [None, 3, "text", [], {}, [1, 2], [[1], [2]], pd.Series([1]), np.zeros((2, 2)), {"n": 3}, iter([{"n": 1}])]
)
def test_other_data_is_refused_and_the_message_lists_what_is_accepted(data: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError) as told:
        write_data(data, tmp_path)
    assert told.value.code == "wrong-type" and "DataFrame" in told.value.hint and "list of dicts" in told.value.hint


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"a": [1, 2], "b": [1]}, "differ in length: a: 2, b: 1"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "Two columns have the name 'a'"),
        (pd.DataFrame({"a": []}), "no rows"),
        ([{"image": np.zeros((3, 3, 3))}], "float64 is not an image"),
        ([{"image": np.zeros((3, 3, 7), np.uint8)}], "is not an image"),
        ([{"audio": {"array": np.zeros(9, np.int32), "sampling_rate": 8000}}], "no known scale"),
    ],
)
def test_data_that_cannot_be_stored(data: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        write_data(data, tmp_path)


TABLE = [Input("row", "A row", "form"), Input("table", "Rows", "table")]
TEXT = [Input("text", "Text", "text")]


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        (pd.DataFrame({"a": [1, 2], "b": [0.5, None]}), [{"a": 1, "b": 0.5}, {"a": 2, "b": None}]),
        (pd.DataFrame({"a": [1], "b": ["x"]}).iloc[0], [{"a": 1, "b": "x"}]),
        ([{"a": np.int64(1)}, {"a": pd.NA}], [{"a": 1}, {"a": None}]),
        ({"a": np.float32(0.5), "b": pd.Timestamp("2024-05-31")}, [{"a": 0.5, "b": "2024-05-31T00:00:00"}]),
        ({"a": np.datetime64("2024-05-31"), "b": pd.NaT}, [{"a": "2024-05-31", "b": None}]),
        ({"a": datetime.date(2024, 5, 31), "b": datetime.timedelta(minutes=2)}, [{"a": "2024-05-31", "b": 120.0}]),
        ({"a": decimal.Decimal("1.5"), "b": np.str_("x"), 3: True}, [{"a": 1.5, "b": "x", "3": True}]),
        (np.array([(1, 0.5)], dtype=[("a", int), ("b", float)]), [{"a": 1, "b": 0.5}]),
        (datasets.Dataset.from_list([{"a": 1}]), [{"a": 1}]),
    ],
)
def test_rows_of_tables(value: Any, rows: list[dict[str, Any]], tmp_path: Path) -> None:
    assert parse_inputs(TABLE, [value], tmp_path) == [{"row": row} for row in rows]


def test_texts(tmp_path: Path) -> None:
    for value in (["a", "b"], pd.Series(["a", "b"]), np.array(["a", "b"]), ({"text": "a"}, {"text": "b"})):
        assert parse_inputs(TEXT, [value], tmp_path) == [{"text": "a"}, {"text": "b"}]
    assert parse_inputs(TEXT, ["a", 5, np.float64(2)], tmp_path) == [{"text": "a"}, {"text": "5"}, {"text": "2"}]


@pytest.mark.parametrize("value", [pd.DataFrame({"review": ["a"]}), [{"review": "a"}], {"review": "a"}])
def test_the_rows_of_texts_are_read_like_a_file(value: Any, tmp_path: Path) -> None:
    (given,) = parse_inputs(TEXT, [value], tmp_path)
    assert pq.read_table(given[ROWS_OF]).to_pylist() == [{"review": "a"}]


@pytest.mark.parametrize(
    ("inputs", "value", "accepted"),
    [
        (TABLE, np.zeros((2, 2)), "an array has no column names"),
        (TABLE, {"a": object()}, "texts, numbers, boolean values, dates"),
        (TEXT, None, "Give a text"),
        (TEXT, object(), "a text, the path of a table"),
        ([Input("image", "Image", "image")], 3, "an image of Pillow"),
        ([Input("image", "Image", "image")], np.zeros((3, 3)), "uint8"),
        ([Input("audio", "Clip", "audio")], np.zeros(3), "sampling_rate"),
    ],
)
def test_other_inputs_are_refused_and_the_message_lists_what_is_accepted(
    inputs: list[Input], value: Any, accepted: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as told:
        parse_inputs(inputs, [value], tmp_path)
    assert accepted in told.value.hint
