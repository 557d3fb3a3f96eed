"""Tokenized preferences: a prompt with a preferred and a rejected answer, limited in length, and collated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from datasets import Dataset

from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.data.kinds.conversation import messages_of
from autotrain_gradio.data.kinds.tools import tools_of
from autotrain_gradio.training.chat_templates import ChatTemplate, TemplateFailure, TokenizedRow, tokenize_answer

ANSWERS = ("chosen", "rejected")
"""Columns of the two answers of a row."""


@dataclass(frozen=True)
class Pair:
    """A row as token ids, int32: the prompt, and its preferred and rejected answer (tokens,)."""

    prompt: np.ndarray
    chosen: np.ndarray
    rejected: np.ndarray

    @property
    def length(self) -> int:
        """Number of tokens of the prompt with the longer answer."""
        return len(self.prompt) + max(len(self.chosen), len(self.rejected))


@dataclass(frozen=True)
class PairLimits:
    """Maximum lengths in tokens: of the prompt with an answer, of the prompt, of an answer.

    action: for longer rows: `drop`, `truncate` (the end of the answers) or `truncate_left` (the beginning of the
    prompt). Either way a prompt above its own maximum loses its beginning, and such an answer its end.
    """

    whole: int
    prompt: int | None = None
    answer: int | None = None
    action: str = "truncate"

    @classmethod
    def of(cls, params: Any, limit: int) -> PairLimits:
        """Return the limits of `PreferenceParams`. limit: see `language_models.sequence_limit`."""
        return cls(limit, params.max_prompt_length, params.max_completion_length, params.too_long)

    def fits(self, pair: Pair) -> bool:
        """Whether a row is within all limits."""
        answer = max(len(pair.chosen), len(pair.rejected))
        return (
            pair.length <= self.whole
            and len(pair.prompt) <= (self.prompt or self.whole)
            and answer <= (self.answer or answer)
        )

    def apply(self, pair: Pair) -> Pair | None:
        """Return a row truncated to the limits; None: it is dropped."""
        if self.fits(pair):
            return pair
        if self.action == "drop":
            return None
        prompt = pair.prompt[-self.prompt :] if self.prompt else pair.prompt
        answers = [ids[: self.answer] for ids in (pair.chosen, pair.rejected)]
        longest = max(map(len, answers))
        if self.action == "truncate_left" and len(prompt) + longest > self.whole:
            prompt = prompt[len(prompt) - max(1, self.whole - longest) :] if len(prompt) > 1 else prompt
        room = max(0, self.whole - len(prompt))
        return Pair(prompt, *(ids[:room] for ids in answers))


@dataclass
class PairCounts:
    """What the maximum lengths do to the rows of a split.

    longer: rows above one of them. prompts, answers: those of them whose prompt loses its beginning, or an answer its
    end. untrained: rows that are dropped because the answers have no token left, or are equal as far as they are not
    truncated. lost: tokens that are not trained on. lengths: of all rows.
    """

    limits: PairLimits
    longer: int = 0
    prompts: int = 0
    answers: int = 0
    untrained: int = 0
    lost: int = 0
    lengths: list[int] = field(default_factory=list)

    def message(self, what: str = "row") -> str:
        """Return what happens to the longer rows; empty if there are none. what: name of a row."""
        if not self.longer:
            return ""
        limits = self.limits
        parts = [f"{limits.whole:,} tokens"]
        parts += [f"a prompt of {limits.prompt:,}"] if limits.prompt else []
        parts += [f"an answer of {limits.answer:,}"] if limits.answer else []
        share = self.longer / max(1, len(self.lengths))
        return (
            f"{pluralize(self.longer, what)} ({share:.1%}) longer than {' or '.join(parts)}: {self._action()}; "
            f"the longest has {max(self.lengths):,}. {self.lost:,} tokens are lost."
        )

    def _action(self) -> str:
        """Return what happens to the longer rows."""
        cut = {"the beginning of the prompt": self.prompts, "the end of the answers": self.answers}
        shown = [place if count == self.longer else f"{place} in {count:,}" for place, count in cut.items() if count]
        return f"truncated at {' and '.join(shown)}" if shown else "dropped"


class PairTokenizer:
    """Tokenizes rows with a prompt and two answers."""

    def __init__(self, tokenizer: Any, template: ChatTemplate) -> None:
        self._tokenizer, self._template = tokenizer, template

    def pairs(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Pair | TemplateFailure]:
        """Yield each row as token ids, or the reason why it cannot be rendered."""
        for row in rows:
            try:
                yield as_pair(*(self.answer(row, name) for name in ANSWERS))
            except TemplateFailure as error:
                yield error

    def answer(self, row: Mapping[str, Any], name: str) -> TokenizedRow:
        """Return the prompt of a row with one of its answers as token ids. name: of the answer's column.

        Raises:
            TemplateFailure: the template does not support the conversation.
        """
        prompt, answer = messages_of(row["prompt"]), messages_of(row[name])
        return tokenize_answer(self._tokenizer, self._template.saved, prompt, answer, tools_of(row.get("tools")))


def as_pair(chosen: TokenizedRow, rejected: TokenizedRow) -> Pair:
    """Return a row of its two conversations: the prompt ends where the first of both answers begins."""
    start = min(int(row.trained.argmax()) if row.trained.any() else len(row.ids) for row in (chosen, rejected))
    return Pair(chosen.ids[:start], chosen.ids[start:], rejected.ids[start:])


def limit_pairs(pairs: Iterable[Pair], limits: PairLimits) -> tuple[list[Pair], list[int], PairCounts]:
    """Return the rows within the limits, the number of each, and counts."""
    found: list[Pair] = []
    numbers: list[int] = []
    counts = PairCounts(limits)
    for number, pair in enumerate(pairs):
        counts.lengths.append(pair.length)
        kept = limits.apply(pair)
        if not limits.fits(pair):
            counts.longer += 1
            counts.lost += _tokens(pair) - (0 if kept is None else _tokens(kept))
            if kept is not None:
                counts.prompts += len(kept.prompt) < len(pair.prompt)
                counts.answers += len(kept.chosen) < len(pair.chosen) or len(kept.rejected) < len(pair.rejected)
        if kept is None:
            continue
        if not len(kept.chosen) or not len(kept.rejected) or np.array_equal(kept.chosen, kept.rejected):
            counts.untrained += 1
            continue
        found.append(kept)
        numbers.append(number)
    return found, numbers, counts


def _tokens(pair: Pair) -> int:
    return len(pair.prompt) + len(pair.chosen) + len(pair.rejected)


def as_dataset(pairs: Sequence[Pair]) -> Dataset:
    """Return rows as a data set with the columns of TRL: `prompt_ids`, `chosen_ids`, `rejected_ids`."""
    columns = {
        "prompt_ids": [p.prompt for p in pairs],
        "chosen_ids": [p.chosen for p in pairs],
        "rejected_ids": [p.rejected for p in pairs],
    }
    return Dataset.from_dict(columns).with_format("numpy")


def pair_lengths(pairs: Dataset) -> np.ndarray:
    """Return the number of tokens of the prompt with the longer answer of each row (rows,)."""
    import pyarrow.compute as pc

    columns = pairs.with_format("arrow")
    prompt, chosen, rejected = (
        np.asarray(pc.list_value_length(columns[f"{name}_ids"][:].combine_chunks())) for name in ("prompt", *ANSWERS)
    )
    return np.asarray(prompt + np.maximum(chosen, rejected))


class CollatePairs:
    """Collates rows into a batch as TRL's `DataCollatorForPreference` does, padded at the end.

    `input_ids`, `attention_mask`, `completion_mask`: int64 (2 × batch, tokens), the preferred answers first. Values of
    other columns (`ref_chosen_logps`): float32 (batch,).

    pad: id of the pad token. completion_mask: whether batches have one; a model that scores answers needs none.
    """

    def __init__(self, pad: int, *, completion_mask: bool = True) -> None:
        self._pad, self._masked = pad, completion_mask
        self._step = 8 if torch.cuda.is_available() else 1

    def __call__(self, items: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        answers = [(item["prompt_ids"], item[f"{name}_ids"]) for name in ANSWERS for item in items]
        width = max(len(prompt) + len(answer) for prompt, answer in answers)
        shape = (len(answers), -(-width // self._step) * self._step)
        ids, mask, trained = np.full(shape, self._pad, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for row, (prompt, answer) in enumerate(answers):
            start, end = len(prompt), len(prompt) + len(answer)
            ids[row, :start], ids[row, start:end], mask[row, :end], trained[row, start:end] = prompt, answer, 1, 1
        batch = {"input_ids": ids, "attention_mask": mask, **({"completion_mask": trained} if self._masked else {})}
        others = [name for name in items[0] if not name.endswith("_ids")]
        batch |= {name: np.array([item[name] for item in items], np.float32) for name in others}
        return {name: torch.from_numpy(values) for name, values in batch.items()}
