"""Cells that are answers: SQuAD's `{text, answer_start}` as objects, lists or text, or the answer's text alone."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from datasets import List, Value

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.kinds import charts
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Context, Guess, Rows, show_cell
from autotrain_gradio.data.values.arrow_columns import as_text, is_list, is_text

FEATURE = {"text": List(Value("string")), "answer_start": List(Value("int64"))}
"""The feature of the column; an offset that is not known is -1."""
TEXTS = ("text", "texts", "answer", "answers", "span", "value")
STARTS = ("answer_start", "answer_starts", "start", "starts", "start_char", "answer_start_index", "offset")
Answer = tuple[str, int | None]
"""Text and offset (None: unknown)."""
NUMPY = re.compile(r"\barray\(\s*(\[.*?\])\s*(?:,\s*dtype=[^)]*?)?\)", re.DOTALL)
"""An array as numpy and pandas write it into a CSV cell."""
EDGES = (1, 2, 3, 4, 6, 11, 21, 31)
LABELS = ("1", "2", "3", "4 to 5", "6 to 10", "11 to 20", "21 to 30")


def guess(columns: dict[str, pa.ChunkedArray], role: Column, request: Request) -> Guess | None:
    """Return the only column of objects or lists with texts and offsets, or of text that is written so."""
    found = [n for n, c in columns.items() if _structured(c)]
    return Guess(found) if len(found) == 1 else None


def _structured(column: pa.ChunkedArray) -> bool:
    type_ = column.type.value_type if is_list(column.type) else column.type
    if pa.types.is_struct(type_):
        return any(type_.get_field_index(name) >= 0 for name in STARTS)
    texts = [v for v in column.slice(0, 20).to_pylist() if v] if is_text(column.type) else []
    return bool(texts) and all(re.match(r"\s*[\[{].*['\"]text['\"]\s*:", v, re.DOTALL) for v in texts)


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Parse the answers of each row; a row may have several, or none: a question without an answer.

    Where they are in the context is found later, by the check `answer-positions`, which knows both.
    """
    nested = pa.types.is_nested(cells.type)
    values: list[dict[str, list[Any]] | None] = []
    unreadable: list[int] = []
    for row, cell in enumerate((cells if nested else as_text(cells, context.names)).to_pylist()):
        answers = parse(cell)
        if answers is None:
            unreadable.append(row)
        values.append(as_value(answers or ()))
    bad = np.array([row for row in unreadable if context.needed[row]], dtype=np.int64)
    result = Cells(values, {"answers-unreadable": bad}, feature=FEATURE)
    result.facts["structured"] = nested
    result.findings = context.skipped(
        "answers-unreadable",
        "{n} {has} answers that cannot be parsed",
        bad,
        'Write the answer\'s text alone, or {"text": ["…"], "answer_start": [12]} with as many offsets as texts.',
        show_cell(cells),
    )
    return result


def as_value(answers: Sequence[Answer]) -> dict[str, list[Any]]:
    """Return answers as a value of `FEATURE`."""
    return {"text": [t for t, _ in answers], "answer_start": [-1 if s is None else s for _, s in answers]}


def answers_of(value: Mapping[str, Sequence[Any]]) -> list[Answer]:
    """Return the answers of a value of `FEATURE`."""
    pairs = zip(value["text"], value["answer_start"], strict=True)
    return [(text, None if start < 0 else start) for text, start in pairs]


def parse(cell: Any) -> list[Answer] | None:
    """Return the answers of a cell, without empty ones; None: it cannot be parsed."""
    if isinstance(cell, str):
        written = literal(cell)
        if written is None and re.match(r"\s*[\[{].*['\"](text|answer_start)['\"]\s*:", cell, re.DOTALL):
            return None
        cell = cell if written is None else written
    found = _answers(cell)
    return None if found is None else [(text, start) for text, start in found if text.strip()]


def literal(text: str) -> Any:
    """Return the list or object that a text writes as JSON, Python or numpy do; None: it is another text."""
    text = text.strip()
    if not (text.startswith(("{", "[")) and text.endswith(("}", "]"))):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass  # Python writes single quotes
    bare = NUMPY.sub(r"\1", text)
    try:
        return ast.literal_eval(bare)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _answers(value: Any) -> list[Answer] | None:
    """Return the answers in a value of any accepted form; None: it has another form."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return []
    if isinstance(value, str):
        return [(value, None)]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [(str(value), None)]
    if isinstance(value, list | tuple):
        parts = [_answers(part) for part in value]
        return None if any(part is None for part in parts) else [a for part in parts for a in part or ()]
    if not isinstance(value, Mapping):
        return None
    return _answers_of_object(value)


def _answers_of_object(value: Mapping[str, Any]) -> list[Answer] | None:
    """Return the answers of an object: texts and offsets, one each or lists of the same length."""
    names = {str(name).lower(): name for name in value}
    texts = next((value[names[n]] for n in TEXTS if n in names), None)
    starts = next((value[names[n]] for n in STARTS if n in names), None)
    if texts is None:
        return [] if any(n in names for n in TEXTS) or not value else None
    if isinstance(texts, str | int | float):
        texts, starts = [texts], [starts[0] if isinstance(starts, list) and len(starts) == 1 else starts]
    if not isinstance(texts, list) or any(isinstance(t, list | dict) for t in texts):
        return None
    starts = [None] * len(texts) if starts is None or starts == [] else starts
    starts = starts if isinstance(starts, list) else [starts]
    if len(starts) != len(texts):
        return None
    offsets = [offset(start) for start in starts]
    return [("" if t is None else str(t), s) for t, s in zip(texts, offsets, strict=True)]


def offset(value: Any) -> int | None:
    """Return an offset; None if it is missing, negative or not a whole number."""
    try:
        number = float(str(value).strip())
    except ValueError:
        return None
    return int(number) if number.is_integer() and number >= 0 else None


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Count the questions with and without an answer, and draw how many words the answers have."""
    values = rows.cells[role].values
    words: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    for split, title in (("train", "training"), ("validation", "validation")):
        used = rows.indices(split).tolist()
        if not used:
            continue
        lengths = [len(t.split()) for i in used for t in values[i]["text"][:1]]
        facts[f"{title} questions"] = len(used)
        facts[f"{title} questions without an answer"] = len(used) - len(lengths)
        words[split] = np.array(lengths, dtype=np.float64)
    found = [panels.numbers("Questions", facts, id="questions")]
    if sum(map(len, words.values())):
        edges, labels = [*EDGES, np.inf], [*LABELS, "31 and more"]
        found.append(charts.histogram("Words in an answer", words, edges, labels, unit="answers"))
    return found
