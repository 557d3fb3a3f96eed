"""Kinds of errors, and question words."""

from __future__ import annotations

import pytest

from autotrain_gradio.tasks.extractive_question_answering.errors import error_kind, question_word

CONTEXT = "Ada Brown wrote it in Bern in 1902. Later Ada Brown left."


@pytest.mark.parametrize(
    ("answer", "gold", "kind"),
    [
        ("Ada Brown", [("Ada Brown", 0)], "right"),
        ("Later Ada Brown", [("Ada Brown", 42)], "too long"),
        ("Brown", [("Ada Brown", 0)], "too short"),
        ("Brown wrote", [("Ada Brown", 0)], "overlapping"),
        ("1902", [("Ada Brown", 0)], "wrong place"),
        (None, [("Ada Brown", 0)], "not answered"),
        ("1902", [], "made up"),
        (None, [], "right"),
        ("in 1902", [("Bern", 22), ("1902", 30)], "too long"),
    ],
)
def test_error_kinds(answer: str | None, gold: list[tuple[str, int]], kind: str) -> None:
    span = None if answer is None else (CONTEXT.index(answer), CONTEXT.index(answer) + len(answer))
    assert error_kind(answer or "", span, gold) == kind


@pytest.mark.parametrize(
    ("question", "word"),
    [("In which year?", "which"), ("How many people?", "how many"), ("how is it?", "how"), ("Wo ist es?", "other")],
)
def test_question_words(question: str, word: str) -> None:
    assert question_word(question) == word
