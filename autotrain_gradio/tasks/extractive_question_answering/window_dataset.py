"""A torch data set of windows, and its collator with dynamic padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from autotrain_gradio.tasks.extractive_question_answering.windows import Windows
from autotrain_gradio.training.text import Collate

LABELS = ("start_positions", "end_positions")


class WindowDataset(torch.utils.data.Dataset[dict[str, Any]]):
    """Windows as items `{"input_ids", "start_positions", "end_positions"}`, and `token_type_ids` where needed.

    by_length: sort the items by length, the longest first. `order`: the window of each item. `lengths`: of each item.
    """

    def __init__(self, windows: Windows, *, by_length: bool = False) -> None:
        self.windows = windows
        lengths = np.diff(windows.starts)
        self.order = np.argsort(-lengths, kind="stable") if by_length else np.arange(len(lengths))
        self.lengths = lengths[self.order]

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: int) -> dict[str, Any]:
        window, windows = self.order[index], self.windows
        part = slice(windows.starts[window], windows.starts[window + 1])
        item = {"input_ids": windows.ids[part], **dict(zip(LABELS, windows.positions[window], strict=True))}
        if windows.types is not None:
            item["token_type_ids"] = windows.types[part]
        return item


class WindowCollate(Collate):
    """Collates items of `WindowDataset` into a batch: as `Collate`, padded on the right, with the positions."""

    def __init__(self, tokenizer: Any) -> None:
        super().__init__(tokenizer)
        self._left = False

    def __call__(self, items: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        batch = super().__call__(items)
        for name in LABELS:
            if name in items[0]:
                batch[name] = torch.tensor([int(item[name]) for item in items])
        return batch
