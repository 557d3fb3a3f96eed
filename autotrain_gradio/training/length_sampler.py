"""The order in which rows of different lengths are trained on: batches of like length, so that little is padded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

MEGABATCH = 50
"""Batches whose rows are sorted by length together: more gives batches more alike, and an order less random."""
JITTER = 0.1
"""By how much the lengths of a set of one megabatch are varied, so that its batches differ from epoch to epoch."""


class LengthSampler(torch.utils.data.Sampler[int]):
    """Yields each row once, so that consecutive batches hold rows of like length; the batches come in random order.

    What chance decides depends on seed and epoch alone, so a resumed run goes on with the rows that were left. Of the
    full batches the one with the longest row comes first: if memory does not suffice, that is known at once. Rows that
    fill no batch come last, or they would shift the others.

    lengths: of each row (rows,), in any unit.
    """

    def __init__(self, lengths: np.ndarray[Any, Any], batch_size: int, *, seed: int) -> None:
        self._lengths, self._batch, self._seed, self._epoch = np.asarray(lengths), batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins (the Trainer does)."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self._seed, self._epoch])
        order = rng.permutation(len(self))
        whole = len(order) // self._batch
        parts = max(1, round(whole / MEGABATCH))
        # Several megabatches are others in each epoch anyway.
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
