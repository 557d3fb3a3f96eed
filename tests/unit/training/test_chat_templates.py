"""Chat templates: rendering, and which tokens are the assistant's."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.training import chat_templates, language_models
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
    assert choose_template(bare, "auto").saved == chat_templates.CHATML
    assert "chatml is used" in choose_template(bare, "auto").note
    with pytest.raises(UserError, match="has no chat template"):
        choose_template(bare, "tokenizer")
