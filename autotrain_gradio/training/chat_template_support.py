"""What a chat template supports: it is tried on short conversations, because templates drop what they do not know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training.chat_templates import WHERE, ChatTemplate, TemplateFailure, choose_template, render, user

Messages = Sequence[Mapping[str, Any]]
Tools = Sequence[Mapping[str, Any]] | None
Conversation = tuple[Messages, Tools]

MARK = "zmarkz"
"""Content that no template has."""
SYSTEM, TURNS = "system messages", "turns that do not alternate"
DEFINITIONS, CALLS, RESULTS = "tool definitions", "tool calls", "tool results"
REASONING_KEYS = ("reasoning_content", "thinking")
"""Keys of a message whose value is the reasoning before an answer."""
CHATML_INSTEAD = "Set chat_template to chatml, which renders them."
"""What to do if rows have parts that the template leaves out."""


@dataclass(frozen=True)
class TemplateSupport:
    """What a template does with parts of conversations that not every template supports.

    refused: part → reason of the template. dropped: parts that are not in the rendered text. double_bos: it begins with
    two BOS tokens.
    """

    refused: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    double_bos: bool = False

    def findings(self) -> list[Finding]:
        """Return what the template does not support, before the data is known."""
        found = []
        if self.refused:
            shown = ", ".join(f"{part} ({reason})" for part, reason in self.refused.items())
            message = f"The chat template refuses: {shown}. Rows that have them are skipped; the preview counts them."
            hint = "Set chat_template to chatml, which supports them, if your data has them."
            found.append(Finding("info", "template-refuses", message, hint, WHERE))
        if self.dropped:
            message = f"The chat template leaves out: {', '.join(self.dropped)}. The model would not see them."
            hint = "Set chat_template to chatml, which renders them, if your data has them."
            found.append(Finding("info", "template-drops", message, hint, WHERE))
        return [*found, *self.bos_findings()]

    def bos_findings(self) -> list[Finding]:
        """Return whether rendered conversations begin with two BOS tokens."""
        if not self.double_bos:
            return []
        message = "Conversations begin with two BOS tokens: the chat template adds one too many."
        hint = "Correct the template in the tokenizer of the model, or set chat_template to chatml."
        return [Finding("warning", "double-bos", message, hint, WHERE)]

    def count_dropped(self, rows: Iterable[Conversation]) -> Counter[str]:
        """Return part → number of rows that have it although the template leaves it out."""
        counts: Counter[str] = Counter()
        if self.dropped:
            for messages, tools in rows:
                counts.update(parts_of(messages, tools) & set(self.dropped))
        return counts


def use_template(
    run: Reporter, tokenizer: Any, conversations: Iterable[Conversation], noun: str = "training row"
) -> ChatTemplate:
    """Choose the chat template of a run, and set it as that of the tokenizer, with which it is saved.

    Reports what the template leaves out, and whether it adds a second BOS token. conversations: of the training rows.
    noun: name of such a row.

    Raises:
        UserError: the template cannot be used.
    """
    template = choose_template(tokenizer, run.params.chat_template)
    tokenizer.chat_template = template.saved
    if template.note:
        run.note(template.note)
    support = inspect_template(tokenizer, template)
    if counts := support.count_dropped(conversations):
        run.note(dropped_message(counts, noun), level="warning", hint=CHATML_INSTEAD)
    for finding in support.bos_findings():
        run.note(finding.message, level="warning", hint=finding.hint)
    return template


def dropped_note(tokenizer: Any, template: ChatTemplate, conversations: Iterable[Conversation]) -> str:
    """Return how many rows a template leaves parts out of, for the preview; empty without any."""
    return dropped_message(inspect_template(tokenizer, template).count_dropped(conversations), "row")


def dropped_message(counts: Mapping[str, int], noun: str) -> str:
    """Return how many rows the template leaves parts out of; empty without any. noun: name of a row."""
    shown = join_examples([f"{part} of {pluralize(n, noun)}" for part, n in sorted(counts.items())])
    return f"The chat template leaves out {shown}." if counts else ""


def parts_of(messages: Messages, tools: Tools) -> set[str]:
    """Return which parts a conversation has that templates may leave out."""
    found = {DEFINITIONS} if tools else set()
    for message in messages:
        found |= {SYSTEM} if message["role"] == "system" else {RESULTS} if message["role"] == "tool" else set()
        found |= {CALLS} if message.get("tool_calls") else set()
        found |= {key for key in REASONING_KEYS if message.get(key)}
    return found


def inspect_template(tokenizer: Any, template: ChatTemplate) -> TemplateSupport:
    """Render short conversations, and return what the template does with them. It renders a question and its answer."""
    refused: dict[str, str] = {}
    dropped: list[str] = []
    for part, (messages, tools, sought) in _conversations().items():
        try:
            text = render(tokenizer, template.training, messages, tools)
        except TemplateFailure as failure:
            refused[part] = failure.reason
            continue
        if sought and MARK not in text:
            dropped.append(part)
    text = render(tokenizer, template.training, [user("Hi"), _answer("Hello")])
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    begin = tokenizer.bos_token_id
    return TemplateSupport(refused, tuple(dropped), begin is not None and ids[:2] == [begin, begin])


def _answer(content: str, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **more}


def _tool(name: str) -> dict[str, Any]:
    properties = {"city": {"type": "string", "description": "Name of a city."}}
    parameters = {"type": "object", "properties": properties, "required": ["city"]}
    return {"type": "function", "function": {"name": name, "description": "Weather.", "parameters": parameters}}


def _conversations() -> dict[str, tuple[Messages, Tools, bool]]:
    """Return part → a conversation that has it, its tools, and whether `MARK` must be in the rendered text."""
    asked, answered = user("Hi"), _answer("Hello")
    function = {"name": MARK, "arguments": {"city": "Bern"}}
    call = _answer("", tool_calls=[{"id": "call00001", "type": "function", "function": function}])
    other = {**call, "tool_calls": [{**call["tool_calls"][0], "function": {**function, "name": "weather"}}]}
    result = {"role": "tool", "content": MARK, "name": "weather", "tool_call_id": "call00001"}
    return {
        SYSTEM: ([{"role": "system", "content": MARK}, asked, answered], None, True),
        TURNS: ([asked, asked, answered], None, False),
        DEFINITIONS: ([asked, answered], [_tool(MARK)], True),
        CALLS: ([asked, call, {**result, "content": "Sun"}, answered], None, True),
        RESULTS: ([asked, other, result, answered], None, True),
        **{key: ([asked, _answer("Hello", **{key: MARK})], None, True) for key in REASONING_KEYS},
    }
