"""Kinds of errors of predicted answers, and the question words by which the report groups."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autotrain_gradio.tasks.extractive_question_answering.squad_metrics import exact_match

RIGHT = "right"
KINDS = {
    RIGHT: "equals a true answer",
    "too long": "contains the true answer",
    "too short": "lies within the true answer",
    "overlapping": "overlaps the true answer",
    "wrong place": "lies elsewhere",
    "not answered": "'no answer', but there is one",
    "made up": "an answer, but there is none",
}
"""Name of a kind → what the predicted answer does."""
WORDS = ("what", "which", "who", "whom", "whose", "when", "where", "why", "how many", "how much", "how")
PATTERN = re.compile(r"\b(" + "|".join(WORDS) + r")\b", re.IGNORECASE)
OTHER = "other"


def error_kind(answer: str, span: tuple[int, int] | None, gold: Sequence[tuple[str, int]]) -> str:
    """Return the kind of a prediction. span: its characters; None: "no answer". gold: texts and offsets."""
    if exact_match(answer if span else "", [text for text, _ in gold]):
        return RIGHT
    if not gold:
        return "made up"
    if span is None:
        return "not answered"
    places = [(start, start + len(text)) for text, start in gold]
    if any(span[0] <= begin and end <= span[1] for begin, end in places):
        return "too long"
    if any(begin <= span[0] and span[1] <= end for begin, end in places):
        return "too short"
    return "overlapping" if any(begin < span[1] and span[0] < end for begin, end in places) else "wrong place"


def question_word(question: str) -> str:
    """Return the first English question word of a question, in lower case; `other` if there is none."""
    found = PATTERN.search(question)
    return found[1].lower() if found else OTHER
