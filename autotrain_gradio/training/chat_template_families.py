"""Chat templates that do not belong to a model. They render system prompts, any order of turns, tools and reasoning.

Tools are written as Qwen 2.5 and Hermes write them: signatures in the system message within `<tools>`, calls of the
assistant within `<tool_call>`. Reasoning precedes the answer within `<think>`, as Qwen 3 writes it.
"""

from __future__ import annotations

END = "<|im_end|>"
_DEFINITIONS = (
    "{% if tools %}{% set definitions %}{{ '# Tools\n\nYou may call one or more functions to assist with the user "
    "query.\n\nYou are provided with function signatures within <tools></tools> XML tags:\n<tools>' }}"
    "{% for tool in tools %}{{ '\n' }}{{ tool | tojson }}{% endfor %}"
    "{{ '\n</tools>\n\nFor each function call, return a json object with function name and arguments within "
    "<tool_call></tool_call> XML tags:\n<tool_call>\n"
    '{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>\' }}{% endset %}{% endif %}'
)
"""Sets `definitions`: the text about the tools."""
_ANSWER = (
    "{% set reasoning = message['reasoning_content'] or message['thinking'] %}"
    "{% if reasoning %}{{ '<think>\n' + reasoning + '\n</think>\n\n' }}{% endif %}"
    "{{ message['content'] or '' }}"
    "{% for call in message['tool_calls'] or [] %}{% set function = call['function'] or call %}"
    "{% set arguments = function['arguments'] or {} %}"
    "{% if message['content'] or not loop.first %}{{ '\n' }}{% endif %}"
    "{{ '<tool_call>\n{\"name\": ' }}{{ function['name'] | tojson }}{{ ', \"arguments\": ' }}"
    "{{ arguments if arguments is string else arguments | tojson }}{{ '}\n</tool_call>' }}{% endfor %}"
)
"""Writes a message of the assistant: its reasoning, its text, its calls."""
_CONTENT = "{{ message['content'] or '' }}"
_FIRST_SYSTEM = "{% if tools and loop.first and message['role'] == 'system' %}{{ '\n\n' + definitions }}{% endif %}"
_NO_SYSTEM = "{% if tools and messages[0]['role'] != 'system' %}"
CHATML = (
    _DEFINITIONS
    + _NO_SYSTEM
    + "{{ '<|im_start|>system\n' + definitions + '<|im_end|>\n' }}{% endif %}"
    + "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    + "{% if message['role'] == 'assistant' %}{% generation %}"
    + _ANSWER
    + "{{ '<|im_end|>' }}{% if eos_token and eos_token != '<|im_end|>' %}{{ eos_token }}{% endif %}"
    + "{% endgeneration %}{{ '\n' }}"
    + "{% else %}"
    + _CONTENT
    + _FIRST_SYSTEM
    + "{{ '<|im_end|>\n' }}{% endif %}{% endfor %}"
    + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
ZEPHYR = (
    _DEFINITIONS
    + _NO_SYSTEM
    + "{{ '<|system|>\n' + definitions + eos_token + '\n' }}{% endif %}"
    + "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' }}"
    + "{% if message['role'] == 'assistant' %}{% generation %}"
    + _ANSWER
    + "{{ eos_token }}{% endgeneration %}{{ '\n' }}"
    + "{% else %}"
    + _CONTENT
    + _FIRST_SYSTEM
    + "{{ eos_token + '\n' }}{% endif %}{% endfor %}"
    + "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
NONE = (
    _DEFINITIONS
    + _NO_SYSTEM
    + "{{ definitions + '\n' }}{% endif %}"
    + "{% for message in messages %}{% if message['role'] == 'assistant' %}{% generation %}"
    + _ANSWER
    + "{{ eos_token }}{% endgeneration %}{% else %}"
    + _CONTENT
    + _FIRST_SYSTEM
    + "{{ '\n' }}{% endif %}{% endfor %}"
)
FAMILIES = {"chatml": CHATML, "zephyr": ZEPHYR, "none": NONE}
"""Name → template; `none`: the contents alone, one message per line."""
