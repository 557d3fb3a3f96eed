"""Conversations: the forms in which data has them, what they become, and what is reported about them."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from autotrain_gradio import data
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.data.catalog import CONVERSATIONS, DUPLICATES, PATH, SAVED_DATASET
from autotrain_gradio.data.checks.conversations import joined_turns, turn_faults
from autotrain_gradio.data.kinds.conversation import messages_of
from autotrain_gradio.data.kinds.conversation_messages import parse
from autotrain_gradio.data.kinds.conversation_panels import show
from autotrain_gradio.data.kinds.tools import tools_of
from autotrain_gradio.tasks.conversations import CHATS, MESSAGES, PROMPT_ANSWER, TEXT
from tests.unit.data.conftest import codes, errors, finding

FORMATS = (MESSAGES, PROMPT_ANSWER, TEXT)
Checked = Callable[..., dict[str, Any]]
ASK, SAY = {"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}
TALK = [ASK, SAY]
CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [{"type": "function", "function": {"name": "add", "arguments": {"a": 1}}}],
}
RESULT = {"role": "tool", "content": "2", "name": "add"}


def request(path: Path, **given: Any) -> data.Request:
    return data.Request(
        title="Chats",
        spec=DataSpec(source="path", path=str(path), **given),
        columns=tuple({c.role: c for f in FORMATS for c in f.columns}.values()),
        formats=FORMATS,
        sources=(PATH,),
        layouts=(SAVED_DATASET, CHATS),
        checks=(CONVERSATIONS, DUPLICATES),
    )


@pytest.fixture
def check(draft: Path, tmp_path: Path) -> Checked:
    """Return a function that checks rows written as JSON lines, or a file."""

    def run(rows: list[Any] | Path, **given: Any) -> dict[str, Any]:
        path = rows if isinstance(rows, Path) else tmp_path / "chats.jsonl"
        if not isinstance(rows, Path):
            path.write_text("\n".join(json.dumps(row) for row in rows))
        result: dict[str, Any] = {**data.check(draft, request(path, **given))}
        if not errors(result):
            assert result["rows"] == sum(result["splits"].values()) + sum(d["count"] for d in result["dropped"])
        return result

    return run


def loaded(draft: Path) -> list[dict[str, Any]]:
    """Return all rows as the training reads them."""
    return [dict(row) for split in data.load(draft).values() for row in split]


def talks(draft: Path) -> list[Any]:
    """Return the conversations, in the order of their texts."""
    return [messages_of(cell) for cell in sorted(row["conversation"] for row in loaded(draft))]


def many(make: Callable[[int], Any], count: int = 6) -> list[Any]:
    return [make(i) for i in range(count)]


def talk(i: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"Question {i}"}, {"role": "assistant", "content": f"Answer {i}"}]


def dropped(result: dict[str, Any]) -> dict[str, int]:
    return {d["code"]: d["count"] for d in result["dropped"]}


@pytest.mark.parametrize("column", ["messages", "conversations", "conversation", "anything"])
def test_messages_are_recognized_by_their_cells(check: Checked, draft: Path, column: str) -> None:
    result = check(many(lambda i: {column: talk(i), "topic": "a topic of several words"}))
    assert not errors(result) and result["format"]["name"] == "messages"
    assert result["mapping"] == {"conversation": [column]}
    assert talks(draft) == many(talk)
    read = finding(result, "conversation-form")["message"]
    assert "6 conversations were read" in read and "OpenAI" in read and "6 user, 6 assistant" in read


def test_sharegpt_becomes_messages(check: Checked, draft: Path) -> None:
    turns = [
        ("system", "Be brief."),
        ("human", "Add 1 and 1."),
        ("function_call", '{"name": "add", "arguments": {"a": 1}}'),
    ]
    turns += [("observation", "2"), ("gpt", "It is 2.")]
    rows = many(
        lambda i: {"conversations": [{"from": a, "value": b if a != "human" else f"{b} {i}"} for a, b in turns]}
    )
    result = check(rows)
    assert "ShareGPT" in finding(result, "conversation-form")["message"]
    found = talks(draft)[0]
    assert [m["role"] for m in found] == ["system", "user", "assistant", "tool", "assistant"]
    assert found[2] == CALL
    assert codes(result) == ["conversation-form"]


@pytest.mark.parametrize("write", [json.dumps, repr, lambda rows: repr(rows).replace("}, {", "}\n {")])
def test_lists_written_into_csv_are_parsed(check: Checked, draft: Path, tmp_path: Path, write: Any) -> None:
    path = tmp_path / "chats.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "messages"])
        rows.writerows(many(lambda i: [i, write(talk(i))]))
    result = check(path)
    assert not errors(result) and talks(draft) == many(talk)


def test_parquet_with_lists_of_structs(check: Checked, draft: Path, tmp_path: Path) -> None:
    path = tmp_path / "chats.parquet"
    calls = [ASK, CALL, RESULT, SAY]
    pq.write_table(pa.table({"messages": [*many(talk), calls]}), path)
    check(path)
    assert calls in talks(draft)
    assert all(set(m) == {"role", "content"} for found in talks(draft) if len(found) == 2 for m in found)


@pytest.mark.parametrize(
    ("columns", "prompt"),
    [
        (("instruction", "input", "output"), "Add.\n\n1 and {}"),
        (("instruction", "input", "response"), "Add.\n\n1 and {}"),
        (("prompt", None, "completion"), "Add. {}"),
        (("prompt", None, "response"), "Add. {}"),
        (("question", None, "answer"), "Add. {}"),
        (("query", None, "response"), "Add. {}"),
        (("input", None, "output"), "Add. {}"),
    ],
)
def test_prompts_and_answers_become_conversations(
    check: Checked, draft: Path, columns: tuple[str, str | None, str], prompt: str
) -> None:
    asked, more, answered = columns

    def row(i: int) -> dict[str, str]:
        return {asked: "Add." if more else f"Add. {i}", answered: f"{1 + i}", **({more: f"1 and {i}"} if more else {})}

    result = check(many(row))
    assert not errors(result) and result["format"]["name"] == "prompt-answer"
    wanted = [
        [{"role": "user", "content": prompt.format(i)}, {"role": "assistant", "content": f"{1 + i}"}] for i in range(6)
    ]
    assert talks(draft) == wanted
    assert set(loaded(draft)[0]) == {"conversation"}
    message = finding(result, "conversation-form")["message"]
    assert "6 rows were read" in message and all(f"'{name}'" in message for name in columns if name)


def test_a_rendered_text_beside_its_parts_is_offered(check: Checked, draft: Path) -> None:
    def row(i: int) -> dict[str, str]:
        text = f"### Instruction:\nCount to {i}.\n### Response:\n{i}"
        return {"instruction": f"Count to {i}.", "input": "", "output": f"{i}", "text": text}

    result = check(many(row))
    assert result["format"]["name"] == "prompt-answer"
    other = finding(result, "format-alternative")
    assert "'text' is not used" in other["message"] and other["fix"]["change"] == {"format": "text"}
    assert check(many(row), **other["fix"]["change"])["format"]["name"] == "text"
    assert "format-alternative" not in codes(check(many(lambda i: {"messages": talk(i), "prompt": "Count."})))


def test_an_empty_input_adds_nothing(check: Checked, draft: Path) -> None:
    check(many(lambda i: {"instruction": f"Count to {i}.", "input": "", "output": f"{i}"}))
    assert talks(draft)[0][0] == {"role": "user", "content": "Count to 0."}


def test_system_prompts_and_tools_are_kept(check: Checked, draft: Path) -> None:
    tool = {"name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "number"}}}}
    result = check(
        many(lambda i: {"system": "Be brief.", "prompt": f"{i}?", "response": f"{i}", "tools": json.dumps([tool])})
    )
    row = loaded(draft)[0]
    assert messages_of(row["conversation"])[0] == {"role": "system", "content": "Be brief."}
    assert tools_of(row["tools"]) == [{"type": "function", "function": tool}]
    assert codes(result) == ["conversation-form"]


def test_a_system_prompt_beside_messages(check: Checked, draft: Path) -> None:
    own = [{"role": "system", "content": "Be kind."}, *talk(9)]
    rows = [{"conversations": talk(i), "system": "Be brief."} for i in range(5)]
    result = check([*rows, {"conversations": own, "system": "Be brief."}])
    assert sorted(t[0]["content"] for t in talks(draft)) == ["Be brief."] * 5 + ["Be kind."]
    assert "row 6" in finding(result, "system-prompt-twice")["message"]


def test_conversational_prompt_and_completion_of_trl(check: Checked, draft: Path) -> None:
    check(many(lambda i: {"prompt": talk(i)[:1], "completion": talk(i)[1:]}))
    assert talks(draft) == many(talk)


def test_tools_that_are_no_schemas(check: Checked) -> None:
    rows = many(lambda i: {"messages": talk(i), "tools": "add and multiply" if i == 2 else None})
    assert dropped(check(rows)) == {"tools-unreadable": 1}


def test_text_parts_are_joined_and_images_refused(check: Checked, draft: Path) -> None:
    parts = [{"type": "text", "text": "Look:"}, {"type": "text", "text": "a cat"}]
    image = [{"type": "image_url", "image_url": {"url": "cat.png"}}, {"type": "text", "text": "What is it?"}]
    rows = [
        {"messages": [{"role": "user", "content": parts}, SAY]},
        {"messages": [{"role": "user", "content": image}, SAY]},
    ]
    result = check([*rows, *many(lambda i: {"messages": talk(i)})])
    assert dropped(result) == {"conversation-images": 1}
    assert "reads text only" in finding(result, "conversation-images")["hint"]
    assert [{"role": "user", "content": "Look:\na cat"}, SAY] in talks(draft)


def test_chatml_is_parsed_and_can_be_used_as_text(check: Checked, draft: Path) -> None:
    def row(i: int) -> dict[str, str]:
        return {"text": "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in talk(i))}

    read = finding(check(many(row)), "conversation-form")
    assert talks(draft) == many(talk) and "ChatML" in read["message"]
    assert read["fix"]["change"] == {"format": "text", "columns": {"text": "text"}}
    result = check(many(row), **read["fix"]["change"])
    assert result["format"]["name"] == "text" and set(loaded(draft)[0]) == {"text"}
    fix = finding(result, "text-rendered")["fix"]
    assert fix["change"] == {"format": "messages", "columns": {"conversation": "text"}}
    check(many(row), **fix["change"])
    assert talks(draft) == many(talk)


@pytest.mark.parametrize("markup", ["### Instruction:\n{}\n### Response:\nYes", "[INST] {} [/INST] Yes"])
def test_other_templates_stay_text(check: Checked, draft: Path, markup: str) -> None:
    result = check(many(lambda i: {"text": markup.format(i)}))
    assert "fix" not in finding(result, "text-rendered") and set(loaded(draft)[0]) == {"text"}


def test_messages_named_as_the_text_are_conversations(check: Checked, draft: Path) -> None:
    result = check(many(lambda i: {"messages": talk(i)}), columns={"text": "messages"})
    assert not errors(result) and talks(draft) == many(talk)
    assert [p["title"] for p in result["profile"]][-1] == "Messages in a conversation"


def test_two_columns_of_texts_are_not_guessed(check: Checked) -> None:
    rows = many(lambda i: {"frage": f"Wie viele sind es, bitte, {i}?", "antwort": f"Es sind genau {i} Stück."})
    assert errors(check(rows)) == ["column-unclear"]


@pytest.mark.parametrize(
    ("messages", "code", "level"),
    [
        ([ASK], "conversation-no-answer", "dropped"),
        ([ASK, {"role": "assistant", "content": "  "}], "answer-empty", "dropped"),
        ([{"role": "user", "content": ""}, SAY], "prompt-empty", "dropped"),
        ([], "conversation-empty", "dropped"),
        (None, "conversation-empty", "dropped"),
        ("[{'role': ", "conversation-cut", "dropped"),
        (json.dumps(TALK)[:-12], "conversation-cut", "dropped"),
        ("no messages", "conversation-unreadable", "dropped"),
        ([{"role": "user"}, SAY], "conversation-no-content", "dropped"),
        ([{"role": "user", "content": 17}, SAY], "conversation-values", "info"),
        (json.dumps(json.dumps(TALK)), "conversation-notation", "info"),
        (str(TALK), "conversation-notation", "info"),
        ([{"role": "narrator", "content": "Once"}, SAY], "conversation-role-unknown", "dropped"),
        ([ASK, ASK, SAY], "turns-repeat", "warning"),
        ([SAY, ASK, SAY], "conversation-starts-with-assistant", "warning"),
        ([ASK, SAY, {"role": "system", "content": "Be brief."}, ASK, SAY], "system-not-first", "warning"),
        ([ASK, CALL, ASK, SAY], "tool-call-unanswered", "warning"),
        ([ASK, RESULT, SAY], "tool-answer-without-call", "warning"),
        ([ASK, SAY, ASK], "conversation-ends-unanswered", "info"),
    ],
)
def test_faults_of_turns(check: Checked, messages: Any, code: str, level: str) -> None:
    text = messages if messages is None or isinstance(messages, str) else json.dumps(messages)
    result = check([*many(lambda i: {"messages": json.dumps(talk(i))}), {"messages": text}])
    found = finding(result, code)
    assert "row 7" in found["message"] and (found["hint"] or level == "info")
    assert found["level"] == ("warning" if level == "dropped" else level)
    assert dropped(result) == ({code: 1} if level == "dropped" else {})
    if code == "conversation-role-unknown":
        assert "'narrator'" in found["message"]


def test_messages_of_one_role_can_be_joined(check: Checked, draft: Path) -> None:
    rows = [*many(lambda i: {"messages": talk(i)}), {"messages": [ASK, ASK, SAY]}]
    fix = finding(check(rows), "turns-repeat")["fix"]
    result = check(rows, **fix["change"])
    assert "turns-repeat" not in codes(result)
    assert [{"role": "user", "content": "Hello\n\nHello"}, SAY] in talks(draft)


def test_a_wrong_option_is_an_error(check: Checked) -> None:
    assert errors(check([{"messages": talk(0)}], options={"join_turns": "perhaps"})) == ["invalid-setting"]


def test_calls_with_their_results_are_no_fault() -> None:
    assert turn_faults([ASK, CALL, RESULT, RESULT, SAY]) == []  # type: ignore[list-item]
    assert turn_faults([ASK, CALL]) == []  # type: ignore[list-item]
    assert joined_turns([ASK, CALL, RESULT, RESULT, SAY]) == [ASK, CALL, RESULT, RESULT, SAY]  # type: ignore[list-item]


def test_equal_prompts_stay_in_one_split_and_are_told(check: Checked, draft: Path) -> None:
    rows = [{"prompt": f"Question {i // 2}", "completion": f"Answer {i}"} for i in range(40)]
    result = check(rows, valid_fraction=0.25)
    told = finding(result, "same-prompt-other-answer")
    assert told["level"] == "info" and "20 prompts have several answers" in told["message"]
    found = data.load(draft)
    prompts = [{messages_of(row["conversation"])[0]["content"] for row in split} for split in found.values()]
    assert len(prompts) == 2 and not prompts[0] & prompts[1]
    assert "duplicates" not in codes(result)


def test_duplicates_within_and_across_splits(check: Checked, tmp_path: Path) -> None:
    folder = tmp_path / "both"
    folder.mkdir()
    train = [*many(lambda i: {"messages": talk(i)}), {"messages": talk(0)}]
    valid = [{"messages": talk(1)}, {"messages": [talk(2)[0], SAY]}, {"messages": talk(8)}]
    for name, rows in (("train", train), ("valid", valid)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    result = check(folder)
    assert {"duplicates", "same-in-train-and-validation", "prompt-in-both-splits"} <= set(codes(result))
    assert "1 validation row" in finding(result, "prompt-in-both-splits")["message"]


def test_examples_show_the_first_turns(check: Checked) -> None:
    result = check(many(lambda i: {"messages": talk(i) * 4}))
    shown = result["gallery"][0]["rows"][0][0]
    assert shown.startswith("user: Question 0\nassistant: Answer 0\n") and shown.endswith("… 4 more")
    assert "calls add" in show(json.dumps([ASK, CALL]))


def test_half_of_a_character_is_replaced(check: Checked, draft: Path, tmp_path: Path) -> None:
    path = tmp_path / "chats.csv"
    text = '[{"role": "user", "content": "Hello \\ud83d"}, {"role": "assistant", "content": "Hi"}]'
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["messages"], *many(lambda i: [json.dumps(talk(i))]), [text]])
    assert "half-characters" in codes(check(path))
    assert any("Hello \ufffd" in t[0]["content"] for t in talks(draft))


def test_unused_keys_are_told(check: Checked) -> None:
    rows = many(lambda i: {"messages": [{**m, "time": "12:00"} for m in talk(i)]})
    assert "'time' (6 conversations)" in finding(check(rows), "message-keys-unused")["message"]


def test_a_null_in_a_call_of_json_text_stays() -> None:
    call = {"name": "add", "arguments": {"a": None}}
    text = json.dumps([ASK, {"role": "assistant", "content": None, "tool_calls": [{"function": call}]}, RESULT])
    assert parse(text).messages[1]["tool_calls"][0]["function"] == call


def test_damaged_cells_give_no_traceback() -> None:
    """A few hundred damaged cells of every form; each is parsed or has a reason."""
    rng = random.Random(1)
    forms = [json.dumps([ASK, CALL, RESULT, SAY]), repr(TALK), "<|im_start|>user\nHello<|im_end|>\n" * 2]
    forms.append(json.dumps([{"from": "human", "value": [{"type": "text", "text": "a"}]}, {"from": "gpt", "value": 1}]))
    for _ in range(400):
        text = list(rng.choice(forms))
        for _ in range(rng.randint(1, 6)):
            place = rng.randrange(len(text))
            text[place : place + rng.randint(0, 3)] = rng.choices("[]{}\",:\\'0nN\ud800<|>\x00é", k=rng.randint(0, 3))
        found = parse("".join(text))
        assert found.problem or all(isinstance(m["content"], str) for m in found.messages)
        if not found.problem:
            turn_faults(found.messages)
            show(found.text)
    for value in (5, 1.5, True, b"x", [[]], [None], [1], {"a": 1}, [{"role": 3}], "[" * 5000, '[{"a":' * 2000):
        assert parse(value).problem


@pytest.mark.parametrize(
    "write",
    [
        lambda text: json.dumps(text),
        lambda text: json.dumps({"messages": text}),
        lambda text: json.dumps([json.dumps(message) for message in json.loads(text)]),
        lambda text: text.replace('"', '""'),
        lambda text: text.replace('"', '\\"'),
        lambda text: str(json.loads(text)),
    ],
    ids=["JSON in JSON", "list in an object", "messages in a list", "doubled marks", "backslashes", "Python"],
)
def test_messages_that_are_quoted_once_too_often_are_conversations(
    check: Checked, draft: Path, write: Callable[[str], str]
) -> None:
    result = check(many(lambda i: {"messages": write(json.dumps(talk(i)))}))
    assert talks(draft) == many(talk) and "row 1" in finding(result, "conversation-notation")["message"]


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda text: "the cell was lost", "conversation-unreadable"),
        (lambda text: text[:40], "conversation-cut"),
        (lambda text: text.replace("'", '"').replace('"', "\u201d"), "conversation-unreadable"),
    ],
    ids=["lost", "truncated", "typographic"],
)
@pytest.mark.parametrize("good", [0.2, 0.8])
def test_damaged_cells_at_the_beginning_do_not_make_the_column_a_text(
    check: Checked, draft: Path, damage: Callable[[str], str], code: str, good: float
) -> None:
    rows = [json.dumps(talk(i)) for i in range(200)]
    bad = round(len(rows) * (1 - good))
    result = check([{"messages": damage(text) if i < bad else text} for i, text in enumerate(rows)])
    assert result["format"]["name"] == "messages" and dropped(result) == {code: bad}
    assert "row 1" in finding(result, code)["message"] and finding(result, code)["hint"]
    assert len(talks(draft)) == len(rows) - bad


def test_truncated_cells_alone_are_an_error_and_no_text(check: Checked) -> None:
    result = check([{"messages": json.dumps(talk(i))[:40]} for i in range(20)])
    assert errors(result) == ["no-rows"] and "Excel" in finding(result, "conversation-cut")["hint"]


def test_texts_with_a_few_messages_stay_texts(check: Checked, draft: Path) -> None:
    """Answers about chat programs may be JSON of messages."""
    rows = [{"prompt": f"Write example {i}.", "completion": json.dumps(talk(i)) if i < 8 else "No."} for i in range(40)]
    result = check(rows)
    assert result["format"]["name"] != "messages" and not dropped(result) and len(loaded(draft)) == 40


def test_rows_of_each_form_are_named(check: Checked) -> None:
    share = [{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Hi"}]
    result = check([*many(lambda i: {"messages": json.dumps(talk(i))}), {"messages": json.dumps(share)}])
    assert (
        "1 in the form of ShareGPT (from and value: chats.jsonl, row 7)"
        in finding(result, "conversation-form")["message"]
    )
