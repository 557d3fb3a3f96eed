"""Kinds with nested values: what was checked is loaded with the same values and features."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, List, Value

from autotrain_gradio import data
from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.data.catalog import EMBEDDED, IMAGE, PATH, SAVED_DATASET, TABLE, TEXT, VALUE
from autotrain_gradio.data.declarations import Column, Kind
from autotrain_gradio.data.pipeline.features import class_names, from_dict, label_form
from autotrain_gradio.data.rows import Cells, Context
from tests.unit.data.conftest import errors, picture
from tests.unit.data.roles import dropped

TAGS = ["O", "PER", "LOC"]


def numbers_of(names: list[str], context: Context) -> list[str]:
    declared = context.feature
    return next(iter(class_names(from_dict(declared)).values())) if declared else names


def tags(cells: pa.ChunkedArray, context: Context) -> Cells:
    names = numbers_of(TAGS, context)
    rows = cells.to_pylist()
    problems = [None if row else "tags-missing" for row in rows]
    values = [[t if isinstance(t, int) else names.index(t) for t in row] if row else None for row in rows]
    return Cells(values, problems, feature=List(ClassLabel(names=names)))


def spans(cells: pa.ChunkedArray, context: Context) -> Cells:
    feature = List({"start": Value("int32"), "end": Value("int32"), "label": ClassLabel(names=TAGS)})
    rows = [[{**s, "label": TAGS.index(s["label"])} for s in row or []] for row in cells.to_pylist()]
    return Cells(rows, {}, feature=feature)


def messages(cells: pa.ChunkedArray, context: Context) -> Cells:
    rows = cells.to_pylist()
    findings = [] if all(rows) else [Finding("warning", "messages-missing", "Some rows have no messages.")]
    feature = List({"role": Value("string"), "content": Value("string")})
    return Cells(rows, [None if r else "messages-missing" for r in rows], findings=findings, feature=feature)


def boxes(cells: pa.ChunkedArray, context: Context) -> Cells:
    names = numbers_of(TAGS, context)
    feature = {"bbox": List(List(Value("float32"), length=4)), "category": List(ClassLabel(names=names))}
    values = [
        {"bbox": v["bbox"], "category": [c if isinstance(c, int) else names.index(c) for c in v["category"]]}
        for v in cells.to_pylist()
    ]
    return Cells(values, {}, feature=feature)


INSPECT = {"tags": tags, "spans": spans, "messages": messages, "boxes": boxes}


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, inspect in INSPECT.items():
        module = ModuleType(f"nested_{name}")
        module.inspect = inspect  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)


def columns(*names: str, media: bool = False) -> tuple[Column, ...]:
    first = Column("image", "Image", IMAGE, purpose="input") if media else Column("text", "Text", TEXT, purpose="input")
    nested = (Column(n, n.title(), Kind(n, n, f"nested_{n}"), purpose="target") for n in names)
    return (first, *nested, Column("id", "Id", VALUE, purpose="meta", required=False))


def check(draft: Path, of: tuple[Column, ...], path: Path, **given: Any) -> dict[str, Any]:
    spec = DataSpec(source="path", path=str(path), **given)
    layouts = (SAVED_DATASET, EMBEDDED) if of[0].kind is IMAGE else (SAVED_DATASET, TABLE)
    return {**data.check(draft, data.Request("Nested", spec, of, (PATH,), layouts))}


def rows_of(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"r{i}",
            "text": f"Anna number {i} lives in Bonn.",
            "tags": ["PER", "O", "O", "LOC"][: 1 + i % 4],
            "spans": [{"start": 0, "end": 4, "label": "PER"}][: i % 2],
            "messages": [{"role": "user", "content": f"Hello {i}"}, {"role": "assistant", "content": "Hi"}],
            "boxes": {"bbox": [[0.5, 1, 2, 3]] * (i % 3), "category": ["LOC"] * (i % 3)},
        }
        for i in range(count)
    ]


FEATURES = {
    "tags": List(ClassLabel(names=TAGS)),
    "spans": List({"start": Value("int32"), "end": Value("int32"), "label": ClassLabel(names=TAGS)}),
    "messages": List({"role": Value("string"), "content": Value("string")}),
    "boxes": {"bbox": List(List(Value("float32"), length=4)), "category": List(ClassLabel(names=TAGS))},
}


def decoded(row: dict[str, Any]) -> dict[str, Any]:
    """Return a loaded row with class names in place of class numbers."""
    row = dict(row)
    row["tags"] = [TAGS[t] for t in row["tags"]]
    row["spans"] = [{**s, "label": TAGS[s["label"]]} for s in row["spans"]]
    row["boxes"] = {**row["boxes"], "category": [TAGS[c] for c in row["boxes"]["category"]]}
    return row


def test_nested_values_are_loaded_as_they_were_checked(draft: Path, tmp_path: Path) -> None:
    rows = rows_of(30)
    rows[3]["text"], rows[7]["tags"], rows[11]["messages"] = " ", [], None
    (tmp_path / "t.jsonl").write_text("\n".join(json.dumps(r) for r in rows))
    result = check(draft, columns("tags", "spans", "messages", "boxes"), tmp_path / "t.jsonl")
    assert not errors(result), result["findings"]
    assert dropped(result) == {"text-empty": 1, "tags-missing": 1, "messages-missing": 1}
    saved = data.load(draft)
    assert result["splits"] == {n: len(d) for n, d in saved.items()} and set(saved) == {"train", "validation"}
    assert {n: saved["train"].features[n] for n in FEATURES} == FEATURES
    expected = {r["id"]: r for r in rows if r["id"] not in {"r3", "r7", "r11"}}
    assert {r["id"]: decoded(r) for part in saved.values() for r in part} == expected


def test_the_manifest_holds_the_classes_of_nested_features(draft: Path, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text("\n".join(json.dumps(r) for r in rows_of(10)))
    check(draft, columns("tags", "spans", "messages", "boxes"), tmp_path / "t.jsonl")
    manifest = json.loads((draft / "data" / "manifest.json").read_text())
    assert manifest["classes"] == {"tags": TAGS, "spans.label": TAGS, "boxes.category": TAGS}
    assert manifest["label_forms"] == {"tags": "sequence"} and not manifest["multi_label"]


@pytest.mark.parametrize("form", ["parquet", "saved"])
def test_the_classes_that_a_dataset_declares_for_nested_values_are_used(draft: Path, tmp_path: Path, form: str) -> None:
    names = ["O", "X"]
    features = datasets.Features({"text": Value("string"), "tags": List(ClassLabel(names=names))})
    texts = [f"Sentence number {i} here." for i in range(12)]
    table = datasets.Dataset.from_dict({"text": texts, "tags": [[0, 1]] * 12}, features)
    if form == "parquet":
        table.to_parquet(str(tmp_path / "in" / "t.parquet"))
    else:
        table.save_to_disk(str(tmp_path / "in"))
    result = check(draft, columns("tags"), tmp_path / "in")
    assert not errors(result), result["findings"]
    assert data.load(draft)["train"].features["tags"] == List(ClassLabel(names=names))
    assert label_form(Cells([[0]], {}, feature=List(ClassLabel(names=names)))) == "sequence"


def test_boxes_of_pictures_inside_parquet(draft: Path, tmp_path: Path) -> None:
    given = [
        {"image": {"bytes": picture(i), "path": f"{i}.jpg"}, "boxes": rows_of(20)[i]["boxes"], "id": f"r{i}"}
        for i in range(20)
    ]
    given[4]["image"] = {"bytes": b"", "path": "4.jpg"}
    (tmp_path / "in").mkdir()
    pq.write_table(pa.Table.from_pylist(given), tmp_path / "in" / "train.parquet")
    result = check(draft, columns("boxes", media=True), tmp_path / "in")
    assert not errors(result) and dropped(result) == {"image-empty": 1}, result["findings"]
    saved = data.load(draft)
    assert saved["train"].features["image"] == datasets.Image(decode=False)
    assert saved["train"].features["boxes"] == FEATURES["boxes"]
    for row in (row for part in saved.values() for row in part):
        number = int(row["id"][1:])
        assert row["image"]["bytes"] == picture(number)
        assert row["boxes"]["bbox"] == given[number]["boxes"]["bbox"]
        assert [TAGS[c] for c in row["boxes"]["category"]] == given[number]["boxes"]["category"]
