"""Aligned words, and characters as a reader sees them."""

from __future__ import annotations

import jiwer
import pytest

from autotrain_gradio.core.text_alignment import characters, clusters, words


@pytest.mark.parametrize(
    "reference, prediction",
    [
        ("the cat sat on the mat", "a cat sit on mat"),
        ("one two three", "one two three"),
        ("a b", "x a y b z"),
        ("गाँव में पानी", "गाव पानी है"),
    ],
)
def test_the_alignment_is_that_of_the_word_error_rate(reference: str, prediction: str) -> None:
    parts = words(reference, prediction)
    known = jiwer.process_words(reference, prediction)
    edits = sum(max(len(p[1].split()), len(p[2].split())) for p in parts if p[0] != "same")
    assert edits == known.substitutions + known.deletions + known.insertions
    assert " ".join(p[1] for p in parts if p[1]) == reference and " ".join(p[2] for p in parts if p[2]) == prediction


def test_similar_words_are_substitutions_and_others_deletions_or_insertions() -> None:
    assert words("on the mat", "on mat today") == [
        ["same", "on", "on"],
        ["missing", "the", ""],
        ["same", "mat", "mat"],
        ["extra", "", "today"],
    ]
    assert words("one two three", "one tow four three")[1:3] == [["swap", "two", "tow"], ["extra", "", "four"]]
    assert words("a " * 600, "b " * 600)[0] == ["swap", "a", "b"]


def test_alignment_with_an_empty_text() -> None:
    assert words("", "") == []
    assert words("a b", "") == [["missing", "a b", ""]]
    assert words("", "a b") == [["extra", "", "a b"]]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("abc", ["a", "b", "c"]),
        ("nʲo", ["n", "ʲ", "o"]),
        ("e\u0301a", ["e\u0301", "a"]),
        ("नमस्ते", ["न", "म", "स्ते"]),
        ("क्\u200dष", ["क्\u200dष"]),
        ("हूँ", ["हूँ"]),
        ("ã̱x", ["ã̱", "x"]),
        ("سَلام", ["سَ", "ل", "ا", "م"]),
    ],
)
def test_combining_marks_stay_with_their_letters(text: str, expected: list[str]) -> None:
    assert clusters(text) == expected
    assert "".join(clusters(text)) == text


def test_words_that_differ_are_compared_by_character() -> None:
    assert characters("पानी", "पाना") == [["same", "पा", "पा"], ["swap", "नी", "ना"]]
    assert characters("cats", "cat") == [["same", "cat", "cat"], ["missing", "s", ""]]
    assert characters("cat", "dog") == [["swap", "cat", "dog"]]
