"""Conversations: made of prompts and answers where the data has these, and their turns checked.

It runs before the split, which keeps rows with the same prompt together. Rows from which nothing can be learned are
dropped; what a chat template may refuse is reported, and kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from autotrain_gradio.core.errors import DataError, Finding, Fix, Level
from autotrain_gradio.core.text_format import count_with_verb, format_count, join_examples
from autotrain_gradio.data.catalog import ANSWER_TURN, CONTEXT_TURN, CONVERSATION, PROMPT_TURN, SYSTEM_TURN
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.kinds.conversation import text_array
from autotrain_gradio.data.kinds.conversation_messages import (
    ASSISTANT,
    SYSTEM,
    TOOL,
    USER,
    Message,
    messages_of,
    stored,
)
from autotrain_gradio.data.kinds.turn import COLUMN, MESSAGES
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Rows
from autotrain_gradio.data.values.content_ids import of_texts

JOIN = "join_turns"
"""Option of the data: messages of one role that follow each other become one message."""
SEPARATOR = "\n\n"
"""Between the texts of messages that are joined, and between a prompt and its context."""
SHOWN = 5
NO_ANSWER, EMPTY_ANSWER, EMPTY_PROMPT = "conversation-no-answer", "answer-empty", "prompt-empty"
REPEATED, ASSISTANT_FIRST, LATE_SYSTEM = "turns-repeat", "conversation-starts-with-assistant", "system-not-first"
NO_RESULT, NO_CALL, OPEN_END = "tool-call-unanswered", "tool-answer-without-call", "conversation-ends-unanswered"
DROPPED = {
    NO_ANSWER: ("{n} {has} no message of the assistant, so that there is nothing to learn from", "Add the answers."),
    EMPTY_ANSWER: (
        "{n} {has} an empty answer, which would train the model to say nothing",
        "Fill in the answers, or remove the messages.",
    ),
    EMPTY_PROMPT: ("{n} {has} an empty message of the user", "Fill in the prompts, or remove the messages."),
}
"""Code of the reason for which rows are dropped → template of the message, and what to do."""
KEPT: dict[str, tuple[Level, str, str]] = {
    REPEATED: (
        "warning",
        "{n} {has} turns that do not alternate: two messages of the user or two of the assistant follow each other",
        "Some chat templates refuse them. Join them, or correct the rows.",
    ),
    ASSISTANT_FIRST: (
        "warning",
        "{n} {begins} with a message of the assistant",
        "Some chat templates refuse it. Add the message that it answers, or remove it.",
    ),
    LATE_SYSTEM: (
        "warning",
        "{n} {has} a system message that is not the first message",
        "Many chat templates refuse or drop it. Move it to the beginning.",
    ),
    NO_RESULT: (
        "warning",
        "{n} {has} a tool call that no message of the tool answers",
        "Add the tool's result behind the call, or remove the call.",
    ),
    NO_CALL: ("warning", "{n} {has} the result of a tool that was not called", "Add the call before it."),
    OPEN_END: ("info", "{n} {ends} without an answer to the last message", "The last message trains nothing."),
}
"""Code of a fault of rows that are kept → level, template of the message, and what to do."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Make the conversations, check their turns, and compare their prompts."""
    column = next((c for f in request.formats for c in f.columns if c.kind.name == CONVERSATION.name), None)
    if column is None:
        return
    yield from _make(rows, column)
    if column.role not in rows.cells:
        return  # plain texts
    yield from add_system_prompts(rows, column.role)
    faults, prompts = _check_turns(rows, column.role, join=wants_joined_turns(request))
    for code, (text, hint) in DROPPED.items():
        found = faults.get(code, [])
        rows.drop(np.array(found, dtype=np.int64), code)
        yield from rows.findings("warning", code, text + "; {it} {was} skipped", found, hint)
    for code, (level, text, hint) in KEPT.items():
        for finding in rows.findings(level, code, text, faults.get(code, []), hint):
            joins = Fix("Join them", {"options": {JOIN: True}}) if code == REPEATED else None
            yield Finding(level, code, finding.message, hint, finding.where, joins)
    yield from _same_prompts(rows, column.role, prompts)


def wants_joined_turns(request: Request) -> bool:
    """Return whether messages of one role are joined.

    Raises:
        DataError: the option is neither true nor false.
    """
    value = request.spec.options.get(JOIN, False)
    answers = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    text = str(value).strip().lower()
    if text not in answers:
        message = f"'{value}' is neither true nor false."
        raise DataError(message, "Write true or false.", f"data.options.{JOIN}", "invalid-setting")
    return answers[text]


def role_of(rows: Rows, kind: str) -> str | None:
    """Return the role of the first column of a kind, by the name of the kind."""
    return next((role for role in rows.cells if rows.kinds[role].name == kind), None)


def _make(rows: Rows, column: Column) -> Iterator[Finding]:
    """Make the conversations of prompts and answers, or of texts that are lists of messages."""
    moved = next((r for r, c in rows.cells.items() if c.facts.get(MESSAGES) and rows.kinds[r].texts), None)
    if moved is not None:
        rows.cells[column.role] = rows.cells.pop(moved)
        rows.columns[column.role] = column
    prompt, answer = role_of(rows, PROMPT_TURN.name), role_of(rows, ANSWER_TURN.name)
    if column.role in rows.cells or prompt is None or answer is None:
        return
    context, system = role_of(rows, CONTEXT_TURN.name), role_of(rows, SYSTEM_TURN.name)
    used = [role for role in (system, prompt, context, answer) if role is not None]
    parts = {role: rows.cells[role] for role in used}
    needed = rows.needed

    def made() -> Iterator[str | None]:
        columns = [texts_of(parts.get(role or "")) for role in (prompt, context, answer)]
        for needs, asked, more, answered in zip(needed.tolist(), *columns, strict=False):
            yield stored(_conversation(asked, more, answered, parts, prompt, answer)) if needs else None

    values = text_array(made())
    for role in used:
        if role != system:
            del rows.cells[role]
    rows.columns[column.role] = column
    rows.cells[column.role] = Cells(values, {}, {"digest": of_texts(values)})
    named = [f"{rows.columns[role].named} (column '{parts[role].facts[COLUMN]}')" for role in used]
    text = f"{count_with_verb(int(needed.sum()), 'row', 'was')} read as a question and its answer: "
    yield Finding("info", "conversation-form", f"{text}{join_examples(named)}.", "", "data.format")


def texts_of(cells: Cells | None) -> Iterable[str | None]:
    """Return the texts of a column; without a column there are endlessly many None."""
    if cells is None:
        return iter(lambda: None, 0)  # without an end
    return _all_texts(cells)


def _conversation(
    asked: str | None,
    more: str | None,
    answered: str | None,
    parts: dict[str, Cells],
    prompt: str,
    answer: str,
) -> list[Message]:
    """Return the messages of a row; a prompt or an answer may be a list of messages itself."""
    messages: list[Message]
    if parts[prompt].facts.get(MESSAGES):
        messages = messages_of(asked) if asked else []
    else:
        texts = [text.strip("\n") for text in (asked, more) if text and not text.isspace()]
        messages = [{"role": USER, "content": SEPARATOR.join(texts)}]
    if parts[answer].facts.get(MESSAGES):
        messages += messages_of(answered) if answered else []
    else:
        messages.append({"role": ASSISTANT, "content": answered or ""})
    return messages


def add_system_prompts(rows: Rows, role: str) -> Iterator[Finding]:
    """Put the system prompt of each row in front of its conversation, unless that has one."""
    system = role_of(rows, SYSTEM_TURN.name)
    if system is None:
        return
    prompts, known = rows.cells.pop(system), list[int]()
    needed = rows.needed

    def made() -> Iterator[str | None]:
        pairs = zip(_all_texts(rows.cells[role]), texts_of(prompts), strict=False)
        for number, (text, prompt) in enumerate(pairs):
            if not needed[number] or text is None or not prompt or prompt.isspace():
                yield text
                continue
            messages = messages_of(text)
            if messages and messages[0]["role"] == SYSTEM:
                if messages[0]["content"] != prompt:
                    known.append(number)
                yield text
                continue
            yield stored([{"role": SYSTEM, "content": prompt}, *messages])

    values = text_array(made())
    cells = rows.cells[role]
    cells.values, cells.facts["digest"] = values, of_texts(values)
    text = "{n} {has} a system message of {its} own, which is used instead of the one in the column"
    hint, where = "Remove one of the two if that is wrong.", f"column {prompts.facts[COLUMN]}"
    yield from rows.findings("info", "system-prompt-twice", text, known, hint, where=where)


def _check_turns(rows: Rows, role: str, *, join: bool) -> tuple[dict[str, list[int]], pa.ChunkedArray]:
    """Return code → rows with this fault, and the prompt of each row; join messages of one role before, if asked for.

    The prompt is the JSON of all messages before the last one of the assistant, without its end; None: the row is not
    used.
    """
    faults: dict[str, list[int]] = {}
    cells, needed = rows.cells[role], rows.needed
    changed: dict[int, str] = {}

    def prompt(number: int, text: str | None) -> str | None:
        if not needed[number] or text is None:
            return None
        messages = messages_of(text)
        if join and (joined := joined_turns(messages)) != messages:
            messages, text = joined, stored(joined)
            changed[number] = text
        found = turn_faults(messages)
        for code in found:
            faults.setdefault(code, []).append(number)
        if not DROPPED.keys().isdisjoint(found):
            return None
        last = max(i for i, message in enumerate(messages) if message["role"] == ASSISTANT)
        return text[: len(text) - len(stored(messages[last:]))]

    prompts = text_array(prompt(i, text) for i, text in enumerate(_all_texts(cells)))
    if changed:
        cells.values = text_array(changed.get(i, text) for i, text in enumerate(_all_texts(cells)))
        cells.facts["digest"] = of_texts(cells.values)
    return faults, prompts


def _all_texts(cells: Cells) -> Iterator[str | None]:
    for chunk in cells.values.chunks:
        yield from chunk.to_pylist()


def turn_faults(messages: list[Message]) -> list[str]:
    """Return the codes of what is wrong with the turns: of the first reason to drop the row, or of all others."""
    roles = [message["role"] for message in messages]
    if ASSISTANT not in roles:
        return [NO_ANSWER]
    empty = {m["role"] for m in messages if not m["content"].strip() and not m.get("tool_calls")}
    if ASSISTANT in empty:
        return [EMPTY_ANSWER]
    if USER in empty:
        return [EMPTY_PROMPT]
    found = []
    turns = [role for role in roles if role != SYSTEM]
    following = list(zip(turns, turns[1:], strict=False))
    if any(a == b and a != TOOL for a, b in following):
        found.append(REPEATED)
    if turns[0] == ASSISTANT:
        found.append(ASSISTANT_FIRST)
    if SYSTEM in roles[1:]:
        found.append(LATE_SYSTEM)
    calls = [bool(m.get("tool_calls")) for m in messages if m["role"] != SYSTEM]
    if any(call and role != TOOL for call, role in zip(calls, turns[1:], strict=False)):
        found.append(NO_RESULT)
    called = False
    for call, role in zip(calls, turns, strict=True):
        if role == TOOL and not called:
            found.append(NO_CALL)
            break
        called = call or (called and role == TOOL)
    if turns[-1] != ASSISTANT:
        found.append(OPEN_END)
    return found


def joined_turns(messages: list[Message]) -> list[Message]:
    """Return the messages, those of the user or of the assistant that follow each other as one."""
    joined: list[Message] = []
    for message in messages:
        if joined and message["role"] == joined[-1]["role"] and message["role"] in {USER, ASSISTANT}:
            texts = [text for text in (joined[-1]["content"], message["content"]) if text]
            calls = [*joined[-1].get("tool_calls", ()), *message.get("tool_calls", ())]
            joined[-1] = {**joined[-1], **message, "content": SEPARATOR.join(texts)}
            if calls:
                joined[-1]["tool_calls"] = calls
        else:
            joined.append(message)
    return joined


def _same_prompts(rows: Rows, role: str, prompts: pa.ChunkedArray) -> Iterator[Finding]:
    """Report prompts with several answers, and those in both given splits; keep equal ones in the same split.

    prompts: of all rows, as `_check_turns` returns them.
    """
    used, cells = rows.indices(), rows.cells[role]
    ids = of_texts(prompts)[used]
    content = np.asarray(cells.facts["digest"])[used]
    content = np.where(content < 0, -1 - used, content)  # -1: as no other row
    table = pd.DataFrame({"prompt": ids, "content": content, "validation": rows.validation[used]}, index=used)
    table = table[table.prompt >= 0]
    if table.empty:
        return
    differ = table.groupby("prompt", sort=False).nunique() > 1
    several, both = differ.index[differ.content], differ.index[differ.content & differ.validation]
    if len(several):
        shown = [" = ".join(str(rows.locations[i]) for i in _rows(table, prompt)[:3]) for prompt in several[:SHOWN]]
        text = format_count("{n} {has} several answers, which are all used", len(several), "prompt")
        first = str(rows.locations[_rows(table, several[0])[0]])
        yield Finding("info", "same-prompt-other-answer", f"{text}: {join_examples(shown, len(several))}.", "", first)
    known = table.index[table.validation & table.prompt.isin(both)].to_numpy()
    text, hint = "{n} {has} a prompt that the training split has too, with another answer", "Remove them from one."
    yield from rows.findings("info", "prompt-in-both-splits", text, known, hint, noun="validation row")
    group = np.arange(len(rows), dtype=np.int64) + len(used)
    group[used] = np.where(ids < 0, group[used], ids)
    cells.facts["group"] = group


def _rows(table: pd.DataFrame, prompt: int) -> list[int]:
    return list(table.index[table.prompt == prompt].tolist())
