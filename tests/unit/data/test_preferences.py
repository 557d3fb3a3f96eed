"""Preferences in the forms of TRL, and judgements of single answers."""

from __future__ import annotations

import random
from typing import Any

import pytest

from autotrain_gradio.data.kinds.preferences import parse_answer, parse_judgements, parse_preference

ASK, GOOD, BAD = (
    {"role": role, "content": text} for role, text in (("user", "Hello"), ("assistant", "Hi"), ("assistant", "Go away"))
)


@pytest.mark.parametrize(
    ("prompt", "chosen", "rejected"),
    [
        ("Hello", "Hi", "Go away"),
        ([ASK], [GOOD], [BAD]),
        ([ASK], "Hi", "Go away"),
        (None, [ASK, GOOD], [ASK, BAD]),
        ([ASK], [ASK, GOOD], [ASK, BAD]),
        ("Hello", [ASK, GOOD], [ASK, BAD]),
        ('[{"role": "user", "content": "Hello"}]', '[{"from": "gpt", "value": "Hi"}]', "Go away"),
    ],
)
def test_all_forms_give_the_same_preference(prompt: Any, chosen: Any, rejected: Any) -> None:
    found = parse_preference(prompt, chosen, rejected)
    assert (found.prompt, found.chosen, found.rejected, found.problem) == ([ASK], [GOOD], [BAD], "")


def test_the_prompt_of_several_turns_is_what_both_answers_begin_with() -> None:
    before = [{"role": "system", "content": "Be kind."}, ASK, GOOD, {"role": "user", "content": "Bye"}]
    found = parse_preference(None, [*before, GOOD], [*before, BAD])
    assert found.prompt == before and found.chosen == [GOOD] and found.rejected == [BAD]


@pytest.mark.parametrize(
    ("chosen", "rejected", "prompt", "answers"),
    [
        ("The sky is blue.", "The sky is green.", "The sky is", ["blue.", "green."]),
        ("Say hi. Hello", "Say hi. Help", "Say hi.", ["Hello", "Help"]),
        ("Q: two?\nA: yes", "Q: two?\nA: no", "Q: two?\nA:", ["yes", "no"]),
    ],
)
def test_the_prompt_of_texts_is_the_words_that_both_begin_with(
    chosen: str, rejected: str, prompt: str, answers: list[str]
) -> None:
    found = parse_preference(None, chosen, rejected)
    assert [m[0]["content"] for m in (found.prompt, found.chosen, found.rejected)] == [prompt, *answers]


@pytest.mark.parametrize(
    ("prompt", "answer", "problem"),
    [
        ("Hello", "Hi", ""),
        ([ASK], [GOOD], ""),
        ([ASK], [ASK, GOOD], ""),
        (None, [ASK, GOOD], ""),
        (None, "\n\nHuman: Hello\n\nAssistant: Hi", ""),
        (None, "Hi", "prompt-empty"),
        ("", "Hi", "prompt-empty"),
        ("Hello", " ", "answer-empty"),
        ("Hello", [ASK], "answer-empty"),
        ("Hello", {"a": 1}, "conversation-unreadable"),
    ],
)
def test_one_answer(prompt: Any, answer: Any, problem: str) -> None:
    found = parse_answer(prompt, answer)
    assert found.problem == problem and (problem or (found.prompt, found.chosen) == ([ASK], [GOOD]))


def test_dialogues_become_messages() -> None:
    before = "\n\nHuman: Hello\n\nAssistant: Hi\n\nHuman: Hello\n\nAssistant:"
    found = parse_preference(None, f"{before} Hi", f"{before} Go away")
    assert (found.prompt, found.chosen, found.rejected) == ([ASK, GOOD, ASK], [GOOD], [BAD])


@pytest.mark.parametrize(
    ("prompt", "chosen", "rejected", "problem"),
    [
        ("Hello", "Hi", "Hi", "preference-answers-equal"),
        ("Hello", "", "Hi", "answer-empty"),
        ("Hello", None, "Hi", "answer-empty"),
        ("Hello", [ASK], [BAD], "answer-empty"),
        ("", "Hi", "Go away", "prompt-empty"),
        (None, "Hi", "Go away", "prompt-empty"),
        (None, [GOOD], [BAD], "prompt-empty"),
        ("Hello", {"a": 1}, "Hi", "conversation-unreadable"),
        ("Hello", [{"role": "narrator", "content": "Once"}], "Hi", "conversation-role-unknown"),
    ],
)
def test_rows_that_cannot_be_used(prompt: Any, chosen: Any, rejected: Any, problem: str) -> None:
    assert parse_preference(prompt, chosen, rejected).problem == problem


@pytest.mark.parametrize(
    ("values", "judged"),
    [
        ([True, False], [True, False]),
        ([1, 0], [True, False]),
        ([1, -1], [True, False]),
        ([1.0, 1.0], [True, True]),
        (["true", "False", "yes"], [True, False, True]),
        (["👍", "👎", "thumbs_up", "perhaps", None], [True, False, True, None, None]),
        ([1, 2, 3, 4, 5], [False, False, None, True, True]),
        (["1", "5", "4"], [False, True, True]),
        ([4, 4], [None, None]),
        ([float("nan"), 1, 0], [None, True, False]),
    ],
)
def test_judgements(values: list[Any], judged: list[bool | None]) -> None:
    assert parse_judgements(values) == judged


def test_random_values_give_no_traceback() -> None:
    rng = random.Random(5)
    values = [None, "", "Hello", 3, 2.5, True, [], [ASK], [GOOD], [ASK, GOOD], {"a": 1}, "[{", [[ASK]], float("nan")]
    for _ in range(2000):
        row = rng.choices(values, k=3)
        found = parse_preference(*row)
        assert found.problem or (found.prompt and found.chosen and found.rejected)
        parse_judgements(row)
