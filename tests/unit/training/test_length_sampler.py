"""The order by length: every row once, batches alike in length, the same for the same seed and epoch."""

from __future__ import annotations

import numpy as np
import pytest

from autotrain_gradio.training.audio import Speech, Utterance
from autotrain_gradio.training.length_sampler import LengthSampler


def lengths_of(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 500, count)


def test_every_row_is_sampled_once_per_epoch_in_another_order() -> None:
    sampler = LengthSampler(lengths_of(1003), 8, seed=1)
    orders = []
    for epoch in (0, 1, 0):
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
        assert sorted(orders[-1]) == list(range(1003)) and len(sampler) == 1003
    assert orders[0] == orders[2] != orders[1]
    assert list(LengthSampler(lengths_of(1003), 8, seed=2)) != orders[0]


def test_batches_have_rows_of_similar_length() -> None:
    lengths = lengths_of(4003)
    batches = np.asarray(list(LengthSampler(lengths, 16, seed=1)))[:4000].reshape(-1, 16)
    padded = (lengths[batches].max(axis=1) * 16).sum()
    assert padded < 1.05 * lengths[batches].sum()
    by_chance = lengths[np.arange(4000).reshape(-1, 16)].max(axis=1).sum() * 16
    assert by_chance > 1.7 * lengths[batches].sum()
    # Of all full batches the first one has the longest row, and the others are in no order of length.
    longest_rows = lengths[batches].max(axis=1)
    assert longest_rows[0] == longest_rows.max()
    assert abs(np.corrcoef(longest_rows[1:], np.arange(len(longest_rows) - 1))[0, 1]) < 0.2


@pytest.mark.parametrize("count", [1, 7, 8, 9, 33])
def test_sampling_works_with_few_rows(count: int) -> None:
    assert sorted(LengthSampler(lengths_of(count), 8, seed=0)) == list(range(count))


def test_small_data_is_grouped_by_length_with_other_batches_in_each_epoch() -> None:
    seconds = np.random.default_rng(0).uniform(1, 20, 103)
    sampler = LengthSampler(seconds, 8, seed=3)
    batches = []
    for epoch in (0, 1):
        sampler.set_epoch(epoch)
        rows = np.asarray(list(sampler)[:96]).reshape(-1, 8)
        assert seconds[rows].max(axis=1).sum() * 8 < 1.15 * seconds[rows].sum()
        assert seconds[rows[0]].max() == seconds[rows].max()
        means = list(seconds[rows].mean(axis=1))
        assert means != sorted(means) and means != sorted(means, reverse=True)
        batches.append({tuple(sorted(row)) for row in rows.tolist()})
    assert len(batches[0] & batches[1]) < 3


def test_utterances_have_the_length_of_their_segment() -> None:
    many = [Utterance(i, None, None, s, "a", "a", (3,)) for i, s in enumerate((0.5, 2.5, 1.0))]
    assert Speech([{}] * 3, many, 16_000).lengths.tolist() == [0.5, 2.5, 1.0]
