"""Preferences: prompt and answers are made lists of messages, and rows from which nothing can be learned are dropped.

It runs before the split, which keeps rows with the same prompt together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import count_with_verb, join_examples
from autotrain_gradio.data.catalog import PREFERENCE_PROMPT, PREFERRED_ANSWER, REJECTED_ANSWER, SYSTEM_TURN
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.kinds.conversation import REASONS, text_array
from autotrain_gradio.data.kinds.conversation_messages import SYSTEM, Message, stored
from autotrain_gradio.data.kinds.preferences import NO_ANSWER, NO_PROMPT, SAME, Preference, parse_preference
from autotrain_gradio.data.kinds.turn import COLUMN
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Rows
from autotrain_gradio.data.values.content_ids import of_texts

CONTRADICTION = "preference-contradiction"
DROPPED = {
    NO_PROMPT: (
        "{n} {has} no prompt: the column is empty, or the answers do not begin with the same messages or words",
        "Choose the column of the prompt, or fill in the prompts.",
    ),
    NO_ANSWER: (
        "{n} {has} an answer that is empty or does not end with a message of the assistant",
        "Fill in the answers.",
    ),
    SAME: ("{n} {has} two equal answers, of which neither can be preferred", "Correct the answers."),
    **{code: (text, hint) for code, (text, hint) in REASONS.items() if code not in {"conversation-empty"}},
}
"""Code of the reason for which rows are dropped → template of the message, and what to do."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Make messages of prompts and answers, and compare the rows that have the same prompt."""
    preferred, rejected = role_of(rows, PREFERRED_ANSWER.name), role_of(rows, REJECTED_ANSWER.name)
    declared = next((c for f in request.formats for c in f.columns if c.kind.name == PREFERENCE_PROMPT.name), None)
    if preferred is None or rejected is None or declared is None:
        return
    what, implicit = "a preferred and a rejected answer", "The prompt is what both answers begin with."
    answers = {preferred: "chosen", rejected: "rejected"}
    yield from make_messages(rows, declared, answers, parse_preference, what=what, implicit=implicit)
    yield from _contradictions(rows, declared.role, preferred, rejected)
    yield from keep_prompts_together(rows, declared.role)


def make_messages(
    rows: Rows,
    declared: Column,
    answers: Mapping[str, str],
    parse: Callable[..., Preference],
    *,
    what: str,
    implicit: str,
) -> Iterator[Finding]:
    """Make messages of prompts and answers, drop the rows for which that is not possible, and report both.

    declared: column of the prompts. answers: role of an answer → attribute of `Preference` that is stored there.
    parse: (text of the prompt, or None without such a column; texts of the answers) → a row. what: the answers.
    implicit: says what the prompt is without a column of its own.
    """
    prompt, system = role_of(rows, PREFERENCE_PROMPT.name), role_of(rows, SYSTEM_TURN.name)
    used = [role for role in (system, prompt, *answers) if role is not None]
    named = [f"{rows.columns[role].named} (column '{rows.cells[role].facts[COLUMN]}')" for role in used]
    texts = [texts_of(rows.cells.get(role or "")) for role in (system, prompt, *answers)]
    problems: dict[str, list[int]] = {}
    found: list[Preference] = []
    for number, (needs, before, asked, *given) in enumerate(zip(rows.needed.tolist(), *texts, strict=False)):
        one = parse(asked if prompt is not None else None, *given) if needs else Preference()
        if one.problem:
            problems.setdefault(one.problem, []).append(number)
            one = Preference()
        found.append(replace(one, prompt=with_system(before, one.prompt)))
    yield from drop(rows, problems, DROPPED)
    if system is not None:
        del rows.cells[system]
    store_messages(rows, declared, [one.prompt for one in found])
    for role, name in answers.items():
        store_messages(rows, rows.columns[role], [getattr(one, name) for one in found])
    text = f"{count_with_verb(rows.count(), 'row', 'was')} read as a prompt with {what}: {join_examples(named)}."
    yield Finding("info", "preference-form", text if prompt is not None else f"{text} {implicit}", "", "data.format")


def role_of(rows: Rows, kind: str) -> str | None:
    """Return the first role with cells of a kind."""
    return next((role for role in rows.cells if rows.kinds[role].name == kind), None)


def texts_of(cells: Cells | None) -> Iterable[str | None]:
    """Return the cells of a column as texts; of no column, None for ever."""
    if cells is None:
        return iter(lambda: None, 0)
    return (value.as_py() for value in cells.values)


def with_system(text: str | None, prompt: list[Message]) -> list[Message]:
    """Return a prompt with a system message in front, unless it has one."""
    if not prompt or not text or text.isspace() or prompt[0]["role"] == SYSTEM:
        return prompt
    return [{"role": SYSTEM, "content": text}, *prompt]


def drop(rows: Rows, problems: dict[str, list[int]], reasons: dict[str, tuple[str, str]]) -> Iterator[Finding]:
    """Drop and report rows. problems: code → their numbers. reasons: code → template of the message, and hint."""
    for code, numbers in problems.items():
        text, hint = reasons[code]
        rows.drop(np.array(numbers, dtype=np.int64), code)
        yield from rows.findings("warning", code, text + "; {it} {was} skipped", numbers, hint)


def store_messages(rows: Rows, column: Column, messages: Iterable[list[Message]]) -> None:
    """Store lists of messages as the cells of a column; an empty list is a missing cell."""
    values = text_array(stored(one) if one else None for one in messages)
    rows.columns[column.role] = column
    rows.cells[column.role] = Cells(values, {}, {"digest": of_texts(values)})


def keep_prompts_together(rows: Rows, role: str) -> Iterator[Finding]:
    """Keep rows with the same prompt in one split, and report those that the given splits share."""
    used, ids = rows.indices(), rows.cells[role].facts["digest"]
    group = np.where(ids < 0, np.arange(len(rows), dtype=np.int64) + len(rows), ids)
    rows.cells[role].facts["group"] = group
    known = np.isin(group[used], group[used[~rows.validation[used]]]) & rows.validation[used]
    text, hint = "{n} {has} a prompt that the training split has too", "Remove them from one of the splits."
    yield from rows.findings("info", "prompt-in-both-splits", text, used[known], hint, noun="validation row")


def _contradictions(rows: Rows, *roles: str) -> Iterator[Finding]:
    """Report rows whose answers another row with the same prompt ranks the other way round."""
    used = rows.indices()
    values = [[cells.values[i].as_py() for i in used.tolist()] for cells in (rows.cells[role] for role in roles)]
    table = pd.DataFrame(dict(zip(("prompt", "better", "worse"), values, strict=True)), index=used)
    turned = table.rename(columns={"better": "worse", "worse": "better"})
    pairs = pd.MultiIndex.from_frame(table)
    found = used[pairs.isin(pd.MultiIndex.from_frame(turned[list(table.columns)]))]
    text = "{n} {has} answers that another row with the same prompt ranks the other way round"
    yield from rows.findings("warning", CONTRADICTION, text, found, "Decide which of the answers is better.")
