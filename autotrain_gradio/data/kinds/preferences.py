"""Preferences: a prompt with a preferred and a rejected answer, or an answer that was judged good or bad.

The forms are those of TRL: texts, or lists of messages; the prompt may be the beginning of both answers. Texts that
are dialogues of a human and an assistant (Anthropic's `hh-rlhf`) are lists of messages too.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass, field
from typing import Any

from autotrain_gradio.data.kinds.conversation_messages import ASSISTANT, EMPTY, USER, Message, is_conversation, parse

SAME, NO_PROMPT, NO_ANSWER = "preference-answers-equal", "prompt-empty", "answer-empty"
GOOD = frozenset({"true", "yes", "1", "+1", "good", "up", "thumbs up", "thumbs_up", "like", "liked", "desirable", "👍"})
BAD = frozenset(
    {"false", "no", "0", "-1", "bad", "down", "thumbs down", "thumbs_down", "dislike", "disliked", "undesirable", "👎"}
)
"""Judgements as they are written, in lower case."""
DIALOGUE = re.compile(r"(?:\A|\n\n)(Human|Assistant):[ ]?")
"""Beginning of a turn of a dialogue that is written as one text."""


@dataclass
class Preference:
    """A prompt, and the messages that answer it. problem: code of the reason why the row cannot be used."""

    prompt: list[Message] = field(default_factory=list)
    chosen: list[Message] = field(default_factory=list)
    rejected: list[Message] = field(default_factory=list)
    problem: str = ""


def parse_preference(prompt: Any, chosen: Any, rejected: Any) -> Preference:
    """Parse a preference. prompt: None where both answers begin with it."""
    if prompt is None and _is_text(chosen) and _is_text(rejected):
        prompt, chosen, rejected = _divide(str(chosen), str(rejected))
    asked, problem = _messages(prompt, USER)
    answers = []
    for value in (chosen, rejected):
        messages, wrong = _messages(value, ASSISTANT)
        problem = problem or (NO_ANSWER if wrong == EMPTY else wrong)
        answers.append(messages)
    if problem and not (problem == EMPTY and prompt is None):
        return Preference(problem=NO_PROMPT if problem == EMPTY else problem)
    shared = _common(*answers)
    if not asked:
        asked = answers[0][:shared]
    elif shared >= len(asked) and answers[0][: len(asked)] == asked:
        shared = len(asked)  # answers that repeat the prompt
    else:
        shared = 0
    found = Preference(asked, answers[0][shared:], answers[1][shared:])
    if not asked or not any(message["content"].strip() for message in asked):
        found.problem = NO_PROMPT
    elif answers[0] == answers[1]:
        found.problem = SAME
    elif not _is_answer(found.chosen) or not _is_answer(found.rejected):
        found.problem = NO_ANSWER
    return found


def parse_answer(prompt: Any, answer: Any) -> Preference:
    """Parse a prompt with one answer, which is `chosen` of the result. prompt: None where the answer begins with it."""
    if prompt is None and _is_text(answer):
        answer = _dialogue(str(answer)) or answer
    messages, problem = _messages(answer, ASSISTANT)
    problem = NO_ANSWER if problem == EMPTY else problem
    asked, wrong = ([], "") if prompt is None else _messages(prompt, USER)
    problem = problem or (NO_PROMPT if wrong == EMPTY else wrong)
    if problem:
        return Preference(problem=problem)
    if prompt is None:
        asked, messages = messages[:-1], messages[-1:]
    elif messages[: len(asked)] == asked:
        messages = messages[len(asked) :]
    found = Preference(asked, messages)
    if not any(message["content"].strip() for message in asked):
        found.problem = NO_PROMPT
    elif not _is_answer(messages):
        found.problem = NO_ANSWER
    return found


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not is_conversation(value)


def _divide(chosen: str, rejected: str) -> tuple[str | None, Any, Any]:
    """Return the beginning that two texts share, up to a space, and the rest of both; dialogues as messages."""
    dialogues = _dialogue(chosen), _dialogue(rejected)
    if all(dialogues):
        return None, dialogues[0], dialogues[1]
    shared = os.path.commonprefix([chosen, rejected])
    if any(len(text) > len(shared) and not text[len(shared)].isspace() for text in (chosen, rejected)):
        # A word that only begins in the same way belongs to the answers.
        shared = shared[: len(shared) - len(re.split(r"\s", shared)[-1])]
    return shared.strip(), chosen[len(shared) :].strip(), rejected[len(shared) :].strip()


def _dialogue(text: str) -> list[dict[str, str]]:
    """Return the messages of a dialogue that is written as one text; empty: it is not one."""
    before, *turns = DIALOGUE.split(text)
    if before.strip() or not turns:
        return []
    roles = {"Human": USER, "Assistant": ASSISTANT}
    pairs = zip(turns[::2], turns[1::2], strict=True)
    return [{"role": roles[name], "content": said.strip()} for name, said in pairs]


def _messages(value: Any, role: str) -> tuple[list[Message], str]:
    """Return the messages of a cell, of a text the one of this role; and the code of a problem."""
    if is_conversation(value):
        found = parse(value)
        return found.messages, found.problem
    if value is None or (isinstance(value, float) and math.isnan(value)) or not str(value).strip():
        return [], EMPTY
    if isinstance(value, str | int | float):
        return [{"role": role, "content": str(value)}], ""
    return [], parse(value).problem


def _common(one: list[Message], other: list[Message]) -> int:
    """Return the number of messages that both begin with, up to the last one of which an answer is left."""
    count = 0
    for a, b in zip(one[:-1], other[:-1], strict=False):
        if a != b:
            break
        count += 1
    return count


def _is_answer(messages: list[Message]) -> bool:
    last = messages[-1] if messages else None
    return last is not None and last["role"] == ASSISTANT and bool(last["content"].strip() or last.get("tool_calls"))


def parse_judgements(values: list[Any]) -> list[bool | None]:
    """Return whether each answer was judged good; None: it cannot be told.

    Judgements are true or false, words, thumbs, or ratings: of more than two different numbers, those above the middle
    of the scale are good, and the middle itself is neither.
    """
    numbers = {float(v) for v in values if _is_number(v)}
    scale = len(numbers) > 2 or any(n not in {0.0, 1.0, -1.0} for n in numbers)
    middle = (min(numbers) + max(numbers)) / 2 if len(numbers) > 1 else 0.0
    found: list[bool | None] = []
    for value in values:
        text = str(value).strip().lower()
        if scale and _is_number(value):
            number = float(value)
            found.append(None if number == middle or len(numbers) < 2 else number > middle)
        elif _is_number(value):
            found.append(float(value) > 0)
        else:
            found.append(True if text in GOOD else False if text in BAD else None)
    return found


def balancing_weights(good: int, bad: int) -> tuple[float, float]:
    """Return weights of good and bad answers, at least 1, with which both kinds count as much; 1 without one of them.

    Source: Eq. (8) of Ethayarajh et al. 2024 (KTO). good, bad: their numbers.
    """
    if not good or not bad:
        return 1.0, 1.0
    return round(max(1.0, bad / good), 2), round(max(1.0, good / bad), 2)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or value is None:
        return False
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False
