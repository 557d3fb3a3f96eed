"""Formatting of counts, sizes and titles, and which values are numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autotrain_gradio.core.text_format import (
    GIB,
    count_with_verb,
    format_count,
    in_sentence,
    is_number,
    parse_bytes,
    truncate,
)


@pytest.mark.parametrize(
    ("number", "words", "text"),
    [
        (1, ("row", "has"), "1 row has"),
        (3000, ("row", "has"), "3,000 rows have"),
        (2, ("transcript", "is"), "2 transcripts are"),
        (0, ("row", "was"), "0 rows were"),
        (2, ("cell", "holds"), "2 cells hold"),
        (2, ("cell", "does"), "2 cells do"),
        (2, ("class", "looks", "classes"), "2 classes look"),
    ],
)
def test_nouns_and_verbs_agree_with_the_count(number: int, words: tuple[str, ...], text: str) -> None:
    assert count_with_verb(number, *words) == text


def test_a_truncated_text_has_no_more_than_the_given_characters() -> None:
    assert [truncate(text, 4) for text in ("", "abcd", "abcde")] == ["", "abcd", "abc…"]


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


@pytest.mark.parametrize(
    ("text", "size"),
    [("512", 512), ("1 B", 1), ("2GiB", 2 * GIB), ("500MB", 500e6), ("1.5 gib", 1.5 * GIB), ("3k", 3000), ("0", 0)],
)
def test_sizes_are_parsed(text: str, size: float) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "-1", "GB", "1e3", "2 apples", "1 iB"])
def test_a_text_that_is_no_size_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, True), (0.5, True), (np.float32(0.5), True), (np.int64(3), True)]
    + [(value, False) for value in (True, None, "1", math.nan, math.inf, np.float64("nan"), 10**400, [1])],
)
def test_numbers_are_finite_and_fit_into_a_float(value: object, expected: bool) -> None:
    assert is_number(value) is expected


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Balanced accuracy", "balanced accuracy"),
        ("Cross-validation score", "cross-validation score"),
        ("F1 (macro)", "F1 (macro)"),
        ("R²", "R²"),
        ("ROC AUC", "ROC AUC"),
        ("WER (not normalized)", "WER (not normalized)"),
        ("mAP", "mAP"),
        ("Hamming loss", "Hamming loss"),
        ("Cohen's kappa", "Cohen's kappa"),
        ("", ""),
        ("A text", "a text"),
    ],
)
def test_the_first_letter_of_a_title_is_lower_case_in_a_sentence(title: str, text: str) -> None:
    assert in_sentence(title) == text
