"""Chat templates: rendering, and which tokens are the assistant's."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.training import chat_template_families, chat_templates, language_models
from autotrain_gradio.training.chat_templates import choose_template, end_tokens, tokenize_conversation

CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi there"},
    {"role": "assistant", "content": "Hello!"},
    {"role": "user", "content": "And?"},
    {"role": "assistant", "content": "Fine."},
]
UNMARKED = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return language_models.tiny_chat_tokenizer([m["content"] for m in CHAT] * 4)


def trained_text(tokenizer: Any, row: Any) -> str:
    return str(tokenizer.decode(row.ids[row.trained]))


@pytest.mark.parametrize("family", ["auto", "chatml", "zephyr", "none"])
def test_only_answers_and_their_ends_are_trained(tokenizer: Any, family: str) -> None:
    template = choose_template(tokenizer, family)
    row = tokenize_conversation(tokenizer, template, CHAT, assistant_only=True)
    assert trained_text(tokenizer, row) == "Hello!<|im_end|>Fine.<|im_end|>"
    assert end_tokens(tokenizer, row) == {tokenizer.eos_token_id}
    every = tokenize_conversation(tokenizer, template, CHAT, assistant_only=False)
    assert every.trained.all() and np.array_equal(every.ids, row.ids)


def test_a_template_without_markers_gives_the_same_tokens(tokenizer: Any) -> None:
    marked = choose_template(tokenizer, "chatml")
    plain = dataclasses.replace(marked, training=UNMARKED, saved=UNMARKED, marked=False)
    one, other = (tokenize_conversation(tokenizer, t, CHAT, assistant_only=True) for t in (marked, plain))
    assert np.array_equal(one.ids, other.ids) and np.array_equal(one.trained, other.trained)


def test_a_template_that_shortens_earlier_answers(tokenizer: Any) -> None:
    # As templates of reasoning models: what is said while thinking is kept in the last answer only.
    text = UNMARKED.replace("m['content'] +", "(m['content'] if loop.last else m['content'].split('</think>')[-1]) +")
    template = chat_templates.ChatTemplate(text, text, False)
    chat = [CHAT[1], {"role": "assistant", "content": "Hm</think>Hello!"}, CHAT[3], CHAT[4]]
    with pytest.raises(UserError, match="cannot be found") as failure:
        tokenize_conversation(tokenizer, template, chat, assistant_only=True)
    assert failure.value.findings[0].code == "template-no-mask"


def test_a_template_that_refuses_a_conversation(tokenizer: Any) -> None:
    text = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    template = chat_templates.ChatTemplate(text, text, False)
    with pytest.raises(UserError, match="System role not supported") as failure:
        tokenize_conversation(tokenizer, template, CHAT, assistant_only=True)
    assert failure.value.findings[0].code == "template-failed"


def test_a_model_without_a_template(tokenizer: Any) -> None:
    bare = language_models.tiny_chat_tokenizer(["Hello"])
    bare.chat_template = None
    assert choose_template(bare, "auto").saved == chat_template_families.CHATML
    assert "chatml is used" in choose_template(bare, "auto").note
    with pytest.raises(UserError, match="has no chat template"):
        choose_template(bare, "tokenizer")


CALL = {"type": "function", "function": {"name": "weather", "arguments": {"city": "Zürich"}}}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "The weather.", "parameters": {}}}]
WITH_TOOLS = [
    {"role": "user", "content": "Weather?"},
    {"role": "assistant", "content": "", "reasoning_content": "Look it up.", "tool_calls": [CALL, CALL]},
    {"role": "tool", "content": "Sun"},
    {"role": "assistant", "content": "Sunny."},
]


@pytest.mark.parametrize("family", ["chatml", "zephyr", "none"])
@pytest.mark.parametrize("system", [True, False])
def test_tools_calls_and_reasoning_are_rendered(tokenizer: Any, family: str, system: bool) -> None:
    messages = [*CHAT[:1], *WITH_TOOLS] if system else WITH_TOOLS
    row = tokenize_conversation(tokenizer, choose_template(tokenizer, family), messages, TOOLS, assistant_only=True)
    call = '<tool_call>\n{"name": "weather", "arguments": {"city": "Zürich"}}\n</tool_call>'
    answers = f"<think>\nLook it up.\n</think>\n\n{call}\n{call}<|im_end|>Sunny.<|im_end|>"
    assert trained_text(tokenizer, row) == answers
    text = tokenizer.decode(row.ids)
    assert text.count('"description": "The weather."') == 1 and "Sun" in text
    assert text.count("system\n") == (0 if family == "none" else 1) or text.count("<|system|>") == 1
    assert ("Be brief.\n\n# Tools" in text) is system


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{% for m in messages %}{{ m['content'] }", r"unexpected '}' \(line 1 of the template\)"),
        ("{{ messages.__class__.__mro__ }}" + UNMARKED, "access to attribute '__class__' of 'list' object is unsafe"),
        ("{% for i in range(999999) %}{% endfor %}" + UNMARKED, "Range too big"),
        ("{{ 1 // 0 }}" + UNMARKED, "division or modulo by zero"),
        ("{{ messages[0]['content'] }}", "does not render the texts of the messages"),
    ],
)
def test_a_template_that_cannot_be_used_is_an_error(tokenizer: Any, text: str, reason: str) -> None:
    broken = language_models.tiny_chat_tokenizer(["Hello"])
    broken.chat_template = text
    with pytest.raises(UserError, match=reason) as failure:
        choose_template(broken, "auto")
    assert failure.value.findings[0].code == "chat-template-broken"
    assert choose_template(broken, "chatml").saved == chat_template_families.CHATML
