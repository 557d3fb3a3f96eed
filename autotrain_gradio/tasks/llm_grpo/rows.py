"""Prompts as the trainer and the evaluation take them, for the training and the preview alike."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autotrain_gradio.data.kinds.conversation_messages import ASSISTANT, Message, messages_of, stored
from autotrain_gradio.tasks.llm_grpo.rewards import Batch
from autotrain_gradio.training.chat_templates import (
    ChatTemplate,
    TemplateFailure,
    end_tokens,
    prompt_ids,
    tokenize_conversation,
)

PREDICTED = "conversation"
"""Name of the input of a prediction, and of the column with the prompts."""
ANSWER, ADDITIONAL = "completion", "additional:"
"""Column of the reference answers, and beginning of the names of additional columns."""


@dataclass(frozen=True)
class Prompt:
    """A prompt. row: its number in the split. ids: its tokens. answer: the reference; None: there is none."""

    row: int
    messages: list[Message]
    ids: list[int]
    answer: str | None
    extra: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The last message, as it is shown."""
        return self.messages[-1]["content"]


@dataclass
class Prompts:
    """The prompts of a split.

    longer: lengths of those above the maximum, which are dropped. failed: row → why it cannot be rendered.
    """

    limit: int
    kept: list[Prompt] = field(default_factory=list)
    longer: list[int] = field(default_factory=list)
    failed: dict[int, TemplateFailure] = field(default_factory=dict)


def load_prompts(tokenizer: Any, template: ChatTemplate, rows: Iterable[Mapping[str, Any]], limit: int) -> Prompts:
    """Return the prompts of the rows of at most `limit` tokens."""
    found = Prompts(limit)
    for number, row in enumerate(rows):
        messages = messages_of(row[PREDICTED])
        try:
            ids = prompt_ids(tokenizer, template.saved, messages, None)
        except TemplateFailure as error:
            found.failed[number] = error
            continue
        if len(ids) > limit:
            found.longer.append(len(ids))
            continue
        extra = {name.removeprefix(ADDITIONAL): value for name, value in row.items() if name.startswith(ADDITIONAL)}
        found.kept.append(Prompt(number, messages, ids, row.get(ANSWER) or None, extra))
    return found


def batch_of(prompts: Sequence[Prompt], completions: Sequence[str]) -> Batch:
    """Return completions of prompts as a batch for the reward functions."""
    names = dict.fromkeys(name for prompt in prompts for name in prompt.extra)
    extra = {name: [prompt.extra.get(name) for prompt in prompts] for name in names}
    return Batch([p.messages for p in prompts], completions, [p.answer for p in prompts], extra)


def as_dataset(prompts: Sequence[Prompt]) -> Any:
    """Return prompts as TRL takes them: `prompt` (messages), `answer` and `extra`, decoded when a row is read.

    Arrow would give each message the keys of all others, which chat templates take for values.
    """
    from datasets import Dataset

    columns = {
        "prompt": [stored(p.messages) for p in prompts],
        "answer": [json.dumps(p.answer) for p in prompts],
        "extra": [json.dumps(dict(p.extra), default=str) for p in prompts],
    }
    return Dataset.from_dict(columns).with_transform(
        lambda batch: {name: [json.loads(cell) for cell in cells] for name, cells in batch.items()}
    )


def texts_of(rows: Any) -> Iterator[str]:
    """Yield the texts of the rows, without roles, for the tokenizer of the tiny model."""
    for cell in rows[PREDICTED]:
        for message in messages_of(cell):
            yield f"{message['role']}\n"
            yield message["content"] or ""
    if ANSWER in rows.features:
        yield f"{ASSISTANT}\n"
        yield from (answer for answer in rows[ANSWER] if answer)


def ends_of_answers(tokenizer: Any, template: ChatTemplate, prompts: Iterable[Prompt]) -> set[int]:
    """Return the special tokens with which the template ends an answer to the prompts."""
    ends: set[int] = set()
    for prompt in prompts:
        messages = [*prompt.messages, Message(role=ASSISTANT, content=prompt.answer or "answer")]
        try:
            row = tokenize_conversation(tokenizer, template, messages, assistant_only=True)
        except TemplateFailure:
            continue  # the EOS token ends answers anyway
        ends |= end_tokens(tokenizer, row)
    return ends
