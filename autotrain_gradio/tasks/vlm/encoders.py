"""From conversations with images to the inputs of a model, by its processor.

The tokens of a row are known without decoding its images: a processor replaces the placeholder of an image by tokens
whose number depends on the size of the image alone, and reports by what (`text_replacement_offsets`).
"""

from __future__ import annotations

import bisect
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from PIL import Image

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.tasks.vlm.conversations import ImageConversation, Messages, text_of
from autotrain_gradio.training.chat_templates import TemplateFailure, TokenizedRow, assistant_spans, render

BLANK = (32, 32)
"""Size of the blank image by which a processor is asked for its placeholder."""
PLAIN = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{{ 'IMAGE' }}{% else %}{{ part['text'] }}{% endif %}{% endfor %}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n' }}{% endfor %}"
)
"""Chat template for processors that have none: the contents alone. IMAGE: the placeholder of the processor."""
PLAIN_NOTE = "The model has no chat template: a plain one is used, and saved with the model."
HINT = "Correct the row, or choose another model."


@dataclass(frozen=True)
class EncodedRow:
    """A row as the model receives it.

    tokens: ids, those of the images included, and which of them are trained. text: what the processor is given, with a
    placeholder for each image. answer: given apart from it (PaliGemma); None: it is part of the text.
    """

    tokens: TokenizedRow
    text: str
    answer: str | None = None


class Encoder(Protocol):
    """Makes the inputs of a model. processor: it is saved with the model. note: what was chosen, for the user."""

    processor: Any
    note: str

    def encode(self, conversation: ImageConversation) -> EncodedRow:
        """Return a row; its images are not decoded.

        Raises:
            TemplateFailure: the processor does not support the conversation.
        """

    def prompt(self, messages: Messages) -> str:
        """Return the text that the model continues with its answer.

        Raises:
            TemplateFailure: the processor does not support the conversation.
        """

    def batch(
        self,
        texts: Sequence[str],
        images: Sequence[Sequence[Image.Image]],
        answers: Sequence[str | None] = (),
        *,
        side: str = "right",
    ) -> dict[str, Any]:
        """Return the inputs of a batch as tensors, padded on a side."""


def encoder_of(processor: Any, name: str) -> Encoder:
    """Return the encoder of a processor. name: of the model, for messages.

    Raises:
        UserError: the processor is not of a vision-language model, or does not report the tokens of images.
    """
    placeholder = getattr(processor, "image_token", None)
    tokenizer = getattr(processor, "tokenizer", None)
    if tokenizer is None or not hasattr(processor, "image_processor") or not isinstance(placeholder, str):
        message = f"The processor of '{name}' ({type(processor).__name__}) has no placeholder for images in a text."
        raise UserError(message, "Choose another model.", "model", "model-wrong-task")
    if not tokenizer.is_fast:
        message = f"The tokenizer of '{name}' has no fast version, by which the tokens of the answers are found."
        raise UserError(message, "Choose another model.", "model", "model-wrong-task")
    if "suffix" in inspect.signature(type(processor).__call__).parameters:
        return PrefixEncoder(processor)
    encoder = ChatEncoder(processor)
    if not encoder.reports_images():
        message = f"The processor of '{name}' ({type(processor).__name__}) does not report the tokens of an image."
        raise UserError(message, "Choose another model.", "model", "model-wrong-task")
    return encoder


class ChatEncoder:
    """Encodes by the chat template of a processor; one without a template gets `PLAIN`."""

    def __init__(self, processor: Any) -> None:
        self.processor, self.note = processor, ""
        self._placeholder = str(processor.image_token)
        self._replacements: dict[tuple[int, int], str] = {}
        template = getattr(processor, "chat_template", None)
        if isinstance(template, Mapping):
            template = template.get("default") or next(iter(template.values()), None)
        if not template:
            template = processor.chat_template = PLAIN.replace("IMAGE", self._placeholder)
            self.note = PLAIN_NOTE
        self._template = str(template)

    def reports_images(self) -> bool:
        """Whether the processor reports by which tokens it replaces an image."""
        return bool(self._process(BLANK).get("text_replacement_offsets"))

    def encode(self, conversation: ImageConversation) -> EncodedRow:
        """Return a row; its images are not decoded."""
        tokenizer = self.processor.tokenizer
        text = self._render(conversation.messages)
        places = _occurrences(text, self._placeholder)
        if len(places) != len(conversation.sizes):
            message = (
                f"The text has {pluralize(len(places), 'placeholder')} {self._placeholder} for "
                f"{pluralize(len(conversation.sizes), 'image')}."
            )
            raise TemplateFailure(message, "Remove the placeholder from the texts.", "data", "image-placeholders")
        try:
            spans = assistant_spans(self.processor, tokenizer, self._template, text, conversation.messages)
        except TemplateFailure as error:
            raise TemplateFailure(error.message, HINT, "model", error.code) from error
        replacements = [self.replacement(size) for size in conversation.sizes]
        parts, last = [], 0
        for place, replacement in zip(places, replacements, strict=True):
            parts += [text[last:place], replacement]
            last = place + len(self._placeholder)
        made = tokenizer(
            "".join([*parts, text[last:]]),
            add_special_tokens=self._adds_special_tokens(text),
            return_offsets_mapping=True,
            verbose=False,
        )
        # An answer begins behind the images before it, which became longer.
        ends = [place + len(self._placeholder) for place in places]
        gained = np.cumsum([0, *(len(r) - len(self._placeholder) for r in replacements)])
        starts = np.asarray([start for start, _ in made["offset_mapping"]])
        trained = np.zeros(len(starts), dtype=bool)
        for span in spans:
            begin, end = (place + int(gained[bisect.bisect_right(ends, place)]) for place in span)
            trained |= (starts >= begin) & (starts < end)
        return EncodedRow(TokenizedRow(np.asarray(made["input_ids"], dtype=np.int32), trained), text)

    def prompt(self, messages: Messages) -> str:
        """Return the text that the model continues with its answer."""
        return self._render(messages, prompt=True)

    def batch(
        self,
        texts: Sequence[str],
        images: Sequence[Sequence[Image.Image]],
        answers: Sequence[str | None] = (),
        *,
        side: str = "right",
    ) -> dict[str, Any]:
        """Return the inputs of a batch as tensors."""
        return dict(
            self.processor(
                text=list(texts),
                images=[list(row) for row in images],
                padding=True,
                padding_side=side,
                return_tensors="pt",
                add_special_tokens=self._adds_special_tokens(texts[0]),
            )
        )

    def replacement(self, size: tuple[int, int]) -> str:
        """Return by what the processor replaces the placeholder of an image of (width, height) pixels."""
        if size not in self._replacements:
            offsets = self._process(size)["text_replacement_offsets"]
            self._replacements[size] = str(offsets[0][0]["replacement"])
        return self._replacements[size]

    def _process(self, size: tuple[int, int]) -> Any:
        blank = Image.new("RGB", size)
        return self.processor(text=[self._placeholder], images=[[blank]], return_text_replacement_offsets=True)

    def _render(self, messages: Messages, *, prompt: bool = False) -> str:
        try:
            return render(self.processor, self._template, messages, prompt=prompt)
        except TemplateFailure as error:
            raise TemplateFailure(error.message, HINT, "model", error.code) from error

    def _adds_special_tokens(self, text: str) -> bool:
        """Whether the tokenizer adds its BOS token: not to a template's text that has it already."""
        begin = self.processor.tokenizer.bos_token
        return begin is None or not text.startswith(begin)


class PrefixEncoder:
    """Encodes a question as the prefix, and its answer as the suffix, as PaliGemma was trained (no chat template).

    Its image processor scales all images to one size, so that all have the same number of tokens.
    """

    def __init__(self, processor: Any) -> None:
        self.processor, self.note = processor, ""
        self._placeholder = str(processor.image_token)

    def encode(self, conversation: ImageConversation) -> EncodedRow:
        """Return a row; its images are not decoded."""
        text, answer = self.prompt(conversation.asked()), conversation.reference
        if self._placeholder in answer:
            message = f"The answer has the placeholder {self._placeholder} of an image."
            raise TemplateFailure(message, HINT, "data", "image-placeholders")
        blank = [Image.new("RGB", BLANK) for _ in conversation.sizes]
        made = self.processor(text=[text], images=[blank], suffix=[answer])
        ids = np.asarray(made["input_ids"][0], dtype=np.int32)
        return EncodedRow(TokenizedRow(ids, np.asarray(made["token_type_ids"][0]) == 1), text, answer)

    def prompt(self, messages: Messages) -> str:
        """Return the text that the model continues with its answer: the images, then the question."""
        if len(messages) != 1:
            message = "This model answers single questions, not conversations of several messages."
            raise TemplateFailure(message, HINT, "model", "template-failed")
        images = sum(part["type"] == "image" for part in messages[0]["content"])
        question = text_of(messages[0]).strip()
        if self._placeholder in question:
            message = f"The question has the placeholder {self._placeholder} of an image."
            raise TemplateFailure(message, HINT, "data", "image-placeholders")
        return self._placeholder * images + question

    def batch(
        self,
        texts: Sequence[str],
        images: Sequence[Sequence[Image.Image]],
        answers: Sequence[str | None] = (),
        *,
        side: str = "right",
    ) -> dict[str, Any]:
        """Return the inputs of a batch as tensors."""
        settings = {"suffix": list(answers)} if answers else {}
        made = self.processor(
            text=list(texts),
            images=[list(row) for row in images],
            padding=True,
            padding_side=side,
            return_tensors="pt",
            **settings,
        )
        return {name: value for name, value in dict(made).items() if name != "labels"}


def _occurrences(text: str, part: str) -> list[int]:
    """Return where a part begins in a text."""
    places, place = [], text.find(part)
    while place >= 0:
        places.append(place)
        place = text.find(part, place + len(part))
    return places
