"""Alternative formats of a task: detected from the columns, switchable, and recorded."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest
from datasets import List, Value

from autotrain_gradio import data
from autotrain_gradio.cli import commands
from autotrain_gradio.cli.main import parse
from autotrain_gradio.core.errors import SpecError
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.data.catalog import NUMBER, PATH, TABLE, TEXT
from autotrain_gradio.data.declarations import Column, Format, Kind
from autotrain_gradio.data.rows import Cells, Context, Guess
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.tasks.options import options, spec_from_options
from autotrain_gradio.tasks.registry import Registry, registry, resolve
from tests.unit.data.conftest import codes, errors, finding

MESSAGES = Kind("messages", "messages", "format_messages")


def text(role: str, purpose: Any = "input") -> Column:
    return Column(role, role.title(), TEXT, purpose=purpose, names=(role,))


CHAT = Format("messages", "Messages", (Column("messages", "Messages", MESSAGES, purpose="input"),))
PROMPT = Format("prompt-completion", "Prompt and completion", (text("prompt"), text("completion", "target")))
PLAIN = Format("text", "Text", (text("text"),))
FORMATS = (CHAT, PROMPT, PLAIN)
TRIPLET = Format("triplet", "Triplet", (text("anchor"), text("positive"), text("negative")))
PAIR = Format("pair", "Pair", (text("anchor"), text("positive")))
SCORED = Format("score", "Score", (text("anchor"), text("other"), Column("score", "Score", NUMBER, purpose="target")))
TALK = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    return Cells(cells.to_pylist(), {}, feature=List({"role": Value("string"), "content": Value("string")}))


def guess(columns: dict[str, pa.ChunkedArray], role: Column, request: data.Request) -> Guess | None:
    found = [n for n, c in columns.items() if pa.types.is_list(c.type) and pa.types.is_struct(c.type.value_type)]
    return Guess(found[:1], "its cells are lists of messages") if found else None


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    module = ModuleType("format_messages")
    module.inspect, module.guess = inspect, guess  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    yield


def check(draft: Path, row: dict[str, Any], formats: tuple[Format, ...] = FORMATS, **given: Any) -> dict[str, Any]:
    path = draft.parent / "rows.jsonl"
    rows = [{**row, "n": f"row {i}"} | ({"score": i / 10} if "score" in row else {}) for i in range(10)]
    path.write_text("\n".join(json.dumps(r) for r in rows))
    spec = DataSpec(source="path", path=str(path), **given)
    columns = tuple({c.role: c for f in reversed(formats) for c in f.columns}.values())
    request = data.Request("Chat", spec, columns, (PATH,), (TABLE,), formats=formats)
    return {**data.check(draft, request)}


@pytest.mark.parametrize(
    ("row", "formats", "expected"),
    [
        ({"messages": TALK}, FORMATS, "messages"),
        ({"conversation": TALK}, FORMATS, "messages"),
        ({"prompt": "What is it now?", "completion": "It is noon."}, FORMATS, "prompt-completion"),
        ({"text": "It is noon in the town."}, FORMATS, "text"),
        ({"story": "It is noon in the town."}, FORMATS, "text"),
        ({"text": "It is noon.", "prompt": "What is it?", "completion": "It is noon."}, FORMATS, "prompt-completion"),
        ({"anchor": "a b c", "positive": "a b", "negative": "d"}, (TRIPLET, PAIR, SCORED), "triplet"),
        ({"anchor": "a b c", "positive": "a b"}, (TRIPLET, PAIR, SCORED), "pair"),
        ({"anchor": "a b c", "other": "a b", "score": 0.5}, (TRIPLET, PAIR, SCORED), "score"),
    ],
)
def test_the_format_is_detected(draft: Path, row: dict[str, Any], formats: tuple[Format, ...], expected: str) -> None:
    result = check(draft, row, formats)
    assert result["format"]["name"] == expected and not errors(result), result["findings"]
    manifest = json.loads((draft / "data" / "manifest.json").read_text())
    assert manifest["format"] == expected
    assert set(data.load(draft)["train"].column_names) == {
        c.role for f in formats if f.name == expected for c in f.columns
    }


def test_reason_and_alternative_formats_are_reported(draft: Path) -> None:
    found = check(draft, {"text": "It is noon.", "prompt": "What is it?", "completion": "It is noon."})["format"]
    assert found["title"] == "Prompt and completion" and "prompt" in found["reason"]
    assert found["others"] == [
        {"name": "messages", "title": "Messages", "missing": ["Messages"]},
        {"name": "text", "title": "Text", "missing": []},
    ]


def test_the_chosen_format_wins_and_changes_the_key(draft: Path) -> None:
    row = {"text": "It is noon.", "prompt": "What is it?", "completion": "It is noon."}
    detected, chosen = check(draft, row), check(draft, row, format="text")
    assert chosen["format"]["name"] == "text" and chosen["key"] != detected["key"]
    assert data.load(draft)["train"].column_names == ["text"]


def test_columns_that_are_given_decide_the_format(draft: Path) -> None:
    row = {"messages": TALK, "question": "What is it?", "answer": "It is noon."}
    result = check(draft, row, columns={"prompt": "question", "completion": "answer"})
    assert result["format"]["name"] == "prompt-completion" and not errors(result)
    result = check(draft, row, columns={"completion": "answer"})
    assert result["format"]["name"] == "prompt-completion"


def test_columns_of_another_format_are_reported(draft: Path) -> None:
    row = {"text": "It is noon.", "prompt": "What is it?", "completion": "It is noon."}
    result = check(draft, row, format="text", columns={"completion": "completion"})
    assert finding(result, "column-of-other-format")["where"] == "data.columns.completion"


def test_missing_columns_of_each_format_are_reported_if_none_fits(draft: Path) -> None:
    result = check(draft, {"number": 1})
    assert "Prompt and completion (missing: Prompt, Completion)" in finding(result, "format-unclear")["message"]
    assert "column-unclear" in errors(result)


def test_a_module_of_the_format_may_reject_the_cells(draft: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("format_recognition")
    seen: list[dict[str, Any]] = []
    module.recognize = lambda columns, request: seen.append(columns) or 0.0  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    formats = (replace(CHAT, module=module.__name__), PLAIN)
    result = check(draft, {"messages": TALK, "text": "It is noon in the town."}, formats)
    assert result["format"]["name"] == "text" and list(seen[0]) == ["messages"]


def test_a_task_with_one_set_of_columns_has_one_format(draft: Path) -> None:
    result = check(draft, {"text": "It is noon in the town."}, (PLAIN,))
    assert result["format"] == {"name": "text", "title": "Text", "reason": "", "others": []}
    assert "format-unclear" not in codes(result)


def task() -> Task:
    """Return a task of three formats."""
    image = registry().get("image-classification")
    return replace(image, name="chat", aliases=(), columns=(), column_aliases={}, formats=FORMATS)


def test_options_hold_the_columns_of_all_formats() -> None:
    chat = task()
    assert [c.role for c in chat.columns] == ["messages", "prompt", "completion", "text"]
    found = {o.name: o for o in options(chat)}
    assert {"messages_column", "prompt_column", "completion_column", "text_column"} <= set(found)
    assert found["format"].choices == ("messages", "prompt-completion", "text")
    assert "format" not in {o.name for o in options(registry().get("image-classification"))}
    assert spec_from_options(chat, {"format": "text"})["data"] == {"format": "text"}


def test_an_unknown_format_is_refused_with_a_suggestion() -> None:
    with pytest.raises(SpecError, match="no data format 'tekst'") as caught:
        resolve({"task": "chat", "data": {"format": "tekst"}}, Registry([task()]))
    assert "text" in caught.value.findings[0].hint


def test_an_alias_selects_a_format_in_yaml_on_the_command_line_and_unless_one_is_given() -> None:
    tasks = Registry([replace(task(), alias_formats={"chat:plain": "text", "chat:prompt": "prompt-completion"})])
    assert resolve({"task": "Chat:Plain"}, tasks).spec.data.format == "text"
    assert resolve({"task": "chat:plain", "data": {"format": "messages"}}, tasks).spec.data.format == "messages"
    assert resolve({"task": "chat"}, tasks).spec.data.format == ""
    calls: list[dict[str, Any]] = []

    def train(declared: Task, given: dict[str, Any]) -> int:
        calls.append(given)
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands, "train_options", train)
        assert parse(["chat:prompt", "--train"], tasks)() == 0
        assert parse(["chat:prompt", "--train", "--format", "text"], tasks)() == 0
    assert [given["format"] for given in calls] == ["prompt-completion", "text"]
    with pytest.raises(ValueError, match="no format 'other'"):
        replace(task(), alias_formats={"chat:x": "other"})
