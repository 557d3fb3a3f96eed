"""The check of prompts: make them of conversations or columns, take the reference answers from them, check the turns.

It runs before the split. What cannot be used as a prompt is dropped and counted.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import count_with_verb, join_examples, pluralize
from autotrain_gradio.data.catalog import ANSWER_TURN, CONTEXT_TURN, CONVERSATION, PROMPT_TURN
from autotrain_gradio.data.checks import conversations
from autotrain_gradio.data.checks.conversations import EMPTY_PROMPT, KEPT, SEPARATOR, role_of, texts_of, turn_faults
from autotrain_gradio.data.kinds.conversation import text_array
from autotrain_gradio.data.kinds.conversation_messages import ASSISTANT, SYSTEM, USER, Message, messages_of, stored
from autotrain_gradio.data.kinds.turn import COLUMN, MESSAGES
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Rows
from autotrain_gradio.data.values.content_ids import of_texts

NO_USER = "prompt-without-user"
DROPPED = {
    EMPTY_PROMPT: ("{n} {has} an empty prompt", "Fill in the prompts, or remove the rows."),
    NO_USER: ("{n} {has} no message of the user to answer", "Add the question."),
}
"""Code of the reason for which rows are dropped → template of the message, and what to do."""
NO_ANSWERS = "no-reference-answers"
SOME_ANSWERS = "reference-answer-missing"
ANSWER = Message(role=ASSISTANT, content="answer")
"""Stands for the completion where turns are checked."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Make the prompts and the reference answers, and check the prompts."""
    columns = {c.kind.name: c for f in request.formats for c in f.columns}
    prompt_column, answer_column = columns[CONVERSATION.name], columns[ANSWER_TURN.name]
    made, read = _made(rows)
    prompts, answers = zip(*made, strict=True) if made else ((), ())
    for role in (r for r in (*rows.cells,) if rows.kinds[r].name in (*_PARTS, CONVERSATION.name)):
        del rows.cells[role]
    values = text_array(None if prompt is None else stored(prompt) for prompt in prompts)
    rows.columns[prompt_column.role] = prompt_column
    rows.cells[prompt_column.role] = Cells(values, {}, {"digest": of_texts(values)})
    yield Finding("info", "prompt-form", read, "", "data.format")
    yield from conversations.add_system_prompts(rows, prompt_column.role)
    if any(answers):
        rows.columns[answer_column.role] = answer_column
        rows.cells[answer_column.role] = Cells(text_array(answers), {})
    yield from _check_prompts(rows, prompt_column.role)
    yield from _check_answers(rows, answers)


_PARTS = (PROMPT_TURN.name, CONTEXT_TURN.name, ANSWER_TURN.name)


def _made(rows: Rows) -> tuple[list[tuple[list[Message] | None, str | None]], str]:
    """Return prompt and reference answer of each row, and a message about the columns that they are made of."""
    whole = role_of(rows, CONVERSATION.name)
    if whole is not None:
        made = [
            _divided(text) if needed else (None, None)
            for text, needed in zip(texts_of(rows.cells[whole]), rows.needed.tolist(), strict=True)
        ]
        count = count_with_verb(int(rows.needed.sum()), "row", "was")
        return made, f"{count} read as conversations: the last message of the assistant is the reference answer."
    prompt, context, answer = (role_of(rows, kind) for kind in _PARTS)
    assert prompt is not None  # the format requires it
    cells = {role: rows.cells[role] for role in (prompt, context, answer) if role is not None}
    columns = [texts_of(cells.get(role or "")) for role in (prompt, context, answer)]
    found: list[tuple[list[Message] | None, str | None]] = []
    for needed, asked, more, answered in zip(rows.needed.tolist(), *columns, strict=False):
        if not needed:
            found.append((None, None))
            continue
        messages, inner = _prompt(asked, more, listed=bool(cells[prompt].facts.get(MESSAGES)))
        given = _answer(answered, listed=answer is not None and bool(cells[answer].facts.get(MESSAGES)))
        found.append((messages, given if given is not None else inner))
    named = [f"{rows.columns[role].named} (column '{cells[role].facts[COLUMN]}')" for role in cells]
    text = f"{count_with_verb(int(rows.needed.sum()), 'row', 'was')} read as a prompt: {join_examples(named)}."
    return found, text


def _divided(text: str | None) -> tuple[list[Message] | None, str | None]:
    """Return a conversation without its last answer, and this answer."""
    if text is None:
        return None, None
    messages = messages_of(text)
    if messages and messages[-1]["role"] == ASSISTANT:
        return messages[:-1], messages[-1]["content"].strip() or None
    return messages, None


def _prompt(asked: str | None, more: str | None, *, listed: bool) -> tuple[list[Message], str | None]:
    """Return the messages of a prompt, and its answer if it is a list of messages that ends with one."""
    if listed:
        messages, answer = _divided(asked)
        return messages or [], answer
    texts = [text.strip("\n") for text in (asked, more) if text and not text.isspace()]
    return [Message(role=USER, content=SEPARATOR.join(texts))], None


def _answer(answered: str | None, *, listed: bool) -> str | None:
    if not answered or answered.isspace():
        return None
    return _divided(answered)[1] if listed else answered.strip()


def _check_prompts(rows: Rows, role: str) -> Iterator[Finding]:
    """Drop rows whose prompts cannot be answered, and report turns that chat templates may refuse."""
    faults: dict[str, list[int]] = {}
    needed = rows.needed
    for number, text in enumerate(texts_of(rows.cells[role])):
        if not needed[number] or text is None:
            continue
        messages = messages_of(text)
        turns = [m["role"] for m in messages if m["role"] != SYSTEM]
        found = turn_faults([*messages, ANSWER]) if USER in turns else [NO_USER]
        for code in found:
            faults.setdefault(code, []).append(number)
    for code, (text, hint) in DROPPED.items():
        bad = faults.get(code, [])
        rows.drop(np.array(bad, dtype=np.int64), code)
        yield from rows.findings("warning", code, text + "; {it} {was} skipped", bad, hint)
    for code, (level, text, hint) in KEPT.items():
        yield from rows.findings(level, code, text, faults.get(code, []), hint)


def _check_answers(rows: Rows, answers: tuple[str | None, ...]) -> Iterator[Finding]:
    """Report rows without a reference answer."""
    used = rows.indices()
    missing = [int(i) for i in used if answers[i] is None]
    hint = "The reward for the exact answer needs them: set exact_answer_weight to 0 to train without it."
    if missing and len(missing) == len(used):
        message = f"The data has no reference answers ({pluralize(len(used), 'prompt')})."
        yield Finding("info", NO_ANSWERS, message, hint, "data.columns")
        return
    text = "{n} {has} no reference answer"
    yield from rows.findings("info", SOME_ANSWERS, text, missing, "The reward for the exact answer skips them.")
