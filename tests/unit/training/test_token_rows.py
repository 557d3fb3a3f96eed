"""Sequences of a limited length, packed and collated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from autotrain_gradio.training import language_models
from autotrain_gradio.training.chat_templates import TokenizedRow
from autotrain_gradio.training.language_trainer import mean_loss, packing_is_exact
from autotrain_gradio.training.token_rows import IGNORED, Collate, as_dataset, limit_lengths, pack, sequence_lengths


def row(size: int, trained_from: int = 0) -> TokenizedRow:
    ids = np.arange(10, 10 + size, dtype=np.int32)
    return TokenizedRow(ids, np.arange(size) >= trained_from)


@pytest.mark.parametrize(
    ("action", "sizes", "first", "lost"),
    [
        ("drop", [4], 10, 10),
        ("truncate", [6, 4], 10, 4),
        ("truncate_left", [6, 4], 14, 4),
        ("chunk", [6, 4, 4], 10, 0),
    ],
)
def test_long_rows(action: str, sizes: list[int], first: int, lost: int) -> None:
    found, numbers, counts = limit_lengths([row(10), row(4)], 6, action)
    assert [len(r.ids) for r in found] == sizes and found[0].ids[0] == first
    assert (counts.longer, counts.lost, counts.untrained) == (1, lost, 0) and numbers[-1] == 1
    assert "1 row (50.0%) longer than 6 tokens" in counts.message()
    assert (f"{lost} of 14 tokens are lost" in counts.message()) == bool(lost)


def test_rows_without_a_trained_token() -> None:
    found, numbers, counts = limit_lengths([row(10, trained_from=8), row(4)], 6, "truncate")
    assert numbers == [1] and counts.untrained == 1 and len(found) == 1


def test_the_loss_of_packed_rows_is_that_of_the_rows_alone(tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(language_models.tiny_model(tmp_path, texts=["a b c d e f g"]))
    rows = as_dataset([row(n, trained_from=n // 3) for n in (30, 12, 25, 7, 18)])
    packed = pack(rows, 48)
    assert sequence_lengths(packed).sum() == sequence_lengths(rows).sum() and len(packed) == 2
    collate = Collate(0)
    alone, together = collate([rows[i] for i in range(5)]), collate([packed[i] for i in range(2)])
    assert (alone["labels"][:, 1:] != IGNORED).sum() == (together["labels"][:, 1:] != IGNORED).sum()
    assert mean_loss(model, together) == pytest.approx(mean_loss(model, alone), abs=1e-5)
    assert packing_is_exact(model, rows, 0, 48)
    # The check would notice rows that see each other.
    mixed = {**together, "position_ids": torch.arange(together["input_ids"].shape[1]).expand_as(together["input_ids"])}
    assert abs(mean_loss(model, mixed) - mean_loss(model, alone)) > 1e-4
