"""Find each answer in its context; rows whose answers do not occur there are skipped.

From here on `answers` has offsets only where the context has exactly that text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autotrain_gradio.core.errors import DataError, Finding, Fix
from autotrain_gradio.core.text_format import truncate
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.arrow_columns import pick
from autotrain_gradio.tasks.extractive_question_answering.answer_search import Found, find_answer
from autotrain_gradio.tasks.extractive_question_answering.answers_column import (
    Answer,
    answers_of,
    as_value,
    literal,
    offset,
)

START, UNANSWERABLE, OPTION = "answer_start", "is_impossible", "empty_answers"
YES = frozenset({"true", "yes", "1", "1.0"})
REFUSALS = frozenset({"no answer", "noanswer", "unanswerable", "cannotanswer", "not answerable", "n/a", "none", "null"})
"""Texts that stand for "no answer" where they do not occur in the context."""
BATCH = 10_000
FEW = 0.02
"""Share of questions without an answer up to which they may be mistakes."""
MESSAGES: dict[str, tuple[Any, str, str]] = {
    "answer-moved": (
        "warning",
        "{n} {has} an answer that is not at its offset; the nearest occurrence in the context is used",
        "Offsets count characters from 0. Correct them if the nearest occurrence may be wrong.",
    ),
    "answer-offset-invalid": (
        "warning",
        "{n} {has} an offset that is not a number, or another number of offsets than answers; it was searched for",
        "Write where the answer begins in the context, in characters from 0.",
    ),
    "answer-offset-units": (
        "info",
        "{n} {has} an answer whose offset counts bytes (UTF-8) or UTF-16 units; it was converted to characters",
        "",
    ),
    "answer-several-places": (
        "warning",
        "{n} {has} an answer without offset that occurs several times in the context; the first occurrence is used",
        "Add a column 'answer_start' with the offset of the answer, in characters from 0.",
    ),
    "answer-respelled": (
        "info",
        "{n} {has} an answer that the context spells with other letters, spaces or signs; its spelling is used",
        "",
    ),
    "answer-refusal": (
        "info",
        "{n} {has} a text such as 'no answer' that is not in the context: {it} {counts} as without an answer",
        "Leave the answer empty where there is none.",
    ),
    "answers-partly-outside": (
        "info",
        "{n} {has} several answers of which some do not occur in the context; the others are used",
        "",
    ),
}
"""Code of a finding about rows that are kept → level, template, hint."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Find the answers of all rows, and report what was corrected, skipped or has no answer."""
    skip = _skips_empty(request)
    noted: dict[str, list[int]] = defaultdict(list)
    shown: dict[tuple[str, int], str] = {}
    empty: list[int] = []
    values = list(rows.cells["answers"].values)
    for row, context, answers, cell in _given(rows):
        if answers and cell is not None and not _is_offset(cell, len(answers)):
            noted["answer-offset-invalid"].append(row)
            shown["answer-offset-invalid", row] = _quoted(cell)
        if not answers:
            empty.append(row)
        found, outside = [], []
        for text, start in answers:
            place = find_answer(context, text, start)
            if place is None:
                outside.append(text)
                continue
            found.append(place)
            for code in _codes(place):
                noted[code].append(row)
                shown.setdefault((code, row), _quoted(text))
        if not found and outside:
            refused = all(text.strip().casefold() in REFUSALS for text in outside)
            code = "answer-refusal" if refused else "answer-not-in-context"
            noted[code].append(row)
            shown[code, row] = _quoted(outside[0])
            if refused:
                empty.append(row)
        elif outside:
            noted["answers-partly-outside"].append(row)
            shown["answers-partly-outside", row] = _quoted(outside[0])
        values[row] = as_value(list(dict.fromkeys((place.text, place.start) for place in found)))
    rows.cells["answers"].values = values

    def detail(code: str) -> Callable[[int], str]:
        return lambda row: f": {shown[code, row]}"

    code, where = "answer-not-in-context", "data.columns.answers"
    text = "{n} {has} an answer that does not occur in the context and {was} skipped"
    hint = "Answers must be copied from the context, letter by letter. Correct them, or leave the answer empty."
    yield from rows.findings("warning", code, text, np.unique(noted[code]), hint, detail(code))
    rows.drop(noted[code], code)
    for code, (level, text, hint) in MESSAGES.items():
        yield from rows.findings(level, code, text, list(dict.fromkeys(noted[code])), hint, detail(code))
    yield from _without_answer(rows, np.array(sorted(empty), dtype=np.int64), skip, where)
    yield from _other_answers(rows)


def _skips_empty(request: Request) -> bool:
    value = request.spec.options.get(OPTION, "unanswerable")
    if value not in ("unanswerable", "skip"):
        message = f"'{value}' is not a way to treat empty answers."
        raise DataError(message, "Write unanswerable or skip.", f"data.options.{OPTION}", "invalid-setting")
    return bool(value == "skip")


def _codes(place: Found) -> list[str]:
    """Return the codes of the findings about an answer that was found."""
    codes = {"moved": place.how == "moved", "several-places": place.how == "found" and place.places > 1}
    codes |= {"offset-units": place.how in ("utf-8", "utf-16"), "respelled": place.respelled}
    return [f"answer-{name}" for name, true in codes.items() if true]


def _quoted(text: str) -> str:
    return f"'{truncate(' '.join(text.split()), 40)}'"


def _given(rows: Rows) -> Iterator[tuple[int, str, list[Answer], str | None]]:
    """Yield each used row with its context and answers: offsets of a column of their own, none if it is impossible.

    The last item is the cell of that column; None: it is missing.
    """
    used = rows.indices()
    for begin in range(0, len(used), BATCH):
        chosen = used[begin : begin + BATCH]
        cells = [
            rows.cells["context"].values,
            *(rows.cells[r].values if r in rows.cells else None for r in (START, UNANSWERABLE)),
        ]
        contexts, starts, impossible = (
            [None] * len(chosen) if column is None else pick(column, chosen).to_pylist() for column in cells
        )
        for row, context, start, no in zip(chosen.tolist(), contexts, starts, impossible, strict=True):
            answers = answers_of(rows.cells["answers"].values[row])
            if no is not None and str(no).strip().lower() in YES:
                answers = []
            yield row, context, _with_starts(answers, start), start


def _is_offset(start: str, answers: int) -> bool:
    """Whether a cell holds an offset for each answer; a negative one means that it is not known."""
    listed = literal(start)
    numbers = listed if isinstance(listed, list) else [start]
    return len(numbers) == answers and all(
        n is None or offset(str(n).strip().removeprefix("-")) is not None for n in numbers
    )


def _with_starts(answers: list[Answer], start: str | None) -> list[Answer]:
    """Return answers with the offsets of a column of their own: a number, or a list as text."""
    if start is None or not answers:
        return answers
    listed = literal(start)
    starts = [offset(s) for s in listed] if isinstance(listed, list) else [offset(start)]
    if len(starts) != len(answers):
        return answers
    return [(text, known if own is None else own) for (text, known), own in zip(answers, starts, strict=True)]


def _without_answer(rows: Rows, empty: np.ndarray[Any, Any], skip: bool, where: str) -> Iterator[Finding]:
    """Report the questions without an answer, which count as unanswerable or are skipped."""
    total = rows.count()
    if skip:
        rows.drop(empty, "answer-empty")
        text, hint = "{n} {has} no answer and {was} skipped", "Fill in the answers to use these rows."
        fix = Fix("Use them as questions without an answer", {"options": {OPTION: "unanswerable"}})
    else:
        text = "{n} {has} no answer in the context: the model learns to say so"
        hint = "If answers are merely missing there, skip these rows."
        fix = Fix("Skip rows without an answer", {"options": {OPTION: "skip"}})
    few = not skip and 0 < len(empty) <= FEW * total
    level: Any = "warning" if skip or few else "info"
    for finding in rows.findings(level, "answer-empty", text, empty, hint, noun="question"):
        yield Finding(finding.level, finding.code, finding.message, finding.hint, where, fix)
    if total and not skip and len(empty) == total:
        message = "No question has an answer in its context: there is nothing to learn."
        hint = "Choose the column that holds the answers."
        yield Finding("error", "no-answers", message, hint, where)


def _other_answers(rows: Rows) -> Iterator[Finding]:
    """Report questions that several rows ask about the same context with other answers."""
    content = rows.content
    if content is None:
        return
    used = rows.indices()
    numbers = content[1][used]
    first: dict[int, tuple[int, Any]] = {}
    other: list[int] = []
    for row, number in zip(used[numbers >= 0].tolist(), numbers[numbers >= 0].tolist(), strict=True):
        texts = set(rows.cells["answers"].values[row]["text"])
        known = first.setdefault(number, (row, texts))
        if not texts & known[1] and texts != known[1]:
            other.append(row)
    text = "{n} {asks} what another row asks about the same context, with another answer"
    hint = "Several right answers to one question belong in one row, as a list. Remove wrong ones."
    yield from rows.findings(
        "warning",
        "same-question-other-answer",
        text,
        other,
        hint,
        lambda row: f" (as {rows.locations[first[int(content[1][row])][0]]})",
    )
