"""Sampler of groups: each prompt several times in a batch, for reinforcement learning."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch


class GroupSampler(torch.utils.data.Sampler[int]):
    """Yields batches of prompts, each prompt `group` times in a row, and each batch `repeats` times.

    The order depends on seed and epoch only, so a resumed run continues with the remaining prompts. The last batch of
    an epoch is filled up with prompts from the beginning of its order.

    rows: number of prompts. prompts: number of them in a batch. repeats: how often TRL's trainer asks for a batch of
    which it generates completions once.
    """

    def __init__(self, rows: int, *, group: int, prompts: int, repeats: int, seed: int) -> None:
        self._rows, self._group, self._prompts, self._repeats = rows, group, prompts, repeats
        self._seed, self._epoch = seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch (called by the Trainer)."""
        self._epoch = epoch

    @property
    def _batches(self) -> int:
        return -(-self._rows // self._prompts)

    def __len__(self) -> int:
        return self._batches * self._prompts * self._group * self._repeats

    def __iter__(self) -> Iterator[int]:
        order = np.random.default_rng([self._seed, self._epoch]).permutation(self._rows)
        filled = np.resize(order, (self._batches, self._prompts))
        for batch in filled:
            yield from np.tile(np.repeat(batch, self._group), self._repeats).tolist()
