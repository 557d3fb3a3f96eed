"""A torch data set of tokenized sources and targets, and its collator with dynamic padding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from autotrain_gradio.training.evaluators.generation import IGNORED
from autotrain_gradio.training.tokens import Tokens, tokenize

CHUNK = 512
"""Validation rows that are sorted by length together: their order must stay random, since only the first of them are
generated where time is short."""


class Pairs(torch.utils.data.Dataset[dict[str, Any]]):
    """Tokenized pairs; an item is `{"input_ids", "labels"}`, token ids of different lengths.

    order: row number of each item (rows,); None: as the rows are. `rows`: the same; `lengths`: tokens of both sides.
    """

    def __init__(self, sources: Tokens, targets: Tokens, order: np.ndarray | None = None) -> None:
        self.sources, self.targets = sources, targets
        lengths = sources.lengths + targets.lengths
        self.rows = np.arange(len(lengths)) if order is None else order
        self.lengths = lengths[self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        row = self.rows[index]
        sides = {"input_ids": self.sources, "labels": self.targets}
        return {name: side.ids[side.starts[row] : side.starts[row + 1]] for name, side in sides.items()}


def evaluation_order(sources: Tokens, batch_size: int, seed: int) -> np.ndarray:
    """Return the rows (rows,) in a random order, sorted by length within chunks, the longest first.

    The first chunk is the first batch: its rows, which are always generated, are a random sample.
    """
    rows = np.random.default_rng(seed).permutation(len(sources.lengths))
    starts = [0, *range(batch_size, len(rows), CHUNK), len(rows)]
    chunks = [rows[start:end] for start, end in zip(starts, starts[1:], strict=False)]
    return np.concatenate([chunk[np.argsort(-sources.lengths[chunk], kind="stable")] for chunk in chunks])


class TargetTokenizer:
    """A tokenizer in the mode of targets, which some models need: another vocabulary (Marian) or language (mBART)."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __call__(self, texts: Any, **settings: Any) -> Any:
        return self._tokenizer(text_target=texts, **settings)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)


def tokenize_sources(
    tokenizer: Any, texts: Sequence[str], prefix: str, limit: int, **settings: Callable[[int], bool]
) -> Tokens | None:
    """Tokenize source texts with the prefix in front, as `tokens.tokenize` does."""
    return tokenize(tokenizer, [prefix + text for text in texts] if prefix else texts, limit, **settings)


def tokenize_targets(
    tokenizer: Any, texts: Sequence[str], limit: int, **settings: Callable[[int], bool]
) -> Tokens | None:
    """Tokenize target texts, as `tokens.tokenize` does."""
    return tokenize(TargetTokenizer(tokenizer), texts, limit, **settings)


class Collate:
    """Collates items of `Pairs` into a batch, padded to the longest.

    `input_ids`, `attention_mask`: int64 (batch, source tokens), on the tokenizer's padding side. `labels`: int64
    (batch, target tokens), padded on the right with `IGNORED`. `decoder_input_ids`: the labels shifted to the right, as
    the model itself shifts them. On a GPU lengths are padded to a multiple of 8 for tensor cores.
    """

    def __init__(self, tokenizer: Any, model: Any) -> None:
        self._pad = int(tokenizer.pad_token_id)
        self._left = tokenizer.padding_side == "left"
        self._step = 8 if torch.cuda.is_available() else 1
        self._shift = shifter(model, self._pad)

    def __call__(self, items: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        ids, mask = self._padded([item["input_ids"] for item in items], self._pad, left=self._left)
        batch = {"input_ids": ids, "attention_mask": mask}
        if "labels" in items[0]:
            batch["labels"], _ = self._padded([item["labels"] for item in items], IGNORED, left=False)
            batch["decoder_input_ids"] = self._shift(batch["labels"])
        return batch

    def _padded(self, rows: Sequence[np.ndarray], fill: int, *, left: bool) -> tuple[torch.Tensor, torch.Tensor]:
        width = max(map(len, rows))
        width = -(-width // self._step) * self._step
        ids = np.full((len(rows), width), fill, dtype=np.int64)
        mask = np.zeros((len(rows), width), dtype=np.int64)
        for number, row in enumerate(rows):
            part = slice(width - len(row), width) if left else slice(len(row))
            ids[number, part], mask[number, part] = row, 1
        return torch.from_numpy(ids), torch.from_numpy(mask)


def shifter(model: Any, pad: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the function that makes decoder inputs of labels (batch, tokens), as the model does in its `forward`."""
    own = getattr(model, "prepare_decoder_input_ids_from_labels", None)
    if own is not None:
        return lambda labels: own(labels=labels)
    start = int(model.config.decoder_start_token_id)

    def shift(labels: torch.Tensor) -> torch.Tensor:
        shifted = torch.full_like(labels, start)
        shifted[:, 1:] = labels[:, :-1]
        return shifted.masked_fill(shifted == IGNORED, pad)

    return shift
