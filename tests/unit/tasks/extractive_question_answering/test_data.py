"""Data of question answering as people bring it, through the whole check: what is taken, and what is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from autotrain_gradio import data
from autotrain_gradio.core.panels import render_html, render_text
from autotrain_gradio.core.spec import from_yaml
from autotrain_gradio.data.request import Request
from autotrain_gradio.tasks.registry import resolve

CONTEXTS = [f"The mill of {town} was built in {1800 + k} by {who}." for k, (town, who) in enumerate(
    [("Bern", "Anna Holm"), ("Graz", "Jon Sand"), ("Metz", "Ida Weiss"), ("Cork", "Per Berg"), ("Linz", "Eva Lund"),
     ("Turku", "Ole Dahl"), ("Delft", "Max Roth"), ("Porto", "Lea Kern"), ("Gent", "Tom Falk"), ("Riga", "Uma Voss")]
)]  # fmt: skip
ROWS = [(c, q, c.split()[i].rstrip(".")) for c in CONTEXTS for q, i in (("Where is it?", 3), ("When was it built?", 7))]
Look = Callable[..., dict[str, Any]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Return a function that checks files, name → content; the result has `data`, if there is no error."""

    def check(files: dict[str, bytes | str], task: str = "extractive-qa", **given: Any) -> dict[str, Any]:
        root, draft = tmp_path / "in", tmp_path / "run"
        draft.mkdir()
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
        resolved = resolve({"task": task, "data": {"source": "path", "path": str(root), **given}})
        found: dict[str, Any] = dict(data.check(draft, Request.of(resolved)))
        for panel in (*found["profile"], *found["gallery"]):
            assert render_html(panel) and render_text(panel)
        if not any(f["level"] == "error" for f in found["findings"]):
            found["data"] = data.load(draft)
        return found

    return check


def codes(found: dict[str, Any], code: str) -> list[dict[str, Any]]:
    return [f for f in found["findings"] if f["code"] == code]


def rows_of(found: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return (context, question) → answers of both splits."""
    return {(r["context"], r["question"]): r["answers"] for part in found["data"].values() for r in part}


def expect_all(found: dict[str, Any]) -> None:
    """The rows are those of ROWS, with their offsets."""
    rows = rows_of(found)
    assert rows == {(c, q): {"text": [a], "answer_start": [c.index(a)]} for c, q, a in ROWS}


def squad(rows: list[tuple[str, str, str]] = ROWS, shift: int = 0) -> str:
    paragraphs: dict[str, list[dict[str, Any]]] = {}
    for k, (c, q, a) in enumerate(rows):
        answers = [{"text": a, "answer_start": c.index(a) + shift}] if a else []
        paragraphs.setdefault(c, []).append({"id": f"q{k}", "question": q, "answers": answers, "is_impossible": not a})
    listed = [{"context": c, "qas": qas} for c, qas in paragraphs.items()]
    return json.dumps({"version": "v2.0", "data": [{"title": "Mills", "paragraphs": listed}]})


def jsonl(answers: Callable[[str, str], Any], key: str = "answers") -> str:
    return "\n".join(
        json.dumps({"id": k, "context": c, "question": q, key: answers(c, a)}) for k, (c, q, a) in enumerate(ROWS)
    )


def csv(cell: Callable[[str, str], str], head: str = "context,question,answers") -> str:
    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    return "\n".join([head, *(",".join(map(quoted, (c, q, cell(c, a)))) for c, q, a in ROWS)]) + "\n"


def parquet() -> bytes:
    answers = [{"text": [a], "answer_start": [c.index(a)]} for c, _, a in ROWS]
    columns = {"context": [r[0] for r in ROWS], "question": [r[1] for r in ROWS], "answers": answers}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


def lists(c: str, a: str) -> dict[str, Any]:
    return {"text": [a], "answer_start": [c.index(a)]}


def numpy(c: str, a: str, of_text: str, of_start: str) -> str:
    """The cell as pandas writes a column of numpy arrays."""
    return f"{{'text': array(['{a}']{of_text}), 'answer_start': array([{c.index(a)}]{of_start})}}"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("train-v2.0.json", squad()),
        ("train.json", json.dumps(json.loads(squad())["data"])),
        ("train.jsonl", "\n".join(json.dumps(p) for p in json.loads(squad())["data"][0]["paragraphs"])),
        ("a.jsonl", jsonl(lists)),
        ("a.json", json.dumps([json.loads(line) for line in jsonl(lists).splitlines()])),
        ("a.jsonl", jsonl(lambda c, a: [{"text": a, "answer_start": c.index(a)}])),
        ("a.jsonl", jsonl(lambda c, a: {"text": a, "answer_start": c.index(a)})),
        ("a.jsonl", jsonl(lambda c, a: [a])),
        ("a.jsonl", jsonl(lambda c, a: a, key="answer")),
        ("a.parquet", parquet()),
        ("a.csv", csv(lambda c, a: a, head="context,question,answer")),
        ("a.csv", csv(lambda c, a: json.dumps(lists(c, a)))),
        ("a.csv", csv(lambda c, a: str(lists(c, a)))),
        ("a.csv", csv(lambda c, a: str([{"text": a, "answer_start": c.index(a)}]))),
        ("a.csv", csv(lambda c, a: numpy(c, a, ", dtype=object", ", dtype=int32"))),
        ("a.csv", csv(lambda c, a: numpy(c, a, ",\n dtype=object", ""))),
        ("a.tsv", csv(lambda c, a: a, "passage,query,answer_text").replace('","', '"\t"').replace(",", "\t", 2)),
    ],
)  # fmt: skip
def test_formats_of_answers(look: Look, name: str, content: str | bytes) -> None:
    found = look({name: content})
    assert not [f for f in found["findings"] if f["level"] == "error"], found["findings"]
    expect_all(found)
    assert "by whole groups of 'context'" in found["split_how"]
    together = [set(found["data"][part]["context"]) for part in ("train", "validation")]
    assert not together[0] & together[1] and codes(found, "contexts-apart")


def test_offsets_in_bytes_are_converted_and_reported(look: Look) -> None:
    rows = [(f"Die Mühle öffnet um 9 und schließt um 1{k}, im Mai um 1{k}.", f"Wann, {k}?", f"1{k}") for k in range(9)]
    qas = [{"text": a, "answer_start": len(c[: c.rindex(a)].encode())} for c, _, a in rows]
    lines = [json.dumps({"context": c, "question": q, "answers": [x]}) for (c, q, _), x in zip(rows, qas, strict=True)]
    found = look({"a.jsonl": "\n".join(lines)})
    assert "9 rows have" in codes(found, "answer-offset-units")[0]["message"] and not codes(found, "answer-moved")
    assert rows_of(found) == {(c, q): {"text": [a], "answer_start": [c.rindex(a)]} for c, q, a in rows}


def test_a_column_of_offsets_decides_between_occurrences(look: Look) -> None:
    context = "10 men built 10 mills in 10 years."
    lines = [f"{context} No. {k}.,How many years?,10,{context.rindex('10')}" for k in range(6)]
    found = look({"a.csv": "\n".join(["context,question,answer,answer_start", *lines])})
    assert found["mapping"]["answer_start"] == ["answer_start"] and not codes(found, "answer-several-places")
    assert {tuple(a["answer_start"]) for a in rows_of(found).values()} == {(25,)}


def test_offsets_that_are_no_numbers_are_reported(look: Look) -> None:
    starts = ["12", "x", "-1", "", "[12; 3]", "12.0"]
    lines = [f"The north is {k} cold.,Where?,north,{start}" for k, start in enumerate(starts)]
    found = look({"a.csv": "\n".join(["context,question,answer,answer_start", *lines])})
    (finding,) = codes(found, "answer-offset-invalid")
    assert finding["message"].startswith("2 rows have") and "row 3: 'x'" in finding["message"]
    assert "row 6: '[12; 3]'" in finding["message"] and sum(found["splits"].values()) == 6


def test_occurrences_without_an_offset_are_reported(look: Look) -> None:
    context = "10 men built 10 mills in 10 years."
    found = look(
        {"a.csv": "\n".join(["context,question,answer", *(f"{context} No. {k}.,How many?,10" for k in range(6))])}
    )
    (finding,) = codes(found, "answer-several-places")
    assert finding["level"] == "warning" and "6 rows have" in finding["message"] and "row 2" in finding["message"]
    assert {tuple(a["answer_start"]) for a in rows_of(found).values()} == {(0,)}


def test_wrong_offsets_are_corrected_and_reported(look: Look) -> None:
    found = look({"train.json": squad(shift=3)})
    expect_all(found)
    (finding,) = codes(found, "answer-moved")
    assert "20 rows have" in finding["message"] and "train.json, question 1 (q0): 'Bern'" in finding["message"]


def test_answers_outside_the_context_are_skipped_and_counted(look: Look) -> None:
    rows = [(c, q, "Paris" if k in (3, 8) else a) for k, (c, q, a) in enumerate(ROWS)]
    lines = [
        json.dumps({"context": c, "question": q, "answers": {"text": [a], "answer_start": [0]}}) for c, q, a in rows
    ]
    found = look({"a.jsonl": "\n".join(lines)})
    (finding,) = codes(found, "answer-not-in-context")
    assert (
        "2 rows have" in finding["message"] and "a.jsonl, row 4: 'Paris', a.jsonl, row 9: 'Paris'" in finding["message"]
    )
    assert finding["hint"] and {"code": "answer-not-in-context", "count": 2}.items() <= found["dropped"][0].items()
    assert sum(found["splits"].values()) == 18


def test_of_several_answers_those_in_the_context_are_kept(look: Look) -> None:
    found = look({"a.jsonl": jsonl(lambda c, a: {"text": [a, "Paris", a.lower()], "answer_start": [c.index(a), 0, 1]})})
    (finding,) = codes(found, "answers-partly-outside")
    assert finding["level"] == "info" and "20 rows" in finding["message"]
    expect_all(found)


def test_all_answers_outside_is_an_error(look: Look) -> None:
    found = look({"a.csv": csv(lambda c, a: "Paris")})
    assert [f["code"] for f in found["findings"] if f["level"] == "error"] == ["no-rows"]


def test_no_question_with_an_answer_is_an_error(look: Look) -> None:
    found = look({"a.jsonl": jsonl(lambda c, a: {"text": [], "answer_start": []})})
    assert [f["code"] for f in found["findings"] if f["level"] == "error"] == ["no-answers"]


def test_empty_answers_are_questions_without_an_answer_or_skipped(look: Look, tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"a.csv": csv(lambda c, a: "" if "Bern" in c else a)}
    found = look(files)
    (finding,) = codes(found, "answer-empty")
    assert "2 questions have no answer" in finding["message"] and finding["level"] == "info"
    assert sum(not a["text"] for a in rows_of(found).values()) == 2
    assert finding["fix"]["change"] == {"options": {"empty_answers": "skip"}}
    (tmp_path / "run").rename(tmp_path / "earlier")
    found = look(files, **finding["fix"]["change"])
    (finding,) = codes(found, "answer-empty")
    assert finding["level"] == "warning" and "skipped" in finding["message"] and sum(found["splits"].values()) == 18


def test_an_unknown_way_to_treat_empty_answers(look: Look) -> None:
    found = look({"a.csv": csv(lambda c, a: a)}, options={"empty_answers": "drop"})
    (error,) = [f for f in found["findings"] if f["level"] == "error"]
    assert error["where"] == "data.options.empty_answers" and "unanswerable or skip" in error["hint"]


@pytest.mark.parametrize("text", ["no answer", "CANNOTANSWER", "N/A"])
def test_texts_for_no_answer(look: Look, text: str) -> None:
    found = look({"a.csv": csv(lambda c, a: text if "Bern" in c else a)})
    assert codes(found, "answer-refusal") and sum(not a["text"] for a in rows_of(found).values()) == 2


def test_a_column_of_unanswerable_questions(look: Look) -> None:
    lines = [json.dumps({"context": c, "question": q, "answer": a, "is_impossible": "Bern" in c}) for c, q, a in ROWS]
    found = look({"a.jsonl": "\n".join(lines)})
    assert found["mapping"]["is_impossible"] == ["is_impossible"]
    assert sum(not a["text"] for a in rows_of(found).values()) == 2


def test_empty_questions_and_contexts_are_skipped(look: Look) -> None:
    rows = [*ROWS, (CONTEXTS[0], "  ", "Bern"), ("", "Where?", "Bern")]
    lines = [json.dumps({"context": c, "question": q, "answer": a}) for c, q, a in rows]
    found = look({"a.jsonl": "\n".join(lines)})
    assert {f["message"].split(" and was")[0] for f in codes(found, "text-empty")} == {"1 row has no text"}
    assert sum(found["splits"].values()) == 20


@pytest.mark.parametrize(
    "cell",
    ['{"text": ["a", "b"], "answer_start": [1]}', "{'text': ['Bern', 'answer_start': 3}", '{"answer_start": [3]}'],
)
def test_answers_that_cannot_be_parsed(look: Look, cell: str) -> None:
    found = look({"a.csv": csv(lambda c, a: cell if "Bern" in c else str(lists(c, a)))})
    (finding,) = codes(found, "answers-unreadable")
    assert "2 rows have answers that cannot be parsed" in finding["message"] and "a.csv, row 2" in finding["message"]
    assert sum(found["splits"].values()) == 18


def test_the_same_context_in_both_given_splits(look: Look) -> None:
    found = look({"train.json": squad(ROWS[:15]), "dev.json": squad(ROWS[15:])})
    (finding,) = codes(found, "context-in-both-splits")
    assert "1 validation row has a context that is in the training rows too" in finding["message"]
    assert "dev.json, question 1" in finding["message"] and found["splits"] == {"train": 15, "validation": 5}


def test_the_same_question_in_both_given_splits(look: Look) -> None:
    found = look({"squad/train-v2.0.json": squad(ROWS[:12]), "squad/dev-v2.0.json": squad(ROWS[10:])})
    (finding,) = codes(found, "same-in-train-and-validation")
    assert "2 validation examples are also in the training rows" in finding["message"]
    assert "2 validation rows have a context" in codes(found, "context-in-both-splits")[0]["message"]
    assert found["splits"] == {"train": 12, "validation": 10}


@pytest.mark.parametrize("cell", ["{a}", "{a}.0"])
def test_answers_that_are_numbers(look: Look, cell: str) -> None:
    lines = [f"{c},{q},{cell.format(a=a)}" for c, q, a in ROWS if a.isdigit()]
    found = look({"a.csv": "\n".join(["context,question,answer", *lines])})
    assert rows_of(found) == {(c, q): {"text": [a], "answer_start": [c.index(a)]} for c, q, a in ROWS if a.isdigit()}


def test_the_same_question_with_another_answer(look: Look) -> None:
    rows = [*ROWS, (CONTEXTS[0], "Where is it?", "Anna Holm"), (CONTEXTS[1], "where  is it?", "Graz")]
    found = look({"train.json": squad(rows)})
    (finding,) = codes(found, "same-question-other-answer")
    assert "1 row asks" in finding["message"] and codes(found, "duplicates")


def test_few_contexts_are_split_at_random_and_reported(look: Look) -> None:
    rows = [(CONTEXTS[0], f"Where is it, {k}?", "Bern") for k in range(20)]
    found = look({"train.json": squad(rows)})
    assert codes(found, "context-in-both-splits") and found["splits"] == {"train": 16, "validation": 4}


def test_malformed_nested_questions_are_counted(look: Look) -> None:
    content = json.loads(squad())
    paragraphs = content["data"][0]["paragraphs"]
    paragraphs[0]["qas"][0] = "a question"
    paragraphs[1]["qas"][0]["answers"] = "Graz"
    paragraphs[2]["qas"][0]["question"] = None
    found = look({"train.json": json.dumps(content)})
    (finding,) = codes(found, "question-malformed")
    assert "3 questions have no text" in finding["message"] and "train.json, question 1" in finding["message"]
    assert sum(found["splits"].values()) == 17 and found["rows"] == 20


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ('{"data": [{"paragraphs": []}]}', "table-empty"),
        (squad()[:-9], "json-damaged"),
        ('{"qas": [' + "[" * 9999, "json-damaged"),
    ],
)
def test_damaged_files(look: Look, content: str, code: str) -> None:
    found = look({"train.json": content})
    (error,) = [f for f in found["findings"] if f["level"] == "error"]
    assert error["code"] == code and error["where"].startswith("train.json")


def test_questions_of_mrqa(look: Look) -> None:
    lines = [json.dumps({"header": {"dataset": "X", "split": "train"}})]
    for c, q, a in ROWS:
        spans = [[c.index(a), c.index(a) + len(a) - 1]]
        qas = [{"qid": "1", "question": q, "answers": [a], "detected_answers": [{"text": a, "char_spans": spans}]}]
        lines.append(json.dumps({"id": "", "context": c, "qas": qas}))
    expect_all(look({"mrqa.jsonl": "\n".join(lines)}))


def test_exports_of_label_studio(look: Look) -> None:
    tasks = []
    for k, (c, q, a) in enumerate(ROWS):
        value = {"start": c.index(a), "end": c.index(a) + len(a), "text": a, "labels": ["Answer"]}
        result = [{"value": value, "from_name": "answer", "to_name": "text", "type": "labels"}]
        cancelled = {"was_cancelled": True, "result": [{"value": {**value, "text": "mill", "start": 4}}]}
        annotations = [cancelled, {"was_cancelled": False, "result": result}]
        tasks.append({"id": k, "annotations": annotations, "data": {"text": c, "question": q}})
    expect_all(look({"project-1.json": json.dumps(tasks)}))


def test_short_exports_of_label_studio(look: Look) -> None:
    rows = [
        {
            "text": c,
            "question": q,
            "answer": [{"start": c.index(a), "end": 99, "text": a, "labels": ["Answer"]}],
            "id": k,
        }
        for k, (c, q, a) in enumerate(ROWS)
    ]
    expect_all(look({"project-1-min.json": json.dumps(rows)}))


def test_columns_are_recognized_by_their_cells(look: Look) -> None:
    content = csv(lambda c, a: str(lists(c, a)), head="one,two,three")
    found = look({"a.csv": content})
    assert found["mapping"] == {"context": ["one"], "question": ["two"], "answers": ["three"]}
    expect_all(found)


def test_right_to_left_and_emoji(look: Look) -> None:
    rows = [(f"👩‍🔧 بنيت الطاحونة {k} في عام {1800 + k} 🏗️.", f"متى بنيت {k}؟", str(1800 + k)) for k in range(12)]
    found = look({"train.json": squad(rows, shift=-1)})
    assert all(c[a["answer_start"][0] :].startswith(a["text"][0]) for (c, _), a in rows_of(found).items())
    assert len(rows_of(found)) == 12


ALIASES = (
    "extractive-qa",
    "extractive_question_answering",
    "text_extractive_question_answering",
    "extractive-question-answering",
)


@pytest.mark.parametrize("alias", ALIASES)
def test_a_configuration_of_autotrain(look: Look, alias: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "train.jsonl").write_text(
        jsonl(lists).replace('"context"', '"passage"').replace('"answers"', '"gold"')
    )
    spec, _ = from_yaml(f"""
task: {alias}
base_model: google-bert/bert-base-uncased
project_name: autotrain-bert-ex-qa1
log: tensorboard
backend: local
data:
  path: {tmp_path / "in"}
  train_split: train
  valid_split: null
  column_mapping:
    text_column: passage
    question_column: question
    answer_column: gold
params:
  max_seq_length: 512
  max_doc_stride: 128
  epochs: 3
  batch_size: 4
  lr: 2e-5
  optimizer: adamw_torch
  scheduler: linear
  gradient_accumulation: 1
  mixed_precision: fp16
hub:
  username: someone
  push_to_hub: false
""")  # fmt: skip
    resolved = resolve(spec)
    assert resolved.task.name == "extractive-question-answering"
    assert resolved.params.doc_stride == 128 and resolved.params.max_seq_length == 512
    draft = tmp_path / "draft"
    draft.mkdir()
    found = data.check(draft, Request.of(resolved))
    assert not [f for f in found["findings"] if f["level"] == "error"], found["findings"]
    assert found["mapping"] == {"context": ["passage"], "question": ["question"], "answers": ["gold"]}
