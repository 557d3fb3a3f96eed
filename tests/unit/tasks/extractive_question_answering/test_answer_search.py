"""Answers are found in their contexts: at their offsets, near them, or spelled in another way."""

from __future__ import annotations

import random
import unicodedata

import pytest

from autotrain_gradio.tasks.extractive_question_answering.answer_search import Found, find_answer

CONTEXT = "In 1066 William won. In 10 years, by 1076, he had built 10 castles."


@pytest.mark.parametrize(
    ("text", "start", "found"),
    [
        ("1066", 3, Found("1066", 3, "there")),
        (" 1066 ", 2, Found("1066", 3, "there")),
        ("1066", 0, Found("1066", 3, "moved")),
        ("10", 3, Found("10", 3, "there")),  # its offset is right, though it is a part of a number
        ("10", 50, Found("10", 56, "moved", 2)),
        ("10", 20, Found("10", 24, "moved", 2)),  # the nearest whole number, not a part of 1066
        ("10", None, Found("10", 24, "found", 2)),
        ("william", None, Found("William", 8, "found", 1, True)),
        ("WILLIAM  won", 3, Found("William won", 8, "moved", 1, True)),
        ("107", None, Found("107", 37, "found")),  # only a part of a number
        ("Harold", 3, None),
        (" ", 3, None),
        ("1066", 500, Found("1066", 3, "moved")),
    ],
)
def test_an_answer_is_found(text: str, start: int | None, found: Found | None) -> None:
    assert find_answer(CONTEXT, text, start) == found


@pytest.mark.parametrize(
    ("context", "text", "same"),
    [
        ("He said “it’s a café” twice", '"it\'s a cafe\u0301"', "“it’s a café”"),
        ("a cafe\u0301 in town", "café", "cafe\u0301"),
        ("from 1914–1918 it", "1914-1918", "1914–1918"),
        ("the ﬁrst ofﬁce", "first office", "ﬁrst ofﬁce"),
        ("a\n  new\tline", "new line", "new\tline"),
        ("İstanbul'da bir köprü", "köprü", "köprü"),
        ("Die Straße am See", "STRASSE", "Straße"),
    ],
)
def test_another_spelling_is_that_of_the_context(context: str, text: str, same: str) -> None:
    found = find_answer(context, text, None)
    assert found is not None and context[found.start : found.start + len(found.text)] == found.text == same


def test_scripts_without_spaces_have_no_parts_of_words() -> None:
    context = "他在北京出生，后来离开北京去了上海。北京"
    assert find_answer(context, "北京", 3) == Found("北京", 2, "moved", 3)


@pytest.mark.parametrize(("codec", "size", "how"), [("utf-8", 1, "utf-8"), ("utf-16-le", 2, "utf-16")])
def test_offsets_in_other_units_are_converted(codec: str, size: int, how: str) -> None:
    context = "1 👩 and 1 👩‍🔧 and 1 北京 and 1"
    begin = context.rindex("1")
    offset = len(context[:begin].encode(codec)) // size
    assert find_answer(context, "1", offset) == Found("1", begin, how)


def test_offsets_hold_behind_emoji_and_combining_marks() -> None:
    rng = random.Random(0)
    signs = ["a", "b", "é", "e\u0301", "👩‍👧", "北", " ", "ß", "İ", "ﬁ", "़", "\u200f", "ي"]
    for _ in range(2000):
        context = "".join(rng.choices(signs, k=30))
        begin = rng.randrange(28)
        text = context[begin : begin + rng.randint(1, 5)]
        for form in ("NFC", "NFD", "NFKC"):
            found = find_answer(context, unicodedata.normalize(form, text).upper(), begin)
            if text.strip() and found is not None:
                assert context[found.start : found.start + len(found.text)] == found.text
        found = find_answer(context, text, begin)
        assert found is None or (found.how == "there" and found.text == text.strip())
        assert found is not None or not text.strip()
