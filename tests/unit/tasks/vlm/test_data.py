"""The data of vision-language models: zip, folder and Parquet, formats, and findings."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from autotrain_gradio import data
from autotrain_gradio.data.pipeline.check import check
from autotrain_gradio.data.request import Request
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.tasks.vlm.conversations import conversation_of
from tests.trials import COLOURS
from tests.unit.tasks.vlm.conftest import QUESTION, square, squares, write_rows


def checked(folder: Path, draft: Path, **options: Any) -> dict[str, Any]:
    """Check a folder of data; return the result."""
    draft.mkdir(exist_ok=True)
    spec = {"task": options.pop("task", "vlm"), "data": {"source": "path", "path": str(folder), **options}}
    return dict(check(draft, Request.of(resolve(spec))))


def codes(result: dict[str, Any]) -> dict[str, str]:
    return {f["code"]: f["message"] for f in result["findings"]}


@pytest.mark.parametrize(
    ("columns", "format"),
    [
        ({"question": "question", "answer": "answer"}, "question-answer"),
        ({"prompt": "question", "text": "answer"}, "question-answer"),
        ({"caption": "answer"}, "caption"),
        ({"text": "answer"}, "caption"),
    ],
)
def test_the_format_is_detected(tmp_path: Path, columns: dict[str, str], format: str) -> None:
    rows = [
        {"file_name": r["file_name"], **{name: r[source] for name, source in columns.items()}}
        for r in squares(tmp_path / "images", 12)
    ]
    write_rows(tmp_path / "images" / "metadata.jsonl", rows)
    result = checked(tmp_path / "images", tmp_path / "draft")
    assert result["format"]["name"] == format and not [f for f in result["findings"] if f["level"] == "error"]
    row = data.load(tmp_path / "draft")["train"][0]
    assert (row["image_width"], row["image_height"]) == (48, 40) and Path(row["image"]["path"]).is_file()
    assert row["answer"] in {"red", "green", "blue"} and ("prompt" in row) is (format == "question-answer")


def test_images_inside_parquet(tmp_path: Path) -> None:
    rows = []
    for number, colour in enumerate(["red", "green", "blue"] * 4):
        buffer = io.BytesIO()
        square(colour, number).save(buffer, "PNG")
        rows.append({"image": {"bytes": buffer.getvalue(), "path": None}, "question": "Colour?", "answer": colour})
    (tmp_path / "rows").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows" / "train.parquet")
    result = checked(tmp_path / "rows", tmp_path / "draft")
    assert result["format"]["name"] == "question-answer" and sum(result["splits"].values()) == 12
    row = data.load(tmp_path / "draft")["train"][0]
    assert row["image"]["bytes"] and row["image_width"] == 48


def test_broken_rows_are_dropped_and_counted(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    rows = squares(folder, 20)
    (folder / rows[0]["file_name"]).write_bytes(b"not an image")
    rows[1]["file_name"] = "lost.png"
    rows[2]["answer"] = " "
    rows[3]["question"] = ""
    rows[4]["question"] = "<image><image> Which one?"
    rows[5]["question"] = "<image>\nWhich colour?"
    write_rows(folder / "metadata.jsonl", rows)
    result = checked(folder, tmp_path / "draft")
    found = codes(result)
    assert "more placeholders <image> than images" in found["image-placeholders-extra"]
    assert {d["code"]: d["count"] for d in result["dropped"]} == {
        "image-unknown": 1,
        "image-missing": 1,
        "text-empty": 2,
        "image-placeholders-extra": 1,
    }, (result["dropped"], found)
    assert sum(result["splits"].values()) == 15


def test_rows_of_an_image_stay_in_one_split(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    rows = [{**row, "question": q} for row in squares(folder, 20) for q in ("Which colour?", "What is its colour?")]
    write_rows(folder / "metadata.jsonl", rows)
    checked(folder, tmp_path / "draft")
    splits = data.load(tmp_path / "draft")
    images = [{row["image"]["path"] for row in part} for part in splits.values()]
    assert len(images) == 2 and not images[0] & images[1]


def test_images_of_both_given_splits_are_reported(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    rows = squares(folder, 12)
    write_rows(folder / "train.jsonl", rows)
    write_rows(folder / "validation.jsonl", [{**rows[0], "question": "And the colour?"}, *squares(folder, 4, 50)])
    found = codes(checked(folder, tmp_path / "draft"))
    assert found["image-in-both-splits"].startswith("1 validation row has an image that the training split has too")


def test_without_an_answer_column_the_roles_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    rows = [{"file_name": r["file_name"]} for r in squares(folder, 6)]
    write_rows(folder / "metadata.jsonl", rows)
    result = checked(folder, tmp_path / "draft")
    assert [f for f in result["findings"] if f["level"] == "error" and "caption" in f["message"].lower()]


def conversation(row: dict[str, Any], *, parts: bool) -> list[dict[str, Any]]:
    """Return a row as messages: with an image part, or with the placeholder of LLaVA."""
    image: dict[str, Any] = {"type": "image"}
    asked = [image, {"type": "text", "text": row["question"]}] if parts else f"<image>\n{row['question']}"
    answer = [{"type": "text", "text": row["answer"]}] if parts else row["answer"]
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]


@pytest.mark.parametrize("form", ["parts", "llava", "inline", "single", "json"])
def test_conversations_with_an_image_in_each_row(tmp_path: Path, form: str) -> None:
    folder, rows = tmp_path / "images", []
    for row in squares(tmp_path / "images", 12):
        messages: Any = conversation(row, parts=form != "llava")
        found: dict[str, Any] = {"images": [row["file_name"]], "messages": messages}
        if form == "llava":
            pairs = zip(("human", "gpt"), messages, strict=True)
            turns = [{"from": who, "value": m["content"]} for who, m in pairs]
            found = {"image": row["file_name"], "conversations": turns}
        elif form == "inline":
            messages[0]["content"][0] = {"type": "image_url", "image_url": {"url": row["file_name"]}}
            del found["images"]
        elif form == "single":
            found = {"image": row["file_name"], "messages": messages}
        elif form == "json":
            found = {name: json.dumps(value) for name, value in found.items()}
        rows.append(found)
    write_rows(folder / "rows.jsonl", rows)
    result = checked(folder, tmp_path / "draft")
    assert result["format"]["name"] == "messages", result["findings"]
    assert not [f for f in result["findings"] if f["level"] != "info"] and sum(result["splits"].values()) == 12
    row = data.load(tmp_path / "draft")["train"][0]
    made = conversation_of(row, "")
    assert [p["type"] for p in made.messages[0]["content"]] == ["image", "text"] and made.question == QUESTION
    assert made.reference in {"red", "green", "blue"} and Path(row["image"]["path"]).is_file()


def test_lists_of_images_inside_parquet(tmp_path: Path) -> None:
    rows = []
    for number, colour in enumerate(["red", "green", "blue"] * 4):
        buffer = io.BytesIO()
        square(colour, number).save(buffer, "PNG")
        media = {"bytes": buffer.getvalue(), "path": None}
        messages = [
            {"role": "user", "content": [{"type": "text", "text": QUESTION}, {"type": "image", "text": None}]},
            {"role": "assistant", "content": [{"type": "text", "text": colour}]},
        ]
        rows.append({"images": [media] * (2 if number == 4 else 1), "messages": messages})
    (tmp_path / "rows").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows" / "train.parquet")
    for _ in range(2):  # the second check uses the Arrow file of the first
        result = checked(tmp_path / "rows", tmp_path / "draft")
        assert result["format"]["name"] == "messages" and sum(result["splits"].values()) == 11, result["findings"]
        assert codes(result)["images-several"].startswith("1 row has several images and was skipped: row 5 (2 images)")
    for part in data.load(tmp_path / "draft").values():
        for row in part:
            image = Image.open(io.BytesIO(row["image"]["bytes"])).convert("RGB")
            made = conversation_of(row, "")
            colours = image.getcolors(image.width * image.height)
            assert colours is not None
            fill = min(colours, key=lambda c: min(c[1]))[1]
            assert COLOURS[made.reference].index(200) == fill.index(max(fill)), "each answer has its own image"


def test_conversations_that_cannot_be_used_are_dropped(tmp_path: Path) -> None:
    folder, made = tmp_path / "images", squares(tmp_path / "images", 20)
    rows = [{"images": [r["file_name"]], "messages": conversation(r, parts=True)} for r in made]
    rows[0]["messages"] = rows[0]["messages"][:1]
    rows[1]["messages"][1]["content"][0]["text"] = ""
    rows[2]["messages"][0]["content"].append({"type": "image"})
    rows[3]["images"] = [made[3]["file_name"], made[4]["file_name"]]
    rows[5]["images"] = []
    rows[6]["messages"].append({"role": "user", "content": "And now?"})
    write_rows(folder / "rows.jsonl", rows)
    result = checked(folder, tmp_path / "draft")
    assert {d["code"]: d["count"] for d in result["dropped"]} == {
        "conversation-no-answer": 1,
        "answer-empty": 1,
        "image-placeholders-extra": 1,
        "image-missing": 2,
    }, (result["dropped"], codes(result))
    assert "images-several" in codes(result) and "conversation-ends-unanswered" in codes(result)
