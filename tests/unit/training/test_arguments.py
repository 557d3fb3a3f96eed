"""The training arguments: the logging interval."""

from __future__ import annotations

import pytest

from autotrain_gradio.training.arguments import logging_interval


@pytest.mark.parametrize(
    ("per_epoch", "total", "steps"),
    [(1, 3, 1), (9, 27, 1), (9, 180, 1), (100, 1000, 5), (10_000, 30_000, 500), (1, 10_000, 5), (1000, 1000, 20)],
)
def test_logging_steps_give_a_bounded_number_of_points(per_epoch: int, total: int, steps: int) -> None:
    assert logging_interval(per_epoch, total) == steps
