"""The benchmark of chat models: both trainings have the same tokens, and a difference of the losses is found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoTokenizer

from autotrain_gradio.tasks.llm_sft.rows import RowTokenizer
from autotrain_gradio.training.chat_templates import choose_template
from benchmarks.language_models import Trained, chats, count_tokens, loss_difference, random_llama, rows


def test_tokens_are_counted_as_the_app_counts_them(tmp_path: Path) -> None:
    data = chats(tmp_path / "chats", 30)
    model = random_llama(
        tmp_path / "model", hidden_size=16, intermediate_size=16, num_hidden_layers=1, max_position_embeddings=64
    )
    lines = (data / "train.jsonl").read_text(encoding="utf-8").splitlines()
    tokenizer = AutoTokenizer.from_pretrained(model)
    template = choose_template(tokenizer, "auto")
    assert template.marked
    tokenize = RowTokenizer(tokenizer, template, assistant_only=True).conversation
    found = [tokenize(json.loads(line)["messages"], None) for line in lines]
    lengths = np.array([len(row.ids) for row in found])
    assert count_tokens(data, model, 64) == np.minimum(lengths, 64).sum() < lengths.sum()
    assert lengths.max() > 4 * lengths.min()
    assert all(row.trained.any() and not row.trained.all() for row in found)


def test_a_difference_of_the_loss_curves_is_found() -> None:
    curve = [(1, 5.0), (2, 4.0)]
    assert loss_difference(curve, curve) == 0
    assert loss_difference([(1, 5.0), (2, 4.4)], curve) == pytest.approx(0.1)
    with pytest.raises(ValueError, match="other steps"):
        loss_difference([(1, 5.0), (3, 4.0)], curve)
    with pytest.raises(ValueError, match="other steps"):
        loss_difference([], [])


def test_rates_are_compared_by_the_tokens_of_a_training() -> None:
    fast, slow = (Trained(10.0, seconds, 2e9, [(1, 5.0)], 1000) for seconds in (2.0, 5.0))
    found = rows(1000, [fast], [slow], [fast], [slow])
    assert [row.ratio for row in found[:2]] == [2.5, 2.5] and all(row.good for row in found)
    other = Trained(13.0, 5.0, 3e9, [(1, 5.2)], 1000)
    assert [row.good for row in rows(1000, [other], [fast], [other], [fast])] == [False] * 5
