"""Prompts of every form, their reference answers, and what is dropped and counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from autotrain_gradio import data
from tests.unit.tasks.llm_grpo.conftest import findings_of, questions

Make = Callable[..., Any]


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


FORMS: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "prompt and answer": lambda q, a: {"prompt": q, "answer": a},
    "question and solution": lambda q, a: {"question": q, "solution": a},
    "messages": lambda q, a: {"messages": [user(q), assistant(a)]},
    "ShareGPT": lambda q, a: {"conversations": [{"from": "human", "value": q}, {"from": "gpt", "value": a}]},
    "listed prompt": lambda q, a: {"prompt": [user(q)], "answer": a},
    "listed prompt and completion": lambda q, a: {"prompt": [user(q)], "completion": [assistant(a)]},
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_prompts(prompt_trial: Make, form: str) -> None:
    rows = [FORMS[form](q["prompt"], q["answer"]) for q in questions(12)]
    made = prompt_trial(rows, data={"valid_fraction": 0})
    found = data.load(made.directory)["train"]
    pairs = {(json.loads(r["conversation"])[-1]["content"], r["completion"]) for r in found}
    assert pairs == {(q["prompt"], q["answer"]) for q in questions(12)}
    assert all(len(json.loads(r["conversation"])) == 1 for r in found)


def test_prompts_without_answers_contexts_systems_and_extra_columns(prompt_trial: Make) -> None:
    rows = [{"instruction": q["prompt"], "input": "About it", "system": "Be brief.", "points": i} for i, q in
            enumerate(questions(12))]  # fmt: skip
    made = prompt_trial(rows, data={"valid_fraction": 0, "columns": {"additional": ["points"]}})
    found = data.load(made.directory)["train"]
    messages = json.loads(found["conversation"][0])
    assert [m["role"] for m in messages] == ["system", "user"] and messages[1]["content"].endswith("\n\nAbout it")
    assert "completion" not in found.features and sorted(map(int, found["additional:points"])) == list(range(12))
    assert "no reference answers" in findings_of(made)["no-reference-answers"]


def test_what_cannot_be_a_prompt_is_dropped_and_counted(prompt_trial: Make) -> None:
    rows: list[dict[str, Any]] = [{"messages": [user(q["prompt"]), assistant(q["answer"])]} for q in questions(14)]
    rows += [{"messages": [{"role": "system", "content": "x"}, assistant("4")]}]
    rows += [{"messages": [user(" "), assistant("4")]}, {"messages": [user("What?"), user("Is 40 odd?")]}]
    made = prompt_trial(rows, data={"valid_fraction": 0})
    found = findings_of(made)
    assert found["prompt-without-user"].startswith("1 row has") and "skipped" in found["prompt-without-user"]
    assert found["prompt-empty"].startswith("1 row has an empty prompt")
    assert found["turns-repeat"].startswith("1 row has") and "reference-answer-missing" in found
    assert len(data.load(made.directory)["train"]) == 15
