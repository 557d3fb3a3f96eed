"""Tokenized rows of a language model: limited to a length, as a data set, packed, and collated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from datasets import Dataset

from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.training.chat_templates import TokenizedRow

IGNORED = -100
"""Label of tokens that the loss is not computed on."""
ACTIONS = {
    "drop": "dropped",
    "truncate": "truncated at the end",
    "truncate_left": "truncated at the beginning",
    "chunk": "split into chunks",
}
"""What happens to rows above the maximum length."""


def text_row(tokenizer: Any, text: str) -> TokenizedRow:
    """Return a text as token ids, with one BOS token if the tokenizer adds it, and the EOS token at the end."""
    ids = list(tokenizer(text, verbose=False)["input_ids"])
    begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    if begin is not None and ids[:2] == [begin, begin]:
        ids = ids[1:]  # the text is rendered with its BOS token already
    if end is not None and ids[-1:] != [end]:
        ids.append(end)
    return TokenizedRow(np.asarray(ids, dtype=np.int32), np.ones(len(ids), dtype=bool))


@dataclass
class LengthCounts:
    """What a maximum length does to the rows of a split.

    longer: rows above it. untrained: rows that are dropped because no token is left that the loss is computed on.
    lost: tokens that are not trained on. chunks: sequences made of the longer rows (`chunk`). lengths: of all rows.
    """

    limit: int
    action: str
    longer: int = 0
    untrained: int = 0
    lost: int = 0
    chunks: int = 0
    lengths: list[int] = field(default_factory=list)

    def message(self, what: str = "row") -> str:
        """Return what happens to the longer rows; empty if there are none. what: name of a row."""
        if not self.longer:
            return ""
        share = self.longer / max(1, len(self.lengths))
        done = f"{ACTIONS[self.action]} ({self.chunks:,})" if self.action == "chunk" else ACTIONS[self.action]
        lost = f" {self.lost:,} of {sum(self.lengths):,} tokens are lost." if self.lost else ""
        return (
            f"{pluralize(self.longer, what)} ({share:.1%}) longer than {self.limit:,} tokens: {done}; the longest has "
            f"{max(self.lengths):,}.{lost}"
        )


def limit_lengths(
    rows: Iterable[TokenizedRow], limit: int, action: str
) -> tuple[list[TokenizedRow], list[int], LengthCounts]:
    """Return sequences of at most `limit` tokens, the row number of each, and counts.

    action: one of `ACTIONS`. Sequences without a trained token are dropped and counted.
    """
    found: list[TokenizedRow] = []
    numbers: list[int] = []
    counts = LengthCounts(limit, action)
    for number, row in enumerate(rows):
        size = len(row.ids)
        counts.lengths.append(size)
        parts = [row]
        if size > limit:
            counts.longer += 1
            if action == "drop":
                parts, counts.lost = [], counts.lost + size
            elif action == "chunk":
                parts = [row.part(slice(start, start + limit)) for start in range(0, size, limit)]
                counts.chunks += len(parts)
            else:
                kept = slice(size - limit, size) if action == "truncate_left" else slice(limit)
                parts, counts.lost = [row.part(kept)], counts.lost + size - limit
        trained = [part for part in parts if part.trained[1:].any()]
        if parts and not trained:
            counts.untrained += 1
        found += trained
        numbers += [number] * len(trained)
    return found, numbers, counts


def as_dataset(sequences: Sequence[TokenizedRow]) -> Dataset:
    """Return sequences as a data set with `input_ids` and `labels`."""
    ids = [s.ids for s in sequences]
    labels = [np.where(s.trained, s.ids, IGNORED).astype(np.int32) for s in sequences]
    return Dataset.from_dict({"input_ids": ids, "labels": labels}).with_format("numpy")


def pack(sequences: Dataset, length: int) -> Dataset:
    """Pack sequences into rows of at most `length` tokens (best fit decreasing), with `seq_lengths`; none is split."""
    from trl.data_utils import pack_dataset

    packed = pack_dataset(sequences.with_format(None), length, "bfd")
    return packed.with_format("numpy")


def sequence_lengths(sequences: Dataset) -> np.ndarray:
    """Return the number of tokens of each sequence (sequences,)."""
    import pyarrow.compute as pc

    return np.asarray(pc.list_value_length(sequences.with_format("arrow")["input_ids"][:].combine_chunks()))


class Collate:
    """Collates sequences into a batch, padded at the end; padding is neither attended to nor trained on.

    `input_ids`, `labels`: int64 (batch, tokens). With packed rows (`seq_lengths`) there is no `attention_mask` but
    `position_ids`, which begin at 0 in each sequence: transformers attends within sequences only.
    """

    def __init__(self, pad: int) -> None:
        self._pad = pad
        self._step = 8 if torch.cuda.is_available() else 1

    def __call__(self, items: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        width = max(len(i["input_ids"]) for i in items)
        width = -(-width // self._step) * self._step
        shape = (len(items), width)
        ids, labels = np.full(shape, self._pad, dtype=np.int64), np.full(shape, IGNORED, dtype=np.int64)
        mask, positions = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        packed = "seq_lengths" in items[0]
        for row, item in enumerate(items):
            size = len(item["input_ids"])
            ids[row, :size], labels[row, :size], mask[row, :size] = item["input_ids"], item["labels"], 1
            if packed:
                ends = np.concatenate([np.asarray(item["seq_lengths"]), [width - size]])
                positions[row] = np.concatenate([np.arange(n) for n in ends])
        if packed:
            # The first token of a sequence is not predicted from the sequence before it.
            labels[positions == 0] = IGNORED
        more = {"position_ids": positions} if packed else {"attention_mask": mask}
        return {k: torch.from_numpy(v) for k, v in {"input_ids": ids, "labels": labels, **more}.items()}
