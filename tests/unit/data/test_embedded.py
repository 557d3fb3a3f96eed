"""Parquet, Arrow and saved datasets that carry their images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from autotrain_gradio import data
from tests.unit.data.conftest import Check, errors, finding, names, picture, plant, resolved

datasets.disable_progress_bars()
LABELS = ["cat", "dog", "cow"]


def dataset(count: int = 12, *, start: int = 0, label: Any = None, image: str = "image") -> datasets.Dataset:
    """Return rows with images and ClassLabels, unless `label` gives other values."""
    features = {image: datasets.Image(), "label": datasets.ClassLabel(names=LABELS)}
    values: list[Any] = [i % 3 for i in range(count)]
    if label is not None:
        values = [label(i) for i in range(count)]
        features["label"] = datasets.Value("string" if isinstance(values[0], str) else "int64")
    cells = [{"bytes": picture(start + i), "path": f"{start + i}.jpg"} for i in range(count)]
    return datasets.Dataset.from_dict({image: cells, "label": values}, features=datasets.Features(features))


def all_rows(draft: Path) -> set[tuple[bytes, str]]:
    found = set()
    for part in data.load(draft).values():
        label = part.features["target"]
        assert isinstance(part.features["image"], datasets.Image) and not part.features["image"].decode
        found |= {(row["image"]["bytes"], label.int2str(row["target"])) for row in part}
    return found


def expected(count: int = 12, start: int = 0) -> set[tuple[bytes, str]]:
    return {(picture(start + i), LABELS[i % 3]) for i in range(count)}


def test_parquet_with_class_labels(tmp_path: Path, draft: Path, check: Check) -> None:
    (tmp_path / "in").mkdir()
    dataset().to_parquet(str(tmp_path / "in" / "data.parquet"))
    result = check(tmp_path / "in")
    assert result["layout"]["name"] == "embedded" and names(result) == LABELS
    assert result["splits"] == {"train": 9, "validation": 3}
    assert all_rows(draft) == expected()
    assert (tmp_path / "in" / "data.parquet").exists()


@pytest.mark.parametrize("label, want", [(lambda i: LABELS[i % 3], sorted(LABELS)), (lambda i: i % 3, ["0", "1", "2"])])
def test_string_and_integer_labels(tmp_path: Path, check: Check, label: Any, want: list[str]) -> None:
    (tmp_path / "in").mkdir()
    dataset(label=label).to_parquet(str(tmp_path / "in" / "data.parquet"))
    assert names(check(tmp_path / "in")) == want


def test_plain_binary_columns(tmp_path: Path, draft: Path, check: Check) -> None:
    table = pa.table({"photo": [picture(i) for i in range(12)], "label": [LABELS[i % 3] for i in range(12)]})
    (tmp_path / "in").mkdir()
    pq.write_table(table, tmp_path / "in" / "x.parquet", row_group_size=5)
    assert check(tmp_path / "in")["mapping"]["image"] == ["photo"]
    assert all_rows(draft) == expected()


@pytest.mark.parametrize("form", ["stream", "file"])
def test_arrow_files(tmp_path: Path, draft: Path, check: Check, form: str) -> None:
    table = dataset().data.table
    (tmp_path / "in").mkdir()
    new = pa.ipc.new_stream if form == "stream" else pa.ipc.new_file
    with pa.OSFile(str(tmp_path / "in" / "d.arrow"), "wb") as sink, new(sink, table.schema) as writer:
        writer.write_table(table)
    assert names(check(tmp_path / "in")) == LABELS
    assert all_rows(draft) == expected()
    assert not (draft / "data" / "arrow").exists()


@pytest.mark.parametrize(
    "train, valid",
    [
        ("train-00000-of-00001.parquet", "validation-00000-of-00001.parquet"),
        ("data/train-00000-of-00001-abc.parquet", "data/test-00000-of-00001-abc.parquet"),
        ("train/0000.parquet", "valid/0000.parquet"),
        ("train.parquet", "dev.parquet"),
    ],
)
def test_splits_of_parquet_files(tmp_path: Path, check: Check, train: str, valid: str) -> None:
    for name, part in ((train, dataset(9)), (valid, dataset(6, start=50))):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        part.to_parquet(str(tmp_path / "in" / name))
    named = {"valid_split": "test"} if "test" in valid else {}
    assert check(tmp_path / "in", **named)["splits"] == {"train": 9, "validation": 6}


def test_shards_are_concatenated(tmp_path: Path, draft: Path, check: Check) -> None:
    (tmp_path / "in").mkdir()
    for i in range(3):
        dataset(6, start=10 * i).to_parquet(str(tmp_path / "in" / f"train-0000{i}-of-00003.parquet"))
    assert check(tmp_path / "in", valid_fraction=0)["splits"] == {"train": 18}
    assert all_rows(draft) == expected(6) | expected(6, 10) | expected(6, 20)


def test_uploaded_parquet_is_replaced_by_arrow(draft: Path, check: Check) -> None:
    (draft / "data" / "upload").mkdir(parents=True)
    dataset().to_parquet(str(draft / "data" / "upload" / "data.parquet"))
    assert check(source="upload")["rows"] == 12
    assert not list(draft.rglob("*.parquet")) or [p.name for p in draft.rglob("*.parquet")] == ["scan.parquet"]
    assert check(source="upload", valid_fraction=0)["splits"] == {"train": 12}
    assert all_rows(draft) == expected()


@pytest.mark.parametrize("wrapper", ["", "my_data/"])
def test_a_saved_dataset_dict(tmp_path: Path, draft: Path, check: Check, wrapper: str) -> None:
    parts = datasets.DatasetDict(
        {"train": dataset(9), "validation": dataset(6, start=50), "test": dataset(3, start=80)}
    )
    parts.save_to_disk(str(tmp_path / "in" / wrapper))
    result = check(tmp_path / "in")
    assert result["layout"]["name"] == "saved-dataset" and names(result) == LABELS
    assert result["splits"] == {"train": 9, "validation": 6}
    assert result["dropped"] == [{"code": "split-unused", "count": 3}]
    assert all_rows(draft) == expected(9) | expected(6, 50)
    assert check(tmp_path / "in", train_split="test")["splits"] == {"train": 3, "validation": 6}


def test_a_saved_dataset(tmp_path: Path, draft: Path, check: Check) -> None:
    dataset().save_to_disk(str(tmp_path / "in"), num_shards=3)
    assert check(tmp_path / "in")["splits"] == {"train": 9, "validation": 3}
    assert all_rows(draft) == expected()
    assert not [p for p in (draft / "data").rglob("*") if p.is_file() and p.stat().st_size > 20_000]


def test_the_media_of_a_saved_dataset_are_mapped_not_copied(tmp_path: Path, draft: Path, check: Check) -> None:
    dataset().save_to_disk(str(tmp_path / "in"))
    check(tmp_path / "in")
    before = pa.total_allocated_bytes()
    loaded = data.load(draft)
    assert pa.total_allocated_bytes() - before < sum(len(b) for b, _ in expected()) / 2
    assert loaded["train"][0]["image"]["bytes"]


def test_a_saved_dataset_cannot_name_files_elsewhere(tmp_path: Path, check: Check) -> None:
    dataset().save_to_disk(str(tmp_path / "in"))
    dataset(3, start=90).save_to_disk(str(tmp_path / "other"))
    state = tmp_path / "in" / "state.json"
    value = json.loads(state.read_text())
    value["_data_files"] = [{"filename": "../other/data-00000-of-00001.arrow"}]
    state.write_text(json.dumps(value))
    result = check(tmp_path / "in", options={"layout": "saved-dataset"})
    assert errors(result) == ["layout-unknown"] and result["rows"] == 0


def test_class_numbers_without_a_class(tmp_path: Path, check: Check) -> None:
    part = dataset(12)
    table = part.data.table.set_column(1, "label", pa.array([-1, *[i % 3 for i in range(11)]]))
    table = table.replace_schema_metadata(part.data.table.schema.metadata)
    (tmp_path / "in").mkdir()
    pq.write_table(table, tmp_path / "in" / "d.parquet")
    result = check(tmp_path / "in")
    assert result["dropped"] == [{"code": "label-missing", "count": 1}]
    assert "d.parquet, row 1" in finding(result, "label-missing")["message"]


def test_rows_without_or_with_damaged_images_are_counted(tmp_path: Path, check: Check) -> None:
    cells = [{"bytes": picture(i), "path": None} for i in range(12)]
    cells[3] = {"bytes": b"no image", "path": None}
    cells[4] = {"bytes": None, "path": None}
    cells[5] = {"bytes": b"", "path": None}
    table = pa.table({"image": cells, "label": ["a", "b"] * 6})
    (tmp_path / "in").mkdir()
    pq.write_table(table, tmp_path / "in" / "d.parquet")
    result = check(tmp_path / "in")
    assert {d["code"] for d in result["dropped"]} == {"image-unknown", "image-missing", "image-empty"}
    assert "d.parquet, row 4" in finding(result, "image-unknown")["message"]


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_damaged_files(tmp_path: Path, check: Check, suffix: str) -> None:
    found = finding(check(plant(tmp_path / "in", {f"d.{suffix}": b"PAR1 nonsense"})), "layout-unknown")
    assert f"d.{suffix}" in found["hint"] and "cannot be read" in found["hint"]


def test_parquet_without_images_error_lists_its_columns(tmp_path: Path, check: Check) -> None:
    (tmp_path / "in").mkdir()
    pq.write_table(pa.table({"a": [1], "b": ["x"]}), tmp_path / "in" / "d.parquet")
    assert "only a, b" in finding(check(tmp_path / "in"), "layout-unknown")["hint"]


def test_a_changed_arrow_file_is_not_trained_on(tmp_path: Path, draft: Path, check: Check) -> None:
    from autotrain_gradio.core.errors import DataError

    (tmp_path / "in").mkdir()
    dataset().to_parquet(str(tmp_path / "in" / "d.parquet"))
    check(tmp_path / "in")
    dataset(start=30).to_parquet(str(tmp_path / "in" / "d.parquet"))
    with pytest.raises(DataError, match="d.parquet"):
        data.ensure(draft, resolved(source="path", path=str(tmp_path / "in")))
    assert check(tmp_path / "in")["rows"] == 12
    assert all_rows(draft) == expected(start=30)
