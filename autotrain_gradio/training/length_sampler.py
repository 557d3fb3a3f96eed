"""Sampler that groups training rows by length, so that batches need little padding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

MEGABATCH = 50
"""Number of batches that are sorted by length together. More means less padding and less randomness."""
JITTER = 0.1
"""Relative noise on the lengths of a data set of one megabatch, so that its batches differ between epochs."""


class LengthSampler(torch.utils.data.Sampler[int]):
    """Yields each row once; consecutive batches have rows of similar length, and batches are shuffled.

    The order depends on seed and epoch only, so a resumed run continues with the remaining rows. The full batch with
    the longest row comes first, so that running out of memory shows at once. An incomplete batch comes last.

    lengths: length of each row (rows,), in any unit.
    """

    def __init__(self, lengths: np.ndarray[Any, Any], batch_size: int, *, seed: int) -> None:
        self._lengths, self._batch, self._seed, self._epoch = np.asarray(lengths), batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch (called by the Trainer)."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self._seed, self._epoch])
        order = rng.permutation(len(self))
        whole = len(order) // self._batch
        parts = max(1, round(whole / MEGABATCH))
        # Several megabatches differ in each epoch anyway.
        varied = self._lengths * (rng.uniform(1 - JITTER, 1 + JITTER, len(order)) if parts == 1 else 1)
        batches: list[np.ndarray[Any, Any]] = []
        for part in np.array_split(order[: whole * self._batch].reshape(whole, self._batch), parts):
            rows = part.ravel()
            batches += [*rows[np.argsort(varied[rows], kind="stable")].reshape(part.shape)]
        if batches:
            first = max(range(whole), key=lambda i: self._lengths[batches[i]].max())
            others = [i for i in rng.permutation(whole) if i != first]
            batches = [batches[i] for i in (first, *others)]
        for batch in (*batches, order[whole * self._batch :]):
            yield from batch.tolist()
