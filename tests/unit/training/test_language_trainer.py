"""The trial of the longest batch before the training of a language model."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.training import language_memory
from autotrain_gradio.training.language_trainer import try_longest_batch
from autotrain_gradio.training.token_rows import Collate

RUN: Any = SimpleNamespace(params=SimpleNamespace(batch_size=2))


def trainer(device: str) -> Any:
    rows = [{"input_ids": np.arange(n), "labels": np.arange(n)} for n in (3, 9, 2, 7)]
    model = torch.nn.Linear(2, 2)
    model.config = SimpleNamespace()
    return SimpleNamespace(
        model=model,
        args=SimpleNamespace(gradient_checkpointing=False, device=torch.device(device)),
        data_collator=Collate(0),
        train_dataset=rows,
        training_lengths=lambda: np.array([3, 9, 2, 7]),
        accelerator=SimpleNamespace(autocast=lambda: torch.enable_grad()),
    )


def test_a_lack_of_memory_of_a_device_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(language_memory, "advise_less", lambda *given: asked.append(given) or "Set batch_size to 1.")

    def fails(model: Any, batch: Any) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(UserError, match="Not enough memory for the longest batch: 2 × 9 tokens") as caught:
        try_longest_batch(RUN, trainer("meta"), fails)
    assert caught.value.hint == "Set batch_size to 1."
    (_, parameters, _, length, _), *others = asked
    assert (parameters, length, others) == (6, 9, [])


def test_no_time_is_spent_on_a_cpu() -> None:
    def unexpected(model: Any, batch: Any) -> torch.Tensor:
        raise AssertionError("the first step has a batch as long")

    try_longest_batch(RUN, trainer("cpu"), unexpected)
