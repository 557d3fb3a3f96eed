"""The conversation behind the widget of a chat."""

from __future__ import annotations

import json

import pytest

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.inputs import Input
from autotrain_gradio.core.inputs.chat import Conversation, parse

DECLARED = Input("messages", "A message", "chat")
END = {"finish_reason": "stop", "prompt_tokens": 5, "completion_tokens": 4, "duration": 0.5}


def test_later_messages_have_the_earlier_turns_with_the_answers_of_their_model() -> None:
    chat = Conversation()
    first = chat.ask("red?", "Be short.", 0.5, 20, True)
    assert first is not None and first["messages"] == first["base_messages"] == [{"role": "user", "content": "red?"}]
    assert (first["system"], first["temperature"], first["max_tokens"], first["base"]) == ("Be short.", 0.5, 20, True)
    base_end = {f"base_{name}": value for name, value in END.items()}
    chat.add(["st", "op", END, {"base": "no "}, {"base": "idea"}, base_end | {"base_finish_reason": "length"}])
    assert chat.summary() == (
        "<p class='at-note'>Fine-tuned: 4 tokens, 8.0 per second. "
        "Base model: 4 tokens, 8.0 per second; ended at the maximum length.</p>"
    )
    second = chat.ask("green?", None, 0, 20, True)
    assert second is not None
    assert [m["content"] for m in second["messages"]] == ["red?", "stop", "green?"]
    assert [m["content"] for m in second["base_messages"]] == ["red?", "no idea", "green?"]
    chat.add(["go"])
    third = chat.ask("blue?", None, 0, 20, False)
    assert third is not None and "base" not in third
    assert [m["content"] for m in chat.shown(base=True)] == ["red?", "no idea", "green?"]


def test_what_is_written_is_escaped() -> None:
    chat = Conversation()
    chat.ask("<b>", "", 0, 9, True)
    chat.add(["<img src=x>", {"base": "a<script>"}])
    shown = [*chat.shown(), *chat.shown(base=True)]
    assert [m["content"] for m in shown] == ["&lt;b&gt;", "&lt;img src=x&gt;", "&lt;b&gt;", "a&lt;script&gt;"]


def test_a_running_call_shows_that_an_answer_follows() -> None:
    chat = Conversation()
    assert chat.ask("  ", "", 0, 9, False) is None and chat.shown() == []
    chat.ask("red?", "", 0, 9, False)
    assert chat.sent() and not chat.sent()
    assert [m["content"] for m in chat.shown(running=True)] == ["red?", "…"]
    assert [m["content"] for m in chat.shown()] == ["red?"]
    chat.add([END])
    assert chat.shown()[-1]["content"] == "(an empty answer)"


def test_a_turn_without_an_answer_is_not_part_of_the_next_prompt() -> None:
    chat = Conversation()
    chat.ask("red?", "", 0, 9, False)
    again = chat.ask("green?", "", 0, 9, False)
    assert again is not None and again["messages"] == [{"role": "user", "content": "green?"}]


def test_items_of_a_cleared_chat_are_not_shown() -> None:
    chat = Conversation()
    chat.ask("red?", "", 0, 9, False)
    chat.clear()
    chat.add(["stop", END])
    assert chat.shown(running=True) == [] and chat.summary() == ""


def test_arguments_of_the_command_line() -> None:
    messages = [{"role": "user", "content": "red?"}]
    assert parse("red?", DECLARED) == "red?" and parse(json.dumps(messages), DECLARED) == messages
    assert parse(messages, DECLARED) == messages
    for wrong, message in (("", "message is missing"), ("[{", "not JSON")):
        with pytest.raises(UserError, match=message):
            parse(wrong, DECLARED)
