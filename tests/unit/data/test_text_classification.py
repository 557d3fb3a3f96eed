"""Data of text classification as people bring it, through the whole check: what is taken, and what is said."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from autotrain_gradio import data
from autotrain_gradio.core.spec import from_yaml
from autotrain_gradio.data.request import Request
from autotrain_gradio.tasks.registry import resolve

GOOD = ["I love this film", "wonderful music", "nice and warm", "well acted", "a joy to see", "like coming home"]
BAD = ["what a bore", "terrible plot", "never again", "fell asleep", "ugly and loud", "ten minutes were enough"]
ROWS = [row for pair in zip(GOOD, BAD, strict=True) for row in ((pair[0], "good"), (pair[1], "bad"))]
Look = Callable[..., dict[str, Any]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Return a function that checks files, name → content; the result has `target`, the feature of the labels."""

    def check(files: dict[str, bytes | str], **given: Any) -> dict[str, Any]:
        root, draft = tmp_path / "in", tmp_path / "run"
        draft.mkdir()
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
        resolved = resolve({"task": "text-classification", "data": {"source": "path", "path": str(root), **given}})
        found: dict[str, Any] = dict(data.check(draft, Request.of(resolved)))
        if not any(f["level"] == "error" for f in found["findings"]):
            found["data"] = data.load(draft)
        return found

    return check


def csv(rows: list[tuple[str, ...]] = ROWS, head: str = "text,label", delimiter: str = ",") -> str:
    return "\n".join([head.replace(",", delimiter), *(delimiter.join(row) for row in rows)]) + "\n"


def jsonl(labels: Callable[[int, str], Any]) -> str:
    return "\n".join(json.dumps({"text": t, "label": labels(i, name)}) for i, (t, name) in enumerate(ROWS))


def workbook() -> bytes:
    book, buffer = openpyxl.Workbook(), io.BytesIO()
    for row in (("text", "label"), *ROWS):
        book.active.append(row)
    book.save(buffer)
    return buffer.getvalue()


def parquet() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"text": [t for t, _ in ROWS], "label": [name for _, name in ROWS]}), buffer)
    return buffer.getvalue()


def folders() -> dict[str, bytes | str]:
    return {f"{name}/{i}.txt": text for i, (text, name) in enumerate(ROWS)}


@pytest.mark.parametrize(
    "files",
    [
        {"a.csv": csv()},
        {"a.tsv": csv(delimiter="\t")},
        {"a.csv": csv(delimiter=";")},
        {"a.csv": csv().encode("utf-16")},
        {"a.csv": csv().encode("utf-8-sig")},
        {"a.jsonl": jsonl(lambda i, name: name)},
        {"a.json": json.dumps([{"text": t, "label": name} for t, name in ROWS])},
        {"a.parquet": parquet()},
        {"a.xlsx": workbook()},
        {"a.csv": csv(ROWS[:6]), "b.csv": csv(ROWS[6:])},
        folders(),
    ],
    ids=["csv", "tsv", "semicolon", "utf16", "bom", "jsonl", "json", "parquet", "xlsx", "several", "folders"],
)
def test_every_form_gives_the_same_rows(look: Look, files: dict[str, bytes | str]) -> None:
    found = look(files)
    assert [f for f in found["findings"] if f["level"] != "info"] == []
    rows = [row for part in found["data"].values() for row in part]
    names = found["data"]["train"].features["target"].names
    assert sorted((r["text"].strip(), names[r["target"]]) for r in rows) == sorted(ROWS)
    assert {n: len(part) for n, part in found["data"].items()} == found["splits"]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (jsonl(lambda i, name: [name, "short"] if i % 3 else [name]), ["bad", "good", "short"]),
        (jsonl(lambda i, name: [] if i == 5 else [name]), ["bad", "good"]),
        (jsonl(lambda i, name: f"{name}|short" if i % 3 else name), ["bad", "good", "short"]),
        (jsonl(lambda i, name: f"['{name}', 'short']" if i % 3 else f"['{name}']"), ["bad", "good", "short"]),
    ],
    ids=["lists", "an empty list", "delimited", "lists as text"],
)
def test_several_labels_a_text(look: Look, content: str, names: list[str]) -> None:
    found = look({"a.jsonl": content})
    feature = found["data"]["train"].features["target"]
    assert feature.feature.names == names
    rows = {r["text"]: [names[i] for i in r["target"]] for part in found["data"].values() for r in part}
    assert rows[GOOD[0]] == ["good"] and len(rows) == 12


def test_columns_of_zero_and_one_are_labels_and_columns_of_text_are_joined(look: Look) -> None:
    rows = [(f"Title {i}", text, str(int(name == "good")), "1") for i, (text, name) in enumerate(ROWS)]
    columns = {"text": ["title", "body"], "target": ["fine", "short"]}
    found = look({"a.csv": csv(rows, "title,body,fine,short")}, columns=columns)
    assert found["data"]["train"].features["target"].feature.names == ["fine", "short"]
    texts = {r["text"] for part in found["data"].values() for r in part}
    assert f"Title 0\n{GOOD[0]}" in texts


@pytest.mark.parametrize(
    ("content", "level", "code", "said"),
    [
        ("", "error", "table-empty", "empty"),
        ("text,label\n", "error", "table-header-only", "no rows"),
        (bytes(range(256)) * 40, "error", "table-damaged", "not a text table"),
        ("text\n" + "\n".join(GOOD), "error", "column-unclear", "as the label"),
        ("a,b\n1,2\n3,4\n1,2\n3,4\n", "error", "column-unclear", "as the text"),
        (csv(head="text,text"), "error", "column-twice", "'text'"),
        (csv() + '"open text,good\nnext\n', "error", "quote-open", "row 14"),
        (csv([(t, "good") for t, _ in ROWS]), "error", "one-class", "'good'"),
        (csv() + "one,good,three\n", "warning", "row-too-long", "row 14"),
        (csv() + "one\n", "info", "row-too-short", "row 14"),
        (csv() + "one,\n", "warning", "label-missing", "row 14"),
        (csv([*ROWS, ("ça été bien", "good")]).encode("latin-1"), "warning", "encoding-guessed", "Western European"),
        (csv() + ",good\n   ,bad\n", "warning", "text-empty", "2 rows"),
        (csv([*ROWS, ("x" * 10_000_000, "good")]), "warning", "cell-too-large", "row 14"),
        (csv([*ROWS, ("so so", "meh")]), "warning", "class-with-one-row", "'meh'"),
        (csv([*ROWS, (GOOD[0], "bad")]), "warning", "same-in-two-classes", "rows 2 (good) = 14 (bad)"),
        (csv([*ROWS, ROWS[0]]), "info", "duplicates", "rows 2 = 14"),
        (csv([*ROWS, ("=SUM(A1:A9)", "good")]), "warning", "formulas", "=SUM"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    look: Look, content: bytes | str, level: str, code: str, said: str
) -> None:
    found = look({"a.csv": content})
    told = [f for f in found["findings"] if f["code"] == code]
    assert told and told[0]["level"] == level and said in told[0]["message"]
    assert ("data" in found) == (level != "error")
    if "data" in found:
        kept = sum(len(part) for part in found["data"].values())
        assert kept + sum(d["count"] for d in found["dropped"]) == found["rows"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.jsonl", '{"text": "a", "label": "b"}\n{oops\n', "json-damaged"),
        ("a.parquet", b"PAR1 nonsense", "parquet-damaged"),
        ("a.xlsx", b"PK\x03\x04 nonsense", "workbook-damaged"),
    ],
)
def test_damaged_files_are_named(look: Look, name: str, content: bytes | str, code: str) -> None:
    told = [f for f in look({name: content})["findings"] if f["code"] == code]
    assert told and name in told[0]["where"] and told[0]["hint"]


def test_a_text_in_training_and_validation_is_reported(look: Look) -> None:
    found = look({"train.csv": csv(ROWS), "valid.csv": csv(ROWS[:4])})
    assert any("validation" in f["message"] for f in found["findings"] if f["level"] == "warning")


AUTOTRAIN = """
task: text_classification
base_model: google-bert/bert-base-uncased
project_name: autotrain-bert-imdb-finetuned
log: tensorboard
backend: local
data:
  path: stanfordnlp/imdb
  train_split: train
  valid_split: test
  column_mapping:
    text_column: text
    target_column: label
params:
  max_seq_length: 512
  epochs: 3
  batch_size: 4
  lr: 2e-5
  optimizer: adamw_torch
  scheduler: linear
  gradient_accumulation: 1
  mixed_precision: fp16
hub:
  username: ${HF_USERNAME}
  token: ${HF_TOKEN}
  push_to_hub: true
"""


def test_autotrains_own_file_is_read_as_it_is() -> None:
    spec, secrets = from_yaml(AUTOTRAIN, {"HF_USERNAME": "ana", "HF_TOKEN": "hf_secret"})
    resolved = resolve(spec)
    assert resolved.spec.task == "text-classification" and resolved.spec.model == "google-bert/bert-base-uncased"
    assert resolved.spec.data.columns == {"text": "text", "target": "label"}
    params: Any = resolved.params
    assert (params.max_seq_length, params.lr, params.mixed_precision, params.log) == (512, 2e-5, "fp16", "tensorboard")
    assert secrets.token == "hf_secret" and resolved.spec.hub.username == "ana"


@pytest.mark.parametrize(
    "name",
    [
        "text_classification",
        "text-binary-classification",
        "text_binary_classification",
        "text-multi-class-classification",
        "text_multi_class_classification",
    ],
)
def test_autotrains_names_of_the_task(name: str) -> None:
    assert resolve({"task": name}).task.name == "text-classification"


def test_autotrains_parameters_of_adapters() -> None:
    given = {"peft": True, "lora_r": 8, "lora_alpha": 16, "lora_dropout": 0.1, "target_modules": "query,value"}
    complete = resolve({"task": "text-classification", "params": given}).complete()["params"]
    assert {name: complete[name] for name in given} == given
