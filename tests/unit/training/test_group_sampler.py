"""Groups of prompts: whole ones, all prompts in each epoch, and another order in the next."""

from __future__ import annotations

import numpy as np

from autotrain_gradio.training.group_sampler import GroupSampler


def test_batches_are_whole_groups_and_no_prompt_is_left_out() -> None:
    sampler = GroupSampler(10, group=3, prompts=4, repeats=2, seed=1)
    found = np.array(list(sampler))
    assert len(found) == len(sampler) == 3 * 2 * 4 * 3
    batches = found.reshape(3, 2, 4, 3)
    assert (batches == batches[:, :1, :, :1]).all()
    assert set(found.tolist()) == set(range(10))
    assert list(sampler) == found.tolist()
    sampler.set_epoch(1)
    assert list(sampler) != found.tolist() and set(sampler) == set(range(10))


def test_fewer_prompts_than_a_batch_are_repeated() -> None:
    assert sorted(GroupSampler(2, group=1, prompts=5, repeats=1, seed=0)) in ([0, 0, 0, 1, 1], [0, 0, 1, 1, 1])
