"""The rows of a split as batches: checked for their length first, their images decoded when a batch is made."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from datasets import Dataset

from autotrain_gradio.core.errors import DataError, UserError
from autotrain_gradio.core.text_format import count_with_verb, join_examples
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.vlm.conversations import ImageConversation, conversation_of
from autotrain_gradio.tasks.vlm.encoders import EncodedRow, Encoder
from autotrain_gradio.tasks.vlm.models import limited_size, read_image
from autotrain_gradio.training.chat_templates import TemplateFailure, TokenizedRow
from autotrain_gradio.training.token_rows import IGNORED

STEP = 200
"""Rows between two messages about the progress."""


@dataclass(frozen=True)
class RowPlan:
    """What is known of a row before its images are decoded.

    row: its number in the split. text, answer: as in `EncodedRow`. length: in tokens. spans: (begin, end) of the
    trained tokens. checksum: of the token ids.
    """

    row: int
    text: str
    answer: str | None
    length: int
    spans: tuple[tuple[int, int], ...]
    checksum: int

    @classmethod
    def of(cls, row: int, encoded: EncodedRow) -> RowPlan:
        """Return the plan of an encoded row."""
        ids, trained = encoded.tokens.ids, encoded.tokens.trained
        edges = np.flatnonzero(np.diff(np.concatenate([[False], trained, [False]]).astype(np.int8))).tolist()
        spans = tuple(zip(edges[::2], edges[1::2], strict=True))
        return cls(row, encoded.text, encoded.answer, len(ids), spans, checksum(ids))


def checksum(ids: Any) -> int:
    """Return a checksum of token ids (tokens,)."""
    return zlib.crc32(np.ascontiguousarray(ids, dtype=np.int32).tobytes())


@dataclass
class Lengths:
    """Which rows are used. lengths: of all rows that the processor supports, in tokens.

    longer: numbers of rows above the limit. failed: number → why the processor does not support the row. untrained:
    numbers of rows without a trained token.
    """

    limit: int
    lengths: list[int] = field(default_factory=list)
    longer: list[int] = field(default_factory=list)
    untrained: list[int] = field(default_factory=list)
    failed: dict[int, TemplateFailure] = field(default_factory=dict)

    def take(self, number: int, made: EncodedRow | TemplateFailure) -> bool:
        """Return whether a row is used, and count it."""
        if isinstance(made, TemplateFailure):
            self.failed[number] = made
            return False
        tokens: TokenizedRow = made.tokens
        self.lengths.append(len(tokens.ids))
        if len(tokens.ids) > self.limit:
            self.longer.append(number)
        elif not tokens.trained[1:].any():
            self.untrained.append(number)
        else:
            return True
        return False

    def messages(self, what: str, verb: str = "was") -> list[tuple[str, str]]:
        """Return pairs (message, hint) about the rows that are not used. what: name of a row. verb: was or will be."""
        found = []
        if self.failed:
            first = next(iter(self.failed.values()))
            found.append((f"{_listed(self.failed, what, verb)}: {first.message}", first.hint))
        if self.longer:
            reason = f"longer than {self.limit:,} tokens with their images; the longest has {max(self.lengths):,}."
            hint = "Raise model_max_length, or set image_longest_edge to a smaller size."
            found.append((f"{_listed(self.longer, what, verb)}: {reason}", hint))
        if self.untrained:
            hint = "Correct the answers of these rows."
            found.append((f"{_listed(self.untrained, what, verb)}: their answers have no token.", hint))
        return found


def _listed(numbers: Iterable[int], what: str, verb: str) -> str:
    shown = [str(n + 1) for n in numbers]
    helper = "will" if verb == "will be" else "was"
    skipped = "be skipped" if verb == "will be" else "skipped"
    return f"{count_with_verb(len(shown), what, helper)} {skipped} ({join_examples(shown)})"


def encode_row(
    encoder: Encoder, row: Mapping[str, Any], instruction: str
) -> tuple[ImageConversation, EncodedRow | TemplateFailure]:
    """Return a row as a conversation and as tokens, or why the processor does not support it."""
    conversation = conversation_of(row, instruction)
    sizes = [limited_size(size, encoder.processor) for size in conversation.sizes]
    try:
        return conversation, encoder.encode(ImageConversation(conversation.messages, conversation.images, sizes))
    except TemplateFailure as error:
        return conversation, error


class ImageRows(torch.utils.data.Dataset[dict[str, Any]]):
    """The rows of a split that are used: `{"plan": RowPlan, "images": cells}`.

    Attributes:
        lengths: number of tokens of each row (rows,).
    """

    def __init__(self, rows: Dataset, plans: Sequence[RowPlan], instruction: str) -> None:
        self.plans, self.lengths = plans, np.array([plan.length for plan in plans], dtype=np.int64)
        self._rows, self._instruction = rows, instruction

    def __len__(self) -> int:
        return len(self.plans)

    def conversation(self, number: int) -> ImageConversation:
        """Return a row as a conversation; its images are not decoded."""
        return conversation_of(self._rows[self.plans[number].row], self._instruction)

    def __getitem__(self, number: int) -> dict[str, Any]:
        return {"plan": self.plans[number], "images": self.conversation(number).images}


def plan_split(run: Reporter, name: str, rows: Dataset, encoder: Encoder, limit: int) -> ImageRows | None:
    """Return the rows of a split that are used, and report the others. Returns None if stopped.

    limit: maximum length of a row in tokens.

    Raises:
        UserError: no row is left.
    """
    counts, plans = Lengths(limit), list[RowPlan]()
    what = "training row" if name == "train" else "validation row"
    light = rows.remove_columns([c for c in rows.column_names if c == "image"])  # embedded images are not read
    for number, row in enumerate(light):
        if number % STEP == 0:
            run.state("preparing", f"Tokenizing rows: {number:,} of {len(rows):,}")
            if run.stop_requested():
                return None
        _, made = encode_row(encoder, {**row, "image": {}}, run.params.prompt)
        if counts.take(number, made):
            assert isinstance(made, EncodedRow)
            plans.append(RowPlan.of(number, made))
    messages = counts.messages(what)
    for message, hint in messages:
        run.note(message, hint=hint, level="warning")
    if not plans:
        message, hint = messages[0]
        raise UserError(f"No {what} is left to train on. {message}", hint, "params.model_max_length", "no-rows-left")
    return ImageRows(rows, plans, run.params.prompt)


class Collate:
    """Makes batches of `ImageRows`: the inputs of the processor, and `labels`, int64 (batch, tokens).

    Images are decoded here, for one batch at a time. white: as in `open_image`.
    """

    def __init__(self, encoder: Encoder, white: float | None) -> None:
        self._encoder, self._white = encoder, white

    def __call__(self, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        plans: list[RowPlan] = [item["plan"] for item in items]
        processor = self._encoder.processor
        images = [[read_image(cell, processor, self._white) for cell in item["images"]] for item in items]
        answers = [plan.answer for plan in plans] if plans[0].answer is not None else []
        batch = self._encoder.batch([plan.text for plan in plans], images, answers)
        ids, mask = batch["input_ids"], batch["attention_mask"].bool()
        labels = torch.full_like(ids, IGNORED)
        for number, plan in enumerate(plans):
            places = torch.nonzero(mask[number]).flatten()
            own = ids[number, places]
            if len(own) != plan.length or checksum(own.numpy()) != plan.checksum:
                message = f"Row {plan.row + 1} has {len(own):,} tokens, and had {plan.length:,} before the training."
                hint = "An image has changed, or the processor of the model depends on its content."
                raise DataError(message, hint, "model", "tokens-differ")
            for begin, end in plan.spans:
                labels[number, places[begin:end]] = own[begin:end]
        return {**batch, "labels": labels}
