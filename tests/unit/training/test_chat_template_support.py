"""What chat templates support, found by rendering short conversations."""

from __future__ import annotations

from typing import Any

import pytest

from autotrain_gradio.training import language_models
from autotrain_gradio.training.chat_template_support import dropped_message, inspect_template
from autotrain_gradio.training.chat_templates import ChatTemplate, choose_template, user

PLAIN = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('No system role') }}{% endif %}" + PLAIN
ALTERNATE = (
    "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate') }}{% endif %}{% endfor %}" + PLAIN
)
NO_TOOLS = "{% if tools %}{{ raise_exception('No tools') }}{% endif %}" + PLAIN
UNKNOWN_DROPPED = ("tool definitions", "tool calls", "reasoning_content", "thinking")


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return language_models.tiny_chat_tokenizer(["Hello"])


@pytest.mark.parametrize("family", ["chatml", "zephyr", "none"])
def test_the_own_templates_support_everything(tokenizer: Any, family: str) -> None:
    support = inspect_template(tokenizer, choose_template(tokenizer, family))
    assert not support.refused and not support.dropped and not support.findings()


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        (PLAIN, {}),
        (NO_SYSTEM, {"system messages": "No system role"}),
        (ALTERNATE, {"system messages": "Roles must alternate", "turns that do not alternate": "Roles must alternate"}),
        (NO_TOOLS, {"tool definitions": "No tools"}),
    ],
)
def test_what_a_template_refuses_and_leaves_out(tokenizer: Any, text: str, refused: dict[str, str]) -> None:
    support = inspect_template(tokenizer, ChatTemplate(text, text, False))
    assert {part: support.refused.get(part) for part in refused} == refused
    assert bool(support.refused) is bool(refused)
    if text == PLAIN:
        assert support.dropped == UNKNOWN_DROPPED
    findings = {f.code: f.message for f in support.findings()}
    assert all(part in findings["template-refuses"] for part in refused)
    assert "reasoning_content" in findings["template-drops"]


def test_rows_whose_parts_are_left_out_are_counted(tokenizer: Any) -> None:
    support = inspect_template(tokenizer, ChatTemplate(PLAIN, PLAIN, False))
    call = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}
    result = {"role": "tool", "content": "1"}
    rows: list[Any] = [([user("a"), call, result], [{}]), ([user("a"), call], None), ([user("a")], None)]
    counts = support.count_dropped(rows)
    assert counts == {"tool calls": 2, "tool definitions": 1}
    assert dropped_message(counts, "row") == (
        "The chat template leaves out tool calls of 2 rows, tool definitions of 1 row."
    )


def test_a_second_bos_token_is_found(tokenizer: Any) -> None:
    double = language_models.tiny_chat_tokenizer(["Hello"])
    double.bos_token = "<|im_start|>"
    text = "{{ bos_token }}" + PLAIN
    assert [f.code for f in inspect_template(double, ChatTemplate(text, text, False)).bos_findings()] == ["double-bos"]
    assert not inspect_template(double, ChatTemplate(PLAIN, PLAIN, False)).double_bos
