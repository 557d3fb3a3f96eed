"""A torch data set of tokenized texts, and its collator with dynamic padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from autotrain_gradio.training.label_sets import LabelSets
from autotrain_gradio.training.tokens import Tokens


class Texts(torch.utils.data.Dataset[dict[str, Any]]):
    """Tokenized texts and their targets; an item is `{"input_ids", "labels"}`, and `token_type_ids` where needed.

    targets: classes int64 (texts,), or the `LabelSets` of multi-label texts, whose items have 0 or 1 for each label,
        float32 (labels,).
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
