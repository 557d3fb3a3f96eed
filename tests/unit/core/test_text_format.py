"""Counts whose nouns and verbs agree."""

from __future__ import annotations

import pytest

from autotrain_gradio.core.text_format import count_with_verb


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
