"""A torch data set of tokenized texts, made of the splits of a run, and its collator with dynamic padding."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset, DatasetDict

from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training.label_sets import LabelSets
from autotrain_gradio.training.tokens import Tokens, tokenize


class Texts(torch.utils.data.Dataset[dict[str, Any]]):
    """Tokenized texts and their targets; an item is `{"input_ids", "labels"}`, and `token_type_ids` where needed.

    targets: classes int64 (texts,); numbers float32 (texts, targets); or the `LabelSets` of multi-label texts, whose
        items have 0 or 1 for each label, float32 (labels,).
    by_length: sort the items by length, the longest first, so that batches have similar lengths. `rows`: the row number
        of each item.
    """

    def __init__(self, tokens: Tokens, targets: np.ndarray | LabelSets, *, by_length: bool = False) -> None:
        if len(tokens.full) != len(targets):
            raise ValueError(f"{len(tokens.full)} texts for {len(targets)} targets")
        self.tokens, self.targets = tokens, targets
        lengths = tokens.lengths
        self.rows = np.argsort(-lengths, kind="stable") if by_length else np.arange(len(lengths))
        self.lengths = lengths[self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        row = self.rows[index]
        part = slice(self.tokens.starts[row], self.tokens.starts[row + 1])
        item = {"input_ids": self.tokens.ids[part], "labels": self.targets[row]}
        if self.tokens.types is not None:
            item["token_type_ids"] = self.tokens.types[part]
        return item

    def select(self, rows: np.ndarray) -> Texts:
        """Return the texts of these rows, in this order."""
        part = copy.copy(self)
        part.rows = rows
        part.lengths = self.tokens.lengths[rows]
        return part


class Collate:
    """Collates items of `Texts` into a batch, padded to the longest on the tokenizer's padding side.

    `input_ids`, `attention_mask` (and `token_type_ids`): int64 (batch, tokens). `labels`: as the targets.
    On a GPU the length is padded to a multiple of 8 for tensor cores.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._pad = int(tokenizer.pad_token_id)
        self._type = int(getattr(tokenizer, "pad_token_type_id", 0) or 0)
        self._left = tokenizer.padding_side == "left"
        self._step = 8 if torch.cuda.is_available() else 1

    def __call__(self, items: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        width = max(len(i["input_ids"]) for i in items)
        width = -(-width // self._step) * self._step
        ids = np.full((len(items), width), self._pad, dtype=np.int64)
        mask = np.zeros((len(items), width), dtype=np.int64)
        types = np.full((len(items), width), self._type, dtype=np.int64) if "token_type_ids" in items[0] else None
        for row, item in enumerate(items):
            size = len(item["input_ids"])
            part = slice(width - size, width) if self._left else slice(size)
            ids[row, part] = item["input_ids"]
            mask[row, part] = 1
            if types is not None:
                types[row, part] = item["token_type_ids"]
        batch = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
        if types is not None:
            batch["token_type_ids"] = torch.from_numpy(types)
        if "labels" in items[0]:
            batch["labels"] = torch.from_numpy(np.stack([i["labels"] for i in items]))
        return batch


def set_length(run: Reporter, tokenizer: Any, most: int | None) -> int:
    """Set the maximum sequence length of a tokenizer, so that prediction truncates as training does, and return it.

    It is `max_seq_length`, or `most`, the maximum of the model, if that is lower; then a warning says so.
    """
    wanted: int = run.params.max_seq_length
    limit = min(wanted, most or wanted)
    if limit < wanted:
        run.note(f"The model supports at most {limit:,} tokens: max_seq_length is lowered to that.", level="warning")
    tokenizer.model_max_length = limit
    return limit


def tokenize_splits(
    run: Reporter,
    rows: DatasetDict,
    tokenizer: Any,
    most: int | None,
    *,
    column: str,
    targets: Callable[[Dataset], np.ndarray | LabelSets],
) -> dict[str, Texts] | None:
    """Return the tokenized texts of each split; None if stopped.

    most: maximum sequence length of the model, to which `max_seq_length` is limited. The length is saved in the
    tokenizer, so that prediction truncates as training does.
    column: with the texts. targets: returns the targets of a split.
    """
    limit = set_length(run, tokenizer, most)
    total, before, sets = sum(len(part) for part in rows.values()), 0, {}
    for name, part in rows.items():

        def should_continue(done: int, before: int = before) -> bool:
            run.state("preparing", f"Tokenizing texts: {before + done:,} of {total:,}")
            return not run.stop_requested()

        tokens = tokenize(tokenizer, part[column], limit, should_continue=should_continue)
        if tokens is None:
            return None
        if tokens.truncated:
            share = tokens.truncated / len(part)
            what = "training" if name == "train" else "validation"
            run.note(
                f"{pluralize(tokens.truncated, f'{what} text')} ({share:.1%}) were truncated to {limit:,} tokens; "
                f"the longest has {int(tokens.full.max()):,}.",
                hint=""
                if limit == most
                else "A higher max_seq_length truncates fewer texts, but needs more time and memory.",
            )
        sets[str(name)] = Texts(tokens, targets(part), by_length=name == "validation")
        before += len(part)
    return sets
