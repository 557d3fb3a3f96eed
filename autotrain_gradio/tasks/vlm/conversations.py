"""Rows as conversations about images: the messages of a chat template, and the images that they refer to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotrain_gradio.data.kinds.conversation_messages import messages_of
from autotrain_gradio.tasks.vlm.image_questions import PLACEHOLDER

Messages = list[dict[str, Any]]


@dataclass(frozen=True)
class ImageConversation:
    """A conversation with images.

    messages: as chat templates take them; the content of each is a list of parts: `{"type": "image"}` or
    `{"type": "text", "text": str}`. images: their cells, in the order of these parts. sizes: (width, height) of each
    in pixels.
    """

    messages: Messages
    images: Sequence[Mapping[str, Any]]
    sizes: Sequence[tuple[int, int]]

    @property
    def question(self) -> str:
        """The text of the last message before the answer."""
        return text_of(self.asked()[-1])

    @property
    def reference(self) -> str:
        """The text of the last answer."""
        return text_of(self.messages[-1])

    def asked(self) -> Messages:
        """Return the messages before the last answer."""
        return self.messages[:-1]


def conversation_of(row: Mapping[str, Any], instruction: str) -> ImageConversation:
    """Return a row as a conversation. instruction: of rows without a question: images with captions."""
    if "conversation" in row:
        messages = _about_one_image(messages_of(row["conversation"]))
    else:
        messages = [*prompt_messages(row.get("prompt") or instruction), _message("assistant", row["answer"])]
    return ImageConversation(messages, [row["image"]], [(int(row["image_width"]), int(row["image_height"]))])


def _about_one_image(written: Sequence[Mapping[str, Any]]) -> Messages:
    """Return messages with placeholders as messages with an image part, up to the last answer.

    Without a placeholder the image is put before the first question.
    """
    last = max(number for number, message in enumerate(written) if message["role"] == "assistant")
    kept = list(written)[: last + 1]
    first = next((n for n, m in enumerate(kept) if PLACEHOLDER in m["content"]), None)
    if first is None:
        first = next((n for n, m in enumerate(kept) if m["role"] == "user"), 0)
    return [
        {"role": m["role"], "content": prompt_messages(m["content"])[0]["content"]}
        if number == first
        else _message(m["role"], m["content"])
        for number, m in enumerate(kept)
    ]


def prompt_messages(prompt: str) -> Messages:
    """Return a question about one image as messages; the image comes first, or where the question refers to it."""
    before, found, after = prompt.partition(PLACEHOLDER)
    texts = [before, after] if found and before.strip() else ["", after if found else prompt]
    parts = [_text(texts[0]), {"type": "image"}, _text(texts[1].lstrip("\n") if found else texts[1])]
    return [{"role": "user", "content": [p for p in parts if p.get("text") != ""]}]


def text_of(message: Mapping[str, Any]) -> str:
    """Return the text of a message without its images."""
    return "".join(part["text"] for part in message["content"] if part["type"] == "text")


def texts_of(rows: Iterable[Mapping[str, Any]], instruction: str) -> Iterator[str]:
    """Yield the texts of the rows, for the tokenizer of the tiny model."""
    for row in rows:
        if "conversation" in row:
            yield from (f"{message['content']}\n" for message in messages_of(row["conversation"]))
            continue
        yield f"{row.get('prompt') or instruction}\n{row['answer']}"


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [_text(text)]}


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}
