"""Generated tokens as text, part by part."""

from __future__ import annotations

from typing import Any

import pytest

from autotrain_gradio.training.language_models import tiny_chat_tokenizer
from autotrain_gradio.training.text_stream import TextStream


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return tiny_chat_tokenizer(["At red you stop.", "At green you go."])


def parts_of(tokenizer: Any, text: str, stop: tuple[str, ...] = ()) -> list[str]:
    stream = TextStream(tokenizer, stop)
    ids = tokenizer(text)["input_ids"]
    return [part for part in [*map(stream.add, ids), stream.finish()] if part]


TEXTS = [
    "At red you stop.",
    "  two\n\n  lines\tand  spaces \n",
    "Zoë 日本語 👩\u200d👩\u200d👧 ğ",
    "unknown: ♞♘",
    "   ",
]
STOPS: list[tuple[tuple[str, ...], str]] = [
    (("you",), "At red"),
    (("red you",), "At"),
    (("st", "red"), "At"),
    (("stop.\n",), "At red you stop."),
    (("",), "At red you stop."),
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_parts_joined_are_the_text_without_white_space_around(tokenizer: Any, text: str) -> None:
    parts = parts_of(tokenizer, text)
    assert "".join(parts) == text.strip()
    assert not any("�" in part for part in parts)
    assert len(parts) > 1 or not text.strip()


def test_a_character_of_several_tokens_arrives_whole(tokenizer: Any) -> None:
    assert len(tokenizer("日")["input_ids"]) > 1
    assert parts_of(tokenizer, "日本") == ["日", "本"]


def test_bytes_that_are_no_character_are_shown_at_the_end(tokenizer: Any) -> None:
    stream = TextStream(tokenizer)
    assert stream.add(tokenizer("日")["input_ids"][0]) == ""
    assert stream.finish() == "�"


@pytest.mark.parametrize(("stop", "expected"), STOPS)
def test_a_stop_sequence_ends_the_text(tokenizer: Any, stop: tuple[str, ...], expected: str) -> None:
    assert "".join(parts_of(tokenizer, "At red you stop.", stop)) == expected


def test_the_beginning_of_a_stop_sequence_is_held_until_it_is_certain(tokenizer: Any) -> None:
    parts = parts_of(tokenizer, "a b c a b d", ("b d",))
    assert "".join(parts) == "a b c a"
    stream = TextStream(tokenizer, ("b d",))
    shown = [stream.add(i) for i in tokenizer("a b d e")["input_ids"]]
    assert stream.stopped and "b" not in "".join(shown) and stream.finish() == ""
