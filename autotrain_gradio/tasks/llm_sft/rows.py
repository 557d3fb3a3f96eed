"""Rows of a chat model as token ids, for the training and the preview alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from autotrain_gradio.data.kinds.conversation import messages_of
from autotrain_gradio.data.kinds.tools import tools_of
from autotrain_gradio.training.chat_templates import (
    ChatTemplate,
    TemplateFailure,
    TokenizedRow,
    tokenize_conversation,
)
from autotrain_gradio.training.token_rows import text_row

PREDICTED = "conversation"
"""Name of the input of a prediction."""


class RowTokenizer:
    """Tokenizes rows. template: None: the rows are texts that are already rendered."""

    def __init__(self, tokenizer: Any, template: ChatTemplate | None, *, assistant_only: bool) -> None:
        self._tokenizer, self._template, self._assistant_only = tokenizer, template, assistant_only

    def rows(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[TokenizedRow | TemplateFailure]:
        """Yield each row as token ids, or the reason why it cannot be rendered."""
        for row in rows:
            if self._template is None:
                yield text_row(self._tokenizer, str(row["text"]))
                continue
            try:
                yield self.conversation(messages_of(row["conversation"]), tools_of(row.get("tools")))
            except TemplateFailure as error:
                yield error

    def conversation(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] | None
    ) -> TokenizedRow:
        """Return a conversation as token ids.

        Raises:
            TemplateFailure: the template does not support it.
        """
        assert self._template is not None
        return tokenize_conversation(
            self._tokenizer, self._template, messages, tools, assistant_only=self._assistant_only
        )


def conversations_of(
    rows: Iterable[Mapping[str, Any]],
) -> Iterator[tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]] | None]]:
    """Yield the messages and the tools of each row."""
    for row in rows:
        yield messages_of(row["conversation"]), tools_of(row.get("tools"))


def texts_of(rows: Any) -> Iterator[str]:
    """Yield the texts of the rows, without roles, for the tokenizer of the tiny model."""
    if "text" in rows.features:
        yield from rows["text"]
        return
    for cell in rows["conversation"]:
        for message in messages_of(cell):
            yield f"{message['role']}\n"
            yield message["content"] or ""


def answered(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a conversation has a message of the assistant with content."""
    return any(m["role"] == "assistant" and m.get("content") for m in messages)
