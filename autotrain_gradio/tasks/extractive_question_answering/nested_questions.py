"""The layout `squad`: JSON with questions inside their contexts, as SQuAD, DuReader and MRQA have them.

An object with `context` and `qas` is a paragraph, wherever it is: in `data` → `paragraphs` (SQuAD 1.1 and 2.0), in a
list, or one a line. So is a task of Label Studio's template for question answering: `data` with `text` and `question`,
and `annotations` whose spans are the answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import inflect, join_examples, pluralize
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.encoding import decode
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected
from autotrain_gradio.data.tables.table_limits import require_json
from autotrain_gradio.tasks.extractive_question_answering.answers_column import FEATURE

SUFFIXES = (".json", ".jsonl")
HEAD = 2_000_000
"""Bytes of a file that are searched for the names of SQuAD."""
NAMES = re.compile(rb'"(paragraphs|qas)"\s*:\s*\[')
OF_LABEL_STUDIO = (re.compile(rb'"annotations"\s*:\s*\['), re.compile(rb'"question"\s*:'))
KINDS = {"context": "context", "question": "question", "answers": "answers"}
TYPE = pa.struct([(name, pa.list_(pa.string() if name == "text" else pa.int64())) for name in FEATURE])
MALFORMED = "question-malformed"


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are files of nested questions."""
    found = _entries(tree)
    if not found:
        return Rejected("no JSON file has questions ('qas') inside paragraphs, or annotations of questions")
    names = join_examples([entry.path for entry in found])
    return Recognized(0.95, f"{names} {inflect(len(found), 'has')} questions inside their contexts")


def _entries(tree: Tree) -> list[Entry]:
    found = []
    for entry in tree.tables(SUFFIXES):
        with (tree.root / entry.path).open("rb") as file:
            head = file.read(HEAD)
        if NAMES.search(head) or all(name.search(head) for name in OF_LABEL_STUDIO):
            found.append(entry)
    return found


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Make a row of each question.

    Raises:
        DataError: a file is not JSON, or has no question.
    """
    entries = _entries(tree)
    names, findings = split_names.of_entries(entries, tree, request.spec)
    raw = RawTables({}, kinds=KINDS, findings=findings)
    splits: dict[str, dict[str, list[Any]]] = {}
    malformed: list[str] = []
    for number, entry in enumerate(entries):
        progress(f"Reading {entry.path}", number / len(entries))
        text, found = decode(tree.read(entry.path), entry.path, request.spec.encoding)
        raw.findings += found
        columns = splits.setdefault(names[entry.path], {name: [] for name in (*KINDS, LOCATION)})
        before = len(columns[LOCATION])
        for count, (context, question) in enumerate(_questions(_parse(text, entry.path, request)), 1):
            place = f"{entry.path}, question {count:,}"
            answers = _answers(question) if isinstance(question, Mapping) else None
            if answers is None or not isinstance(context, str) or not isinstance(question.get("question"), str):
                malformed.append(place)
                continue
            cells = (
                context,
                question["question"],
                answers,
                f"{place} ({question['id']})" if "id" in question else place,
            )
            for name, cell in zip(columns, cells, strict=True):
                columns[name].append(cell)
        if len(columns[LOCATION]) == before:
            raise DataError(
                "The file has no question.", "Each paragraph needs 'context' and 'qas'.", entry.path, "table-empty"
            )
        raw.files_read.append(entry.path)
    types = {"context": pa.string(), "question": pa.string(), "answers": TYPE, LOCATION: pa.string()}
    raw.splits = {s: pa.table({n: pa.array(c, types[n]) for n, c in columns.items()}) for s, columns in splits.items()}
    text = "{n} {has} no text, or answers that cannot be parsed, and {was} skipped"
    hint = 'Each question needs "question" and "answers": [{"text": …, "answer_start": …}], each paragraph "context".'
    raw.findings += report_examples("warning", MALFORMED, text, malformed, "question", hint)
    raw.skipped[MALFORMED] += len(malformed)
    progress(f"Read {pluralize(len(entries), 'file')}", 1.0)
    return raw


def _parse(text: str, name: str, request: Request) -> Iterator[Any]:
    """Yield the JSON values of a file: one, or one a line.

    Raises:
        DataError: it is not JSON.
    """
    require_json(text, name, request.limits)
    try:
        yield json.loads(text)
        return
    except (ValueError, RecursionError) as error:
        problem = error
    if getattr(problem, "msg", "") != "Extra data":
        where = f"{name}, line {problem.lineno}" if isinstance(problem, json.JSONDecodeError) else name
        reason = "it is nested too deeply" if isinstance(problem, RecursionError) else str(problem)
        raise DataError(f"The file is not JSON: {reason}.", "Save it again.", where, "json-damaged")
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError) as error:
                message, where = f"The line is not JSON: {error}.", f"{name}, line {number}"
                raise DataError(message, "Each line must be one object.", where, "json-damaged") from None


def _questions(values: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield (context, question) of all paragraphs, and tasks of Label Studio, inside these values."""
    waiting = list(values)[::-1]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value[::-1]
        elif isinstance(value, Mapping) and isinstance(value.get("annotations"), list):
            yield _annotated(value)
        elif isinstance(value, Mapping) and isinstance(value.get("qas"), list):
            yield from ((value.get("context"), question) for question in value["qas"])
        elif isinstance(value, Mapping):
            waiting += [v for v in value.values() if isinstance(v, list)][::-1]


def _annotated(task: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return context and question of a task of Label Studio, as SQuAD has them; cancelled annotations do not count."""
    shown = task.get("data")
    shown = shown if isinstance(shown, Mapping) else {}
    done = [a for a in task["annotations"] if isinstance(a, Mapping) and not a.get("was_cancelled")]
    values = [r.get("value") for a in done for r in a.get("result") or () if isinstance(r, Mapping)]
    answers = [
        {"text": value.get("text"), "answer_start": value.get("start")}
        for value in values
        if isinstance(value, Mapping) and "start" in value
    ]
    found = {"id": task.get("id"), "question": shown.get("question"), "answers": answers}
    return shown.get("text", shown.get("context")), found


def _answers(question: Mapping[str, Any]) -> dict[str, list[Any]] | None:
    """Return the answers of a question as SQuAD's columns have them; None: they cannot be parsed.

    MRQA names them `detected_answers`, with `char_spans`.
    """
    given = question.get("detected_answers", question.get("answers"))
    answers = [] if given is None or question.get("is_impossible") is True else given
    if not isinstance(answers, list) or not all(
        isinstance(a, Mapping) and isinstance(a.get("text"), str) for a in answers
    ):
        return None
    texts, starts = [], []
    for answer in answers:
        spans = answer.get("char_spans")
        start = spans[0][0] if isinstance(spans, list) and spans else answer.get("answer_start")
        texts.append(answer["text"])
        starts.append(start if isinstance(start, int) and not isinstance(start, bool) else None)
    return {"text": texts, "answer_start": starts}
