"""Counts whose nouns and verbs agree."""

from __future__ import annotations

import pytest

from autotrain_gradio.core.text_format import count_with_verb, format_count


@pytest.mark.parametrize(
    ("number", "words", "text"),
    [
        (1, ("row", "has"), "1 row has"),
        (3000, ("row", "has"), "3,000 rows have"),
        (2, ("transcript", "is"), "2 transcripts are"),
        (0, ("row", "was"), "0 rows were"),
        (2, ("cell", "holds"), "2 cells hold"),
        (2, ("class", "looks", "classes"), "2 classes look"),
    ],
)
def test_nouns_and_verbs_agree_with_the_count(number: int, words: tuple[str, ...], text: str) -> None:
    assert count_with_verb(number, *words) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "1 part ends before or where it begins, and was skipped"),
        (2, "2 parts end before or where they begin, and were skipped"),
    ],
)
def test_words_of_a_template_agree_with_the_count(number: int, text: str) -> None:
    template = "{n} {ends} before or where {it} {begins}, and {was} skipped"
    assert format_count(template, number, "part") == text
