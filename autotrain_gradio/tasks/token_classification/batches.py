"""Windows of texts as a torch data set, and their collator with dynamic padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from autotrain_gradio.tasks.token_classification.windows import IGNORED, Windows
from autotrain_gradio.training.text import Collate


class TaggedWindows(torch.utils.data.Dataset[dict[str, Any]]):
    """A data set of windows with the labels of their words; an item has `input_ids` and `labels` (tokens,).

    by_length: sort the items by length, the longest first. `rows`: the window of each item.
    """

    def __init__(self, windows: Windows, labels: np.ndarray, *, by_length: bool = False) -> None:
        self.windows, self.labels = windows, labels
        lengths = windows.lengths
        self.rows = np.argsort(-lengths, kind="stable") if by_length else np.arange(len(lengths))
        self.lengths = lengths[self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        window = int(self.rows[index])
        item = self.windows.item(window)
        words = self.windows.words(window)
        item["labels"] = np.full(len(item["input_ids"]), IGNORED, dtype=np.int64)
        item["labels"][self.windows.places[words]] = self.labels[words]
        return item


class CollateTags:
    """Collates items of `TaggedWindows` into a batch, padded to the longest; labels with `IGNORED`."""

    def __init__(self, tokenizer: Any) -> None:
        self._collate = Collate(tokenizer)

    def __call__(self, items: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        batch = self._collate([{k: v for k, v in item.items() if k != "labels"} for item in items])
        if "labels" in items[0]:
            labels = np.full(batch["input_ids"].shape, IGNORED, dtype=np.int64)
            for row, item in enumerate(items):
                labels[row, : len(item["labels"])] = item["labels"]
            batch["labels"] = torch.from_numpy(labels)
        return batch
